"""The gradient of a convolution's input by col2im: what each pixel sees, and how it is rounded."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import normal, padded
from fastnn_kernels.registry.windows import geometry
from tests.kernels.cases import DTYPES

LENET = (1, 14, 14, 6, 5, 5, 1, 1, "valid", 16)
SHAPES = [
    (2, 6, 7, 6, 5, 5, 1, 1, "valid", 3),
    (2, 5, 6, 3, 3, 3, 2, 2, "same", 4),
    (2, 3, 4, 17, 3, 3, 1, 1, "same", 2),
]


def inputs(dtype, shape):
    """dout, w and the geometry."""
    B, *layer = shape
    g, rng = geometry(*layer), np.random.default_rng(4)
    return normal(rng, dtype, B, g[9:].prod()), normal(rng, dtype, g[2:5].prod(), g[11]), g


def by_col2im(dout, w, g):
    """dx, with padding."""
    lines, dx = padded(w.dtype, g[3] * g[11], g[4] * g[2], 0), padded(w.dtype, len(dout), g[:3].prod(), 7)
    k.filter_lines.serial(lines, w, g)
    k.conv2d_col2im_backward_x.serial(dx, dout, lines, g)
    return dx


def dense(dout, w, g, family=k):
    filters, dx = padded(w.dtype, g[3] * g[4] * g[11], g[2], 0), padded(w.dtype, len(dout), g[:3].prod(), 7)
    for name, operands in (("flip_filters", (filters, w, g)), ("conv2d_backward_x", (dx, dout, filters, g))):
        one = getattr(family, name)
        getattr(one, "serial", one)(*operands)
    return dx


def test_rounding_errors_are_smaller_than_those_of_one_chain():
    """A chain of 80 terms and 4 additions, where the dense kernel has a chain of 400 terms."""
    dout, w, g = inputs(np.float32, LENET)
    want = dense(dout.astype(np.float64), w.astype(np.float64), g, reference)
    size = g[:3].prod()
    errors = [np.square(dx[:, :size] - want[:, :size]).mean() for dx in (by_col2im(dout, w, g), dense(dout, w, g))]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_number_that_is_not_finite_reaches_the_pixels_of_its_window_alone(dtype, value, shape):
    dout, w, g = inputs(dtype, shape)
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = g.tolist()
    want, r, c = by_col2im(dout, w, g), H_out // 2, W_out - 1
    dout[1, (r * W_out + c) * n] = value
    with np.errstate(all="ignore"):  # without compiled code NumPy warns
        got = by_col2im(dout, w, g)
    inside = np.zeros((H, W, C), bool)
    line, column = r * SH - top, c * SW - left
    inside[max(0, line) : line + KH, max(0, column) : column + KW] = True
    inside = np.pad(inside.ravel(), (0, got.shape[1] - inside.size))
    np.testing.assert_array_equal(~np.isfinite(got[1]), inside)
    np.testing.assert_array_equal(got[:, ~inside], want[:, ~inside])
    np.testing.assert_array_equal(got[0], want[0])


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_pixel_has_the_same_bits_in_a_line_that_is_computed_in_parts(stride):
    """The panel holds about 160 windows."""
    short, long = (inputs(np.float32, (1, 1, W, 5, 1, 7, 1, stride, "valid", 3)) for W in (100, 997))
    seen = short[2][9:].prod()
    short[0][0, :seen] = long[0][0, :seen]
    got, want = (by_col2im(dout, long[1], g) for dout, _, g in (long, short))
    same = (short[2][10] * stride - 7) * 5  # pixels behind these are seen by windows that the short line lacks
    np.testing.assert_array_equal(got[0, :same], want[0, :same])
