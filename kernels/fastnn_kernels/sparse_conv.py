"""Gradients of a convolution whose upstream gradient is mostly zeros, as it is behind max pooling and ReLU.

Two kernels list the numbers of dout that are not 0, for each sample, in either order: pixel by pixel, or channel by
channel. The gradients are then sums over the lists, in the order in which the dense kernels of `conv` add, and have the
same bits (but that a 0 may have the other sign). A product that is left out must be 0, but 0 · NaN and 0 · ∞ are NaN:
so nothing is listed where the other factor is not finite. Neither is a sample with too few zeros. What is not listed is
computed by the dense loops. So lists decide about the time that a gradient takes, never about its value.

mnist-cnn's second convolution, 50 samples, 18 % of dout not 0, two threads of a Zen 4, with the making of the lists:
the input's gradient takes 1.8 ms instead of 4.6, that of the weights 2.0 instead of 5.4 (with AVX2 code 2.0 instead of
4.8 and 2.2 instead of 6.0).
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._memory.scratch import PANEL, scratch_panel
from fastnn_kernels._products.listed import add_listed
from fastnn_kernels._products.transpose import transposed
from fastnn_kernels._products.window import (
    outputs_seeing,
    outputs_seeing_all,
    padded_sizes,
    products,
    sizes,
    taps_inside,
)
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT, FEWEST_TAPS, MULTIPLY_ADD
from fastnn_kernels.conv import convolve_sample, sum_taps, taps_at_once

__all__ = [
    "conv2d_sparse_backward_w",
    "conv2d_sparse_backward_x",
    "filter_lines",
    "list_channels",
    "list_pixels",
]

LISTING = 25 * ELEMENT  # nanoseconds a number
LISTED = 0.25  # of the time of all products of a gradient, behind max pooling and ReLU
_LISTS = ("values", "places", "starts")
STRIP = 1024  # numbers that are counted before it is asked whether there are too many


@inline
def _are_finite(row):
    """Whether a row holds neither NaN nor infinity."""
    bad = np.int64(0)
    for j in range(row.shape[0]):
        bad += row[j] - row[j] != 0
    return bad == 0


@inline
def _are_few(row, most):
    """Whether at most so many numbers of a row are not 0."""
    count = np.int64(0)
    for begin in range(0, row.shape[0], STRIP):
        strip = row[begin : begin + STRIP]
        for j in range(strip.shape[0]):
            count += strip[j] != 0
        if count > most:
            return False
    return True


@kernel(
    work=lambda values, places, starts, dout, w, n, step, most: LISTING * len(starts) * (starts.shape[1] - 1) * int(n),
    outputs=3,
    per_sample=True,
    cut=(*_LISTS, "dout"),
)
def list_channels(values, places, starts, dout, w, n, step, most):
    """For each pixel p of a sample: the channels k of which dout[b, p, k] is not 0, in ascending order

    They are numbers starts[b, p] ≤ i < starts[b, p + 1]: values[b, i] = dout[b, p, k], places[b, i] = k · step. Behind
    the last one stands a zero. A sample of which more than `most` numbers are not 0 is not listed, no sample is if w
    holds NaN or infinity: then starts[b, 0] = −1, and nothing else is written.

    values, places : (B, > most)    starts : (B, P + 1)    places, starts : int32
    dout           : (B, ≥ P·n)     w      : any matrix
    """
    finite = _are_finite(w.reshape(-1))
    for b in prange(values.shape[0]):
        pixels = starts.shape[1] - 1
        own, at = dout[b, : pixels * n], 0
        starts[b, 0] = -1
        if finite and _are_few(own, most):
            for p in range(pixels):
                starts[b, p] = at
                for k in range(n):
                    v = own[p * n + k]
                    values[b, at], places[b, at] = v, k * step  # without a branch: overwritten if v is 0
                    at += v != 0
            values[b, at], places[b, at], starts[b, pixels] = 0, 0, at


@kernel(
    work=lambda values, places, starts, dout, x, geometry, most: LISTING * len(x) * int(geometry[9:].prod()),
    outputs=3,
    per_sample=True,
    cut=(*_LISTS, "dout", "x"),
)
def list_pixels(values, places, starts, dout, x, geometry, most):
    """For each channel k of a sample: the pixels (r, c) where dout[b, r, c, k] is not 0, in ascending order

    Lines of pixels are taken in bands, one band after the other, so that what a band sees of x stays in a cache. Those
    of a band and channel, group g = band · C_out + k, are numbers starts[b, g] ≤ i < starts[b, g + 1]: values[b, i] =
    dout[b, r, c, k], places[b, i] = where in x[b] the window of (r, c) begins. Behind the last one stands a zero.

    A sample is not listed if more than `most` numbers are not 0, if x[b] holds NaN or infinity, or if a window reaches
    beyond the image: then starts[b, 0] = −1, and nothing else is written.

    values, places : (B, > most)                starts : (B, bands · C_out + 1)    places, starts : int32
    dout           : (B, ≥ H_out·W_out·C_out)   x      : (B, ≥ H·W·C_in)           geometry : (12,)
    """
    H, W, C, _, _, SH, SW, top, left, H_out, W_out, n = sizes(geometry)
    tall, wide = padded_sizes(geometry)
    inside, bands = top == 0 and left == 0 and tall <= H and wide <= W, (starts.shape[1] - 1) // n
    for b in prange(values.shape[0]):
        own, at = dout[b, : H_out * W_out * n], 0
        starts[b, 0] = -1
        if inside and _are_finite(x[b, : H * W * C]) and _are_few(own, most):
            for g in range(bands * n):
                starts[b, g], band, k = at, g // n, g % n
                for r in range(band * H_out // bands, (band + 1) * H_out // bands):
                    for c in range(W_out):
                        v = own[(r * W_out + c) * n + k]
                        values[b, at], places[b, at] = v, (r * SH * W + c * SW) * C
                        at += v != 0
            values[b, at], places[b, at], starts[b, bands * n] = 0, 0, at


@kernel(work=lambda out, w, geometry: 4 * ELEMENT * w.size)
def filter_lines(out, w, geometry):
    """out[kh, c_out, kw, c_in] = w[kh, kw, c_in, c_out]: a filter's taps of a line lie side by side

    out : (KH·C_out, ≥ KW·C_in)    w : (KH·KW·C_in, ≥ C_out)    geometry : (12,)
    """
    _, _, C, KH, KW, _, _, _, _, _, _, n = sizes(geometry)
    square = ALIGNMENT // out.itemsize
    for kh in prange(KH):
        own, taps = out[kh * n : (kh + 1) * n, : KW * C], w[kh * KW * C : (kh + 1) * KW * C, :n]
        for k in range(0, n, square):
            transposed(own[k : k + square], taps[:, k : k + square])


@kernel(
    work=lambda dx, values, places, starts, lines, padded, filters, geometry, reverse: (
        LISTED * MULTIPLY_ADD * products(dx.shape[0], geometry)
    ),
    per_sample=True,
    cut=("dx", *_LISTS, "padded"),
)
def conv2d_sparse_backward_x(dx, values, places, starts, lines, padded, filters, geometry, reverse):
    """dx[b, h, w] = Σ dout[b, r, c, c_out] · w[h − r·SH + top, w − c·SW + left, :, c_out], in ascending (r, c, c_out)

    The sum is over the numbers that `list_channels` lists, with the steps between rows of `lines`. Of a sample that it
    does not list, dx is the forward convolution of `padded` by `filters`, with the geometry `reverse`.

    dx      : (B, ≥ H·W·C_in)        lines  : (KH·C_out, ≥ KW·C_in), from `filter_lines`
    padded  : dout with its padding  filters, reverse : of `conv2d_forward`, for the input's gradient
    geometry : (12,)
    """
    for b in prange(dx.shape[0]):
        if starts[b, 0] < 0:
            convolve_sample(dx[b], padded[b], filters, reverse)
        else:
            _add_all_lines(dx[b], values[b], places[b], starts[b], lines, geometry)


@inline
def _add_all_lines(dx, values, places, starts, lines, geometry):
    """The input's gradient of one sample: a line of taps at a time, the last one first, onto all lines of pixels

    So the taps that are read lie in a cache, and a pixel sees the outputs in ascending order.
    """
    H, W, C, KH, _, SH, _, top, _, H_out, _, n = sizes(geometry)
    for j in range(H * W * C):
        dx[j] = 0
    for i in range(KH):
        kh = KH - 1 - i
        taps = lines[kh * n : (kh + 1) * n].reshape(-1)
        first, end = outputs_seeing(kh, SH, top, H, H_out)
        for r in range(first, end):
            _add_line(dx, values, places, starts, taps, geometry, r, r * SH - top + kh)


@inline
def _add_line(dx, values, places, starts, taps, geometry, r, h):
    """Add the products of output line r and one line of taps to line h of dx."""
    _, W, C, _, KW, _, SW, _, left, _, W_out, _ = sizes(geometry)
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    c = 0
    while c < W_out:
        count = outer - inner if c == inner and inner < outer else 1
        first, last = taps_inside(c * SW - left, KW, W)
        to = (h * W + c * SW - left + first) * C
        add_listed(
            dx, to, SW * C, count, (last - first) * C, values, places, starts, r * W_out + c, taps, first * C
        )  # fmt: skip
        c += count


@kernel(
    work=lambda dw, x, dout, values, places, starts, geometry, offset=0: (
        LISTED * MULTIPLY_ADD * products(x.shape[0], geometry)
    ),
    cut=("dw",),
)
def conv2d_sparse_backward_w(dw, x, dout, values, places, starts, geometry, offset=0):
    """dw[kh, kw, c_in] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c], in ascending (b, r, c)

    The sum is over the numbers that `list_pixels` lists, if it lists all samples; else over all numbers of dout.

    dw   : (≤ KH·KW·C_in, ≥ C_out), the taps from number `offset` on    x : (B, ≥ H·W·C_in)
    dout : (B, ≥ H_out·W_out·C_out)                                     geometry : (12,)
    """
    unlisted = np.int64(0)
    for b in range(x.shape[0]):
        unlisted += starts[b, 0] < 0
    size = taps_at_once(dw) if unlisted else FEWEST_TAPS
    for block in prange((dw.shape[0] + size - 1) // size):
        start = np.int64(block) * size
        own = dw[start : start + size]
        if unlisted:
            sum_taps(own, x, dout, geometry, offset + start)
        else:
            _sum_listed(own, x, values, places, starts, geometry, offset + start)


@inline
def _sum_listed(own, x, values, places, starts, geometry, low):
    """A block of dw, the taps from number `low` on: those of one line, and as many channels as fit, at a time

    Their sums stand in a panel, a channel's taps side by side as x's pixels do.
    """
    _, W, C, _, KW, _, _, _, _, _, _, n = sizes(geometry)
    panel = scratch_panel(own[0, 0]).reshape(-1)
    high = low + own.shape[0]
    for kh in range(low // (KW * C), (high + KW * C - 1) // (KW * C)):
        first, last = max(low, kh * KW * C), min(high, (kh + 1) * KW * C)
        width, at = last - first, kh * W * C + first - kh * KW * C
        most = PANEL // width
        parts = (n + most - 1) // most
        for part in range(parts):
            begin, end = part * n // parts, (part + 1) * n // parts
            for j in range((end - begin) * width):
                panel[j] = 0
            for b in range(x.shape[0]):
                for group in range(begin, starts.shape[1] - 1, n):  # the band's first one
                    add_listed(panel, 0, width, end - begin, width, values[b], places[b], starts[b], group, x[b], at)
            for i in range(width):
                for k in range(begin, end):
                    own[first - low + i, k] = panel[(k - begin) * width + i]
