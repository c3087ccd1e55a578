"""Convolutions with few output channels: forward, and the gradient of the weight, with the bits of `conv`.

The tiles of `conv` hold channels in their lanes, and six channels leave ten of sixteen lanes empty. Here lanes hold
pixels (`_products.pixel_lanes`) or taps (`_products.tap_lanes`); shapes that do not suit these run as in `conv`.

They are kernels of their own, because they have tiles for each number of channels: these take a second to compile,
which other convolutions need not wait for.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._products.pixel_lanes import convolve_few, suits_pixel_lanes
from fastnn_kernels._products.tap_lanes import suits_tap_lanes, sum_few
from fastnn_kernels._products.window import products, sizes
from fastnn_kernels._tuning import MULTIPLY_ADD
from fastnn_kernels.conv import convolve_sample, sum_taps, taps_at_once

__all__ = ["conv2d_few_backward_w", "conv2d_few_forward"]


@kernel(
    work=lambda out, x, w, geometry: MULTIPLY_ADD * products(out.shape[0], geometry), per_sample=True, cut=("out", "x")
)
def conv2d_few_forward(out, x, w, geometry):
    """out[b, r, c] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · w[kh, kw, c_in], in ascending (kh, kw, c_in)

    out : (B, ≥ H_out·W_out·C_out)    x : (B, ≥ H·W·C_in)
    w   : (KH·KW·C_in, ≥ C_out)       geometry : (12,)
    """
    for b in prange(out.shape[0]):
        _, _, _, _, _, _, _, _, _, H_out, W_out, n = sizes(geometry)
        own = out[b, : H_out * W_out * n]
        if suits_pixel_lanes(own, geometry):
            convolve_few(own, x[b], w, geometry)
        else:
            convolve_sample(own, x[b], w, geometry)


@kernel(work=lambda dw, x, dout, geometry, offset=0: MULTIPLY_ADD * products(x.shape[0], geometry), cut=("dw",))
def conv2d_few_backward_w(dw, x, dout, geometry, offset=0):
    """dw[kh, kw, c_in] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c], in ascending (b, r, c)

    dw holds the taps (kh, kw, c_in), numbered in that order, from number `offset` on.

    dw   : (≤ KH·KW·C_in, ≥ C_out)         x        : (B, ≥ H·W·C_in)
    dout : (B, ≥ H_out·W_out·C_out)        geometry : (12,)
    """
    size = taps_at_once(dw)
    for block in prange((dw.shape[0] + size - 1) // size):
        start = np.int64(block) * size
        own, low = dw[start : start + size], offset + start
        if suits_tap_lanes(own, geometry, low):
            sum_few(own, x, dout, geometry, low)
        else:
            sum_taps(own, x, dout, geometry, low)
