"""Gradients of a convolution by lists of what is not 0 have the bits of the dense kernels, whatever the numbers are."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn_kernels.registry.inputs import normal, padded
from fastnn_kernels.registry.windows import geometry
from tests.kernels.cases import DTYPES, needs_jit

SHAPES = {
    "lines": (3, 6, 7, 16, 3, 3, 1, 1, "same", 5),
    "two tiles": (2, 5, 6, 32, 5, 5, 1, 1, "same", 3),
    "even windows": (2, 6, 5, 16, 2, 4, 1, 1, "same", 17),
    "part of a line": (2, 5, 4, 7, 3, 3, 1, 1, "same", 6),
    "inside": (2, 7, 6, 16, 3, 2, 1, 1, "valid", 9),
    "more channels than fit at once": (2, 4, 4, 96, 2, 2, 1, 1, "valid", 90),
}
SPECIAL = {"nan": np.nan, "infinity": np.inf, "-infinity": -np.inf, "-0": -0.0, "tiny": 1e-42}


def inputs(dtype, shape, kept=0.2):
    """x with its padding, w and dout, of which the fraction `kept` is not 0; the geometry with padding and without"""
    B, *layer = shape
    g = geometry(*layer)
    _, _, C, KH, KW, _, _, _, _, H_out, W_out, n = g.tolist()
    inner = np.array([H_out + KH - 1, W_out + KW - 1, C, KH, KW, 1, 1, 0, 0, H_out, W_out, n])
    rng = np.random.default_rng(3)
    x = padded(dtype, B, inner[:3].prod(), 0)
    k.pad_images.serial(x, normal(rng, dtype, B, g[:3].prod()), g)
    dout = normal(rng, dtype, B, g[9:].prod())
    dout *= rng.random(dout.shape) < kept
    return x, normal(rng, dtype, KH * KW * C, n), dout, g, inner


def backwards(g):
    """The geometries of dout's padding, and of the convolution from padded dout back to the image."""
    H, W, C, KH, KW, _, _, top, left, H_out, W_out, n = g.tolist()
    padding = np.array([H_out, W_out, n, KH, KW, 1, 1, KH - 1 - top, KW - 1 - left, H, W, C])
    return padding, np.array([H + KH - 1, W + KW - 1, n, KH, KW, 1, 1, 0, 0, H, W, C])


def outputs(x, w, dout, g, twin):
    """dx and dw, dout with its padding and flipped filters."""
    padding, reverse = backwards(g)
    dx, dw, around = (
        padded(x.dtype, len(x), g[:3].prod(), 7),
        np.zeros_like(w),
        padded(x.dtype, len(x), reverse[:3].prod(), 7),
    )
    filters = padded(x.dtype, reverse[2:5].prod(), g[2], 0)
    k.flip_filters.twin(twin)(filters, w, g)
    k.pad_images.twin(twin)(around, dout, padding)
    return dx, dw, around, filters, reverse


def dense(x, w, dout, g, inner):
    """dx and dw by the dense kernels."""
    dx, dw, around, filters, reverse = outputs(x, w, dout, g, False)
    k.conv2d_forward.serial(dx, around, filters, reverse)
    k.conv2d_backward_w.serial(dw, x, dout, inner)
    return dx, dw


def by_lists(x, w, dout, g, inner, parallel=False):
    """The same by lists, and the starts of both: which samples were listed."""
    most, pixels, n = int(0.4 * g[9:].prod()), g[9:11].prod(), int(g[11])
    dx, dw, around, filters, reverse = outputs(x, w, dout, g, parallel)
    lines = padded(x.dtype, g[3] * n, g[4] * g[2], 0)
    values, places = padded(x.dtype, len(x), most + 1, 7), np.zeros((len(x), most + 100), np.int32)
    starts, own = np.zeros((len(x), pixels + 1), np.int32), np.zeros((len(x), 2 * n + 1), np.int32)
    k.filter_lines.twin(parallel)(lines, w, g)
    k.list_channels.twin(parallel)(values, places, starts, dout, w, n, lines.shape[1], most)
    k.conv2d_sparse_backward_x.twin(parallel)(dx, values, places, starts, lines, around, filters, g, reverse)
    k.list_pixels.twin(parallel)(values, places, own, dout, x, inner, most)
    k.conv2d_sparse_backward_w.twin(parallel)(dw, x, dout, values, places, own, inner)
    return (dx, dw), (starts[:, 0], own[:, 0])


def assert_equal(got, want):
    """The same bits, but that zeros may differ in sign and NaN in its payload."""
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("parallel", [False, pytest.param(True, marks=needs_jit)])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_lists_give_the_bits_of_the_dense_kernels(dtype, shape, parallel):
    given = inputs(dtype, shape)
    got, listed = by_lists(*given, parallel)
    assert (np.array(listed) == 0).all()
    assert_equal(got, dense(*given))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_sample_with_few_zeros_is_not_listed_the_others_are(dtype):
    x, w, dout, g, inner = inputs(dtype, SHAPES["lines"])
    dout[1, : g[9:].prod()] = 0.5
    got, (by_pixel, by_channel) = by_lists(x, w, dout, g, inner)
    assert by_pixel.tolist() == by_channel.tolist() == [0, -1, 0]
    assert_equal(got, dense(x, w, dout, g, inner))


@pytest.mark.parametrize("value", SPECIAL.values(), ids=SPECIAL)
@pytest.mark.parametrize("operand", ["x", "w", "dout"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_times_nan_and_infinity_is_nan_as_in_the_dense_kernels(dtype, operand, value):
    for at in (0, 40, -1):  # the first number, one amid others, the last one
        given = dict(zip(("x", "w", "dout", "g", "inner"), inputs(dtype, SHAPES["lines"]), strict=True))
        width = {"x": given["inner"][:3].prod(), "w": given["g"][11], "dout": given["g"][9:].prod()}[operand]
        own = given[operand][:, :width]
        own[at % len(own), at % width] = value
        with np.errstate(all="ignore"):  # NaN and infinity are inputs like any other
            got, (by_pixel, by_channel) = by_lists(**given)
            assert_equal(got, dense(**given))
        finite = np.isfinite(value) or operand == "dout"
        assert (by_pixel == (0 if finite or operand == "x" else -1)).all()
        assert ((by_channel == 0).all()) == (finite or operand == "w")


def test_zeros_of_either_sign_are_left_out():
    x, w, dout, g, inner = inputs(np.float32, SHAPES["lines"])
    want, _ = by_lists(x, w, dout, g, inner)
    dout[dout == 0] = -0.0
    got, (by_pixel, _) = by_lists(x, w, dout, g, inner)
    assert (by_pixel == 0).all()
    assert_equal(got, want)


def test_an_upstream_gradient_of_zeros_alone():
    given = inputs(np.float32, SHAPES["lines"], kept=0.0)
    got, _ = by_lists(*given)
    assert not any(each.any() for each in got)
