"""Convolutions with few channels have the bits of those with many, and write nothing beside their output."""

import numpy as np
import pytest
from llvmlite import ir
from numba import types

from fastnn_kernels import conv2d_backward_w, conv2d_few_backward_w, conv2d_few_forward, conv2d_forward
from fastnn_kernels._jit import compiled
from fastnn_kernels._products import interleave, pixel_lanes, registers, tap_lanes
from fastnn_kernels._tuning import ALIGNMENT
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.windows import geometry
from tests.assembly import PROCESSORS, assembly, busiest_block, multiply_adds, spills
from tests.kernels.cases import DTYPES, needs_jit

GUARD = -77.0
# H, W, C, KH, KW, SH, SW: the last ones are too small for a line of pixels, or have a stride along the line
LAYERS = [
    (7, 20, 1, 5, 5, 1, 1),
    (6, 37, 1, 3, 3, 2, 1),
    (5, 18, 3, 3, 3, 1, 1),
    (12, 19, 2, 9, 2, 1, 1),
    (20, 130, 8, 2, 2, 1, 1),
    (6, 9, 1, 3, 3, 1, 1),
    (6, 24, 4, 3, 3, 1, 2),
]


@compiled
def _convolve_line(out, at, pixels, x, x_at, steps, w):
    pixel_lanes.convolve_line(out, at, pixels, x, x_at, steps, w)


@compiled
def _readable_line(out, at, pixels, x, x_at, steps, w):
    pixel_lanes.readable_line(out, at, pixels, x, x_at, steps, w)


@compiled
def _add_line(sums, x, x_step, pixels, dout, at):
    tap_lanes.add_line(sums, x, x_step, pixels, dout, at)


@compiled
def _readable_add_line(sums, x, x_step, pixels, dout, at):
    tap_lanes.readable_add_line(sums, x, x_step, pixels, dout, at)


@compiled
def _interleaved(out, x, at, row, rows, columns):
    interleave.interleave(out, x, at, row, rows, columns)


def layers(dtype, layer, channels):
    """Geometries, images and weights of two convolutions, of few channels and of many."""
    rng = np.random.default_rng(channels)
    few, many = (geometry(*layer, "valid", count) for count in (channels, channels + 20))
    x, w = normal(rng, dtype, 3, few[:3].prod()), normal(rng, dtype, few[2:5].prod(), many[11])
    return few, many, x, w


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", range(1, 10))
@pytest.mark.parametrize("layer", LAYERS)
def test_a_channel_is_the_same_among_few_and_among_many(layer, channels, dtype):
    few, many, x, w = layers(dtype, layer, channels)
    outs = [padded(dtype, len(x), g[9:].prod(), GARBAGE) for g in (few, many)]
    conv2d_few_forward.serial(outs[0], x, padded(dtype, len(w), channels, w[:, :channels]), few)
    conv2d_forward.serial(outs[1], x, w, many)
    got, want = (out[:, : g[9:].prod()].reshape(len(x), -1, g[11]) for out, g in zip(outs, (few, many), strict=True))
    np.testing.assert_array_equal(got, want[:, :, :channels])
    assert not outs[0][:, few[9:].prod() :].any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", range(1, 10))
@pytest.mark.parametrize("layer", LAYERS)
def test_a_gradient_is_the_same_among_few_and_among_many(layer, channels, dtype):
    few, many, x, w = layers(dtype, layer, channels)
    rng = np.random.default_rng(1)
    dout = normal(rng, dtype, len(x), many[9:].prod())
    own = dout[:, : many[9:].prod()].reshape(len(x), -1, many[11])[:, :, :channels].reshape(len(x), -1)
    want = padded(dtype, *w.shape, GARBAGE)
    conv2d_backward_w.serial(want, x, dout, many)
    own = padded(dtype, len(x), own.shape[1], own)
    for first, end in ((0, len(w)), (len(w) // 3, len(w)), (1, len(w) // 2 + 1)):
        got = padded(dtype, end - first, channels, GARBAGE)
        conv2d_few_backward_w.serial(got, x, own, few, first)
        np.testing.assert_array_equal(got[:, :channels], want[first:end, :channels])
        assert not got[:, channels:].any()


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", range(1, interleave.MOST + 1))
def test_lines_of_pixels(channels, dtype):
    rng = np.random.default_rng(channels)
    lanes = ALIGNMENT // np.dtype(dtype).itemsize
    for pixels in (lanes, lanes + 1, 2 * lanes, 3 * lanes - 1, 5 * lanes + 2):
        steps = np.array([[0, 1, 7, 40, 3]])
        x, w = (
            rng.normal(size=pixels + 43).astype(dtype),
            rng.normal(size=(5, channels + 2)).astype(dtype)[:, :channels],
        )
        got, want = np.full((2, pixels * channels + 40), GUARD, dtype)
        _convolve_line(got, 9, pixels, x, 2, steps, w[:, :channels])
        _readable_line(want, 9, pixels, x, 2, steps, w[:, :channels])
        np.testing.assert_array_equal(got, want)


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", range(1, tap_lanes.MOST + 1))
def test_sums_of_lines_of_pixels(channels, dtype):
    rng = np.random.default_rng(channels)
    lanes = ALIGNMENT // np.dtype(dtype).itemsize
    for pixels, lines, step in ((1, 1, 1), (14, 3, 5), (33, 4, 2), (0, 2, 1)):
        x, dout = rng.normal(size=pixels * step + lines * lanes), rng.normal(size=7 + pixels * channels)
        got = np.full((channels + 1, lines * lanes), GUARD, dtype)
        want = got.copy()
        _add_line(got[:channels], x.astype(dtype), step, pixels, dout.astype(dtype), 7)
        _readable_add_line(want[:channels], x.astype(dtype), step, pixels, dout.astype(dtype), 7)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", range(1, interleave.MOST + 3))
def test_rows_are_interleaved(rows, dtype):
    for columns in (1, 7, 8, 16, 21, 50):
        x, out = np.arange(rows * (columns + 3) + 2, dtype=dtype), np.full(rows * columns + 20, GUARD, dtype)
        _interleaved(out, x, 2, columns + 3, rows, columns)
        want = x[2:].reshape(rows, columns + 3)[:, :columns].T
        np.testing.assert_array_equal(out[: rows * columns].reshape(columns, rows), want)
        assert (out[rows * columns :] == GUARD).all()


@needs_jit
@pytest.mark.parametrize("channels", [3, 5, 6])
@pytest.mark.parametrize(("triple", "processor", "kind", "each"), PROCESSORS)
def test_the_sums_of_pixels_stay_in_registers(triple, processor, kind, each, channels):
    lines = registers.SHAPES[kind].lines

    def emit(builder, arguments):
        pixel_lanes.emit_tile(builder, types.float32, channels, lines, arguments)

    loop = busiest_block(assembly(emit, [ir.IntType(64)] * 7, triple, processor))
    assert registers.registers_in(loop) == kind
    assert len(multiply_adds(loop)) % (channels * lines * each) == 0
    assert not spills(loop)
