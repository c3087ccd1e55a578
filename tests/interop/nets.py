"""Random nets of all layers with random arrays, and data for them: exchanges with other libraries must hold for all."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import fastnn as fn
import fastnn_kernels as k
from tests.branching import drawn
from tests.stacks import activation, random_stack

SAMPLES = 6
LOSSES = tuple(fn.losses.LOSSES)


@dataclass(frozen=True)
class Doubling(fn.MSE):
    """A loss of a user's own, which makes predictions of scores in a way of its own."""

    name: ClassVar[str] = "doubling"

    def emit_predictions(self, build, scores):
        twice = build.value("twice", scores.shape)
        build.emit(k.add_rows, twice.buffer, scores.buffer, scores.buffer, scores.width)
        return twice


def random_net(seed):
    """A model and data for its `predict`. Dtypes and kinds alternate: rows of layers, branches, pictures."""
    draw, dtype = np.random.default_rng(seed), ("float32", "float64")[seed % 2]
    kind = (stack, branches, pictures)[seed // 2 % 3]
    model, x = kind(draw, seed, dtype)
    for block in (model.parameters, model.buffers):
        for name in block:
            block[name] = numbers(draw, name.rpartition(".")[2], block[name].shape)
    return model, x


def numbers(draw, short, shape):
    """Random numbers for an array, such that layers neither blow values up nor let them vanish."""
    if short in ("var", "std"):
        return draw.uniform(0.5, 2, shape)
    if short == "gamma":
        return draw.normal(1, 0.3, shape)
    return draw.normal(0, 1.2 / np.sqrt(max(1, np.prod(shape[:-1]))) if short in ("w", "u") else 0.4, shape)


def stack(draw, seed, dtype):
    layers, shape = random_stack(draw)
    first, x = layers[0], draw.normal(size=(SAMPLES, *shape))
    if isinstance(first, fn.Embedding):
        x = draw.integers(0, first.rows, (SAMPLES, *shape))
    if isinstance(first, fn.Columns):
        for column, count in first.categories.items():
            x[:, column] = draw.integers(0, count, SAMPLES)
    return fn.Sequential(layers, input_shape=shape, loss=str(draw.choice(LOSSES)), dtype=dtype), x.astype(
        x.dtype if x.dtype.kind == "i" else dtype
    )


def branches(draw, seed, dtype):
    model, x, _ = drawn(seed)
    as_drawn = fn.Model.of(model.network, dtype=dtype)
    return as_drawn, {name: one.astype(dtype if one.dtype.kind == "f" else one.dtype) for name, one in x.items()}


def pictures(draw, seed, dtype):
    """Windows of all sizes, strides and paddings over pictures as they are in files."""
    shape = tuple(int(n) for n in draw.integers(5, 12, 2)) + ((3,) if draw.random() < 0.5 else ())
    value = first = fn.Input((*shape, 1) if len(shape) == 2 else shape)
    for _ in range(draw.integers(1, 4)):
        value = window(draw, value.shape)(value)
        if draw.random() < 0.3:
            value = fn.Concatenate()(value, fn.BatchNorm()(value))
        if draw.random() < 0.3:
            value = fn.Add()(value, fn.Dense(value.shape[-1], activation(draw))(value))
    value = fn.Flatten()(value)
    if draw.random() < 0.5:
        value = fn.Concatenate()(fn.LayerNorm()(value), fn.BatchNorm()(value), fn.Dense(2)(value))
    loss = "mse"
    if draw.random() < 0.7:  # else the numbers of the pictures are the output, in their order
        value = fn.Dense(5)(fn.Activation(activation(draw))(fn.Dropout(0.3)(value)))
        loss = str(draw.choice(LOSSES))
    mean = draw.uniform(0, 255, shape) if draw.random() < 0.5 else None
    pixels = fn.Pixels(shape, divide=255, subtract=mean)
    model = fn.Model(first, {"end": value}, loss=loss, dtype=dtype, preprocessing=pixels)
    return model, draw.integers(0, 256, (SAMPLES, *shape)).astype(dtype)


def window(draw, shape):
    size, stride = (tuple(int(n) for n in draw.integers(1, 4, 2)) for _ in range(2))
    kind, padding = draw.integers(4), "same" if draw.random() < 0.5 or min(shape[:2]) < max(size) else "valid"
    if kind < 2:
        filters, use_bias = int(draw.integers(1, 6)), bool(draw.integers(2))
        return fn.Conv2D(filters, size, activation(draw), stride=stride, padding=padding, use_bias=use_bias)
    return (fn.MaxPool2D, fn.AveragePool2D)[kind - 2](size, stride, padding)


def by_name(model, x):
    """Data by the names of a model's inputs."""
    return x if isinstance(x, dict) else {next(iter(model.network.graph.inputs)): x}


def error(got, want):
    """The largest difference between outputs, as a fraction of the largest one, or of 1. Both: arrays, or dicts."""
    if not isinstance(want, dict):
        got, want = {"": got}, {"": want}
    assert got.keys() == want.keys()
    assert all(got[name].shape == want[name].shape and got[name].dtype == want[name].dtype for name in want)
    errors = [np.abs(got[name] - want[name]).max() / max(1, np.abs(want[name]).max()) for name in want]
    return float(np.max(errors))  # of NaN: NaN
