"""Layers with several inputs, on a builder: sums, concatenation, and their gradients."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.engine.builder import Builder
from fastnn.engine.program import Program
from fastnn.nn.layers import from_config
from tests.tiny import JIT, two_threads

RNG = np.random.default_rng(3)
MANY = 700 if JIT else 9  # samples: enough for two threads and for several slices


def run(layer, inputs, dout, wanted, workers=1):
    """The output (padded), and the gradient of each input, None where it is not wanted."""
    build = Builder(len(dout), dout.dtype, training=True)
    xs = [build.value("x", x.shape[1:]) for x in inputs]
    out, backward = layer.join(build, xs, {})
    assert out.shape == layer.joined_shape([x.shape for x in xs])
    upstream = build.value("dout", out.shape)
    gradients = backward(upstream, {}, wanted)
    program = Program(build)
    for value, array in zip([*xs, upstream], [*inputs, dout], strict=True):
        program[value.buffer][:, : value.width] = array.reshape(len(array), -1)
    program.run(2, len(dout), workers)  # twice: the second step does not add to the first
    assert not program[out.buffer][:, out.width :].any()
    return (
        out.of_batch(program[out.buffer], len(dout)),
        [None if one is None else one.of_batch(program[one.buffer], len(dout)) for one in gradients],
    )


def arrays(dtype, samples, *shapes):
    return [RNG.normal(size=(samples, *shape)).astype(dtype) for shape in shapes]


@two_threads
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("count", "shape"), [(2, (1,)), (2, (17,)), (3, (4, 5)), (5, (3, 2, 33))])
def test_add(count, shape, workers, dtype):
    *inputs, dout = arrays(dtype, MANY, *[shape] * (count + 1))
    want = inputs[0] + inputs[1]
    for x in inputs[2:]:
        want = want + x
    out, gradients = run(fn.Add(), inputs, dout, [i != 1 for i in range(count)], workers)
    assert np.array_equal(out, want)
    assert gradients[1] is None
    assert all(np.array_equal(dx, dout) for i, dx in enumerate(gradients) if i != 1)


@two_threads
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "shapes", [[(1,), (1,)], [(16,), (3,), (5,)], [(3, 2), (3, 15)], [(2, 3, 4), (2, 3, 1), (2, 3, 20)]]
)
def test_concatenate(shapes, workers, dtype):
    inputs, width = arrays(dtype, MANY, *shapes), sum(shape[-1] for shape in shapes)
    (dout,) = arrays(dtype, MANY, (*shapes[0][:-1], width))
    out, gradients = run(fn.Concatenate(), inputs, dout, [True] * len(shapes), workers)
    assert np.array_equal(out, np.concatenate(inputs, axis=-1))
    ends = np.cumsum([shape[-1] for shape in shapes])[:-1]
    for got, want in zip(gradients, np.split(dout, ends, axis=-1), strict=True):
        assert np.array_equal(got, want)


def test_one_value_may_be_joined_with_itself():
    build = Builder(2, "float64", training=True)
    x = build.value("x", (3,))
    outs = [layer.join(build, [x, x, x], {})[0] for layer in (fn.Add(), fn.Concatenate())]
    program = Program(build)
    program[x.buffer][:, :3] = numbers = RNG.normal(size=(2, 3))
    program.run(1, 2)
    assert np.array_equal(program[outs[0].buffer][:, :3], numbers + numbers + numbers)
    assert np.array_equal(program[outs[1].buffer][:, :9], np.tile(numbers, 3))


BAD = [
    (fn.Add(), [(3,)], "Add got 1 input, expected at least two"),
    (fn.Concatenate(), [], "Concatenate got 0 input"),
    (fn.Add(), [(3,), (3, 1)], r"Add got samples of shapes \(3,\), \(3, 1\), expected equal ones"),
    (fn.Concatenate(), [(3, 4), (2, 4)], r"shapes \(3, 4\), \(2, 4\), expected equal extents but the last"),
    (fn.Concatenate(), [(3, 4), (4,)], "equal extents"),
    (fn.Concatenate(), [(), ()], "equal extents"),
]


@pytest.mark.parametrize(("layer", "shapes", "message"), BAD, ids=[message for *_, message in BAD])
def test_shapes_that_do_not_fit(layer, shapes, message):
    with pytest.raises(fn.ShapeError, match=message):
        layer.joined_shape(shapes)


@pytest.mark.parametrize("layer", [fn.Add(name="sum"), fn.Concatenate(freeze=True)])
def test_a_join_is_what_its_configuration_says(layer):
    assert from_config(layer.config()) == layer
