"""Max pooling: the largest number in each window, and its index. `_products.window` explains `geometry`."""

import numpy as np
from numba import prange

from fastnn_kernels._jit import always_inline, inline, kernel
from fastnn_kernels._products.window import sizes, taps_inside
from fastnn_kernels._tuning import ELEMENT

__all__ = ["max_pool2d_backward", "max_pool2d_forward"]


@inline
def _is_better(v, best):
    """Whether v is larger than best, or is the first NaN."""
    return (v > best) | ((v != v) & (best == best))


@always_inline
def _largest_of_four(own, arg, above, below, at, under):
    """The largest of two by two pixels, and its index: `above` holds two pixels, `below` those under them"""
    C = own.shape[0]
    right = np.int32(C)
    for j in range(C):
        best, position = above[j], np.int32(at + j)
        v, better = above[C + j], _is_better(above[C + j], best)
        best, position = (v if better else best), (np.int32(at + j) + right if better else position)
        v, better = below[j], _is_better(below[j], best)
        best, position = (v if better else best), (np.int32(under + j) if better else position)
        v, better = below[C + j], _is_better(below[C + j], best)
        own[j], arg[j] = (v if better else best), (np.int32(under + j) + right if better else position)


@inline
def _keep_larger(own, arg, values, at):
    """Where values[j] is larger than own[j], or is the first NaN: own[j] = values[j] and arg[j] = at + j"""
    for j in range(own.shape[0]):
        v, best = values[j], own[j]
        larger = _is_better(v, best)
        own[j] = v if larger else best
        arg[j] = np.int32(at + j) if larger else arg[j]


@kernel(
    work=lambda out, argmax, x, geometry: 8 * ELEMENT * out.size * int(geometry[3] * geometry[4]),
    outputs=2,
    per_sample=True,
    cut=("out", "argmax", "x"),
)
def max_pool2d_forward(out, argmax, x, geometry):
    """out[b, r, c, k] = max x[b, r·SH − top + kh, c·SW − left + kw, k] over the window;  argmax: its index in x[b]

    out    : (B, ≥ H_out·W_out·C)    NaN where the window holds NaN
    argmax : (B, ≥ H_out·W_out·C)    int32; the first of equals
    x      : (B, ≥ H·W·C)            C = C_in = C_out; every window must hold at least one pixel
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = sizes(geometry)
    for b in prange(out.shape[0]):
        for r in range(H_out):
            first_row, last_row = taps_inside(r * SH - top, KH, H)
            for c in range(W_out):
                first, last = taps_inside(c * SW - left, KW, W)
                pixel = (r * W_out + c) * C
                own, arg = out[b, pixel : pixel + C], argmax[b, pixel : pixel + C]
                at = ((r * SH - top + first_row) * W + c * SW - left + first) * C
                if last_row - first_row == 2 and last - first == 2:
                    under = at + W * C
                    _largest_of_four(own, arg, x[b, at : at + 2 * C], x[b, under : under + 2 * C], at, under)
                    continue
                for j in range(C):
                    own[j], arg[j] = x[b, at + j], np.int32(at + j)
                for kh in range(first_row, last_row):
                    for kw in range(first, last):
                        at = ((r * SH - top + kh) * W + c * SW - left + kw) * C
                        _keep_larger(own, arg, x[b, at : at + C], at)


@kernel(
    work=lambda dx, dout, argmax, n: ELEMENT * (dx.size + 12 * dout.size), per_sample=True, cut=("dx", "dout", "argmax")
)
def max_pool2d_backward(dx, dout, argmax, n):
    """dx[b, argmax[b, j]] += dout[b, j] for the first n columns j, in ascending order, onto dx = 0

    dx : (B, ≥ H·W·C)    dout, argmax : (B, ≥ n), n = H_out·W_out·C
    """
    # Windows that overlap add to the same elements of dx: one thread owns a sample.
    for b in prange(dx.shape[0]):
        for j in range(dx.shape[1]):
            dx[b, j] = 0
        for j in range(n):
            dx[b, argmax[b, j]] += dout[b, j]
