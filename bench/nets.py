"""Nets as users build them from fastnn's layers: what `python -m bench.own_nets` times."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import fastnn as fn
from bench.system import CROSS_ENTROPY, Data, System
from fastnn.nn.layers.base import Node

CHECKED = 5
CATEGORIES = {10: 12, 11: 7, 12: 40, 13: 300, 14: 5, 15: 25}  # of the columns of a table
GENTLE = 1e-4  # at 1e-3 all ReLUs close in some 50 steps on data without meaning, and gradients are 0
YES_OR_NO, HUBER = fn.BinaryCrossEntropy(), fn.Huber()


@dataclass(frozen=True)
class Net(System):
    """A net and what it is trained on.

    graph  makes the scores of the input, where layers do not stand in a row
    """

    graph: Callable[[Node], Node] | None = None

    def model(self) -> fn.Model:
        if self.graph is None:
            return super().model()
        x = fn.Input(self.input_shape)
        return fn.Model(x, self.graph(x), loss=self.loss, dtype=self.dtype)

    def to_be_compared(self) -> "Net":
        """The same in float64 and without dropout, of which each library draws its own."""
        layers = tuple(fn.Dropout(0.0) if isinstance(layer, fn.Dropout) else layer for layer in self.layers)
        return replace(self, id=f"{self.id}, compared", layers=layers, dtype="float64")

    def data(self) -> Data:
        rng, shape = np.random.default_rng(0), (self.samples, *self.input_shape)
        if self.ids:
            x = rng.integers(0, self.ids, shape, np.int32)
        else:
            x = rng.standard_normal(shape, np.float32).astype(self.dtype)
        if self.layers and isinstance(self.layers[0], fn.Columns):
            for column, count in self.layers[0].categories.items():
                x[:, column] = rng.integers(0, count, self.samples)
        return x, self._targets(rng, x)

    def _targets(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        if self.loss.takes_labels:
            return rng.integers(0, self.targets, self.samples, np.int32)
        if self.targets == math.prod(self.input_shape):  # of an autoencoder
            return x
        values = rng.standard_normal((self.samples, self.targets), np.float32).astype(self.dtype)
        return (values > 0.5).astype(self.dtype) if self.loss == YES_OR_NO else values


def net(name, shape, layers, optimizer, batch, targets, loss=CROSS_ENTROPY, **more) -> Net:
    """A net of some 2,000 samples; layers: a tuple of them, or a function of the input."""
    graph, row = (layers, ()) if callable(layers) else (None, layers)
    sizes = {"batch": batch, "samples": max(batch, 2_000 // batch * batch), "checked": CHECKED, "targets": targets}
    return Net(name, row, shape, optimizer, loss=loss, graph=graph, rtol=1e-9, **sizes, **more)


def dense(*units: int, activation: str, outputs: int) -> tuple:
    return (*(fn.Dense(one, activation) for one in units), fn.Dense(outputs))


def normal(filters: int, size: int = 3, stride: int = 1) -> tuple:
    """A convolution, normalised."""
    return fn.Conv2D(filters, size, stride=stride, use_bias=False), fn.BatchNorm()


def applied(layers: tuple, x: Node) -> Node:
    for layer in layers:
        x = layer(x)
    return x


def resnet(x: Node) -> Node:
    """Blocks of two convolutions with a way past them: 16, 32 and 64 filters."""
    relu = fn.Activation("relu")
    h = applied((*normal(16), relu), x)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        past = h if stride == 1 else applied(normal(filters, 1, stride), h)
        h = relu(fn.Add()(past, applied((*normal(filters, 3, stride), relu, *normal(filters)), h)))
    return fn.Dense(10)(fn.GlobalAveragePool()(h))


def residual(x: Node) -> Node:
    """Six blocks of two layers of 128 with a way past them."""
    h = fn.Dense(128)(x)
    for _ in range(6):
        h = fn.Add()(h, fn.Dense(128)(fn.Dense(128, "silu")(fn.LayerNorm()(h))))
    return fn.Dense(10)(fn.LayerNorm()(h))


RELU = fn.Activation("relu")
TABLE = (
    fn.Columns(range(10), CATEGORIES, standardise=False),
    *(fn.Dense(128, "relu"), fn.BatchNorm(), fn.Dropout(0.2), fn.Dense(64, "relu"), fn.BatchNorm(), fn.Dropout(0.2)),
    fn.Dense(1),
)
VGG = tuple(
    layer
    for filters in (32, 64)
    for layer in (*normal(filters), RELU, *normal(filters), RELU, fn.MaxPool2D(2), fn.Dropout(0.25))
)
HEAD = (fn.Flatten(), fn.Dense(128, "relu"), fn.Dropout(0.5), fn.Dense(10))
KERAS = (fn.Conv2D(32, 3, "relu", padding="valid"), fn.Conv2D(64, 3, "relu", padding="valid"), fn.MaxPool2D(2))
SIGNALS = (fn.Conv1D(64, 5, "relu", padding="valid"), fn.Conv1D(64, 5, "relu", padding="valid"))
NARROW, SMALL = dense(*[16] * 12, activation="tanh", outputs=4), dense(64, 64, activation="relu", outputs=1)
NORMED = tuple(layer for _ in range(3) for layer in (fn.Dense(256), fn.LayerNorm(), fn.Activation("gelu")))
CODE = (*(fn.Dense(units, "relu") for units in (128, 32, 128)), fn.Dense(784, "sigmoid"))
BIG, DOUBLE = dense(*[1000] * 3, activation="relu", outputs=10), dense(300, 300, activation="tanh", outputs=10)

NETS = (
    net("table: 10 numbers, 6 categories, 128-64-1, BatchNorm", (16,), TABLE, fn.Adam(1e-3), 256, 1, YES_OR_NO),
    net("8-64-64-1, Huber, batch 1, SGD", (8,), SMALL, fn.SGD(0.01), 1, 1, HUBER),
    net("8-64-64-1, Huber, batch 32, RMSProp", (8,), SMALL, fn.RMSProp(1e-3), 32, 1, HUBER),
    net("8-64-64-1, Huber, all 50,000 samples at once", (8,), SMALL, fn.Adam(1e-3), 50_000, 1, HUBER),
    net("12 × 16, tanh, batch 32", (16,), NARROW, fn.Adam(1e-3), 32, 4),
    net("64-256-256-256-10, LayerNorm, gelu", (64,), (*NORMED, fn.Dense(10)), fn.AdamW(1e-3), 64, 10),
    net("residual, 6 blocks of 128, LayerNorm, silu", (64,), residual, fn.AdamW(1e-3), 128, 10),
    net("1000-1000-1000-10, batch 32", (1000,), BIG, fn.Adam(1e-4), 32, 10),
    net("autoencoder 784-128-32-128-784", (784,), CODE, fn.Adam(1e-3), 128, 784, fn.MSE()),
    net("float64 100-300-300-10, tanh", (100,), DOUBLE, fn.SGD(0.01), 128, 10, dtype="float64"),
    net("MNIST as Keras shows it: conv 32, conv 64, 128", (28, 28, 1), (*KERAS, *HEAD), fn.Adam(GENTLE), 128, 10),
    net("VGG-like, 32 × 32 × 3, BatchNorm, dropout", (32, 32, 3), (*VGG, *HEAD), fn.Adam(GENTLE), 64, 10),
    net("ResNet, 32 × 32 × 3, 16-32-64", (32, 32, 3), resnet, fn.SGD(0.05, momentum=0.9, nesterov=True), 32, 10),
    net(
        "signals 128 × 9: Conv1D 64, 64, mean",
        *((128, 9), (*SIGNALS, fn.GlobalAveragePool(), fn.Dense(6)), fn.Adam(1e-3), 64, 6),
    ),
    net("GRU 64, 50 steps of 16", (50, 16), (fn.GRU(64), fn.Dense(6)), fn.Adam(1e-3), 64, 6),
    net(
        "text: 20,000 vectors of 64, 100 words, mean",
        *((100,), (fn.Embedding(20_000, 64), fn.GlobalAveragePool(), fn.Dense(64, "relu"), fn.Dense(1))),
        *(fn.Adam(1e-3), 64, 1, YES_OR_NO),
        ids=20_000,
    ),
)

COMPARED = {one.id: one.to_be_compared() for one in NETS}
