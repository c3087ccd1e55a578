"""Convolution of images (cross-correlation, as everywhere in neural nets): forward, and both gradients.

`_window` explains `geometry`. Every output is one chain of multiply-adds in a fixed order. Pixels that see all taps of
a line are computed together, a tile of them at a time. Pixels at a border, which see fewer taps, are computed one by
one. So the layer first puts the padding into the image (`pad_images`), and no pixel is at a border. Without that, a
padding of 2 makes 4 of 14 columns borders, and halves the speed.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._product import add_products
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD
from fastnn_kernels._window import outputs_seeing, outputs_seeing_all, padded_sizes, products, sizes, taps_inside

__all__ = ["conv2d_backward_w", "conv2d_backward_x", "conv2d_forward", "flip_filters", "pad_images"]

BLOCK = 48  # rows of dw that one thread computes at a time: they and a line of dout stay in the first cache


@kernel(work=lambda out, x, geometry: ELEMENT * out.size, per_sample=True, cut=("out", "x"))
def pad_images(out, x, geometry):
    """out = x with the padding of a window around each image: zeros, so that all taps fall inside

    out : (B, ≥ H'·W'·C_in), H' = (H_out − 1)·SH + KH, W' = (W_out − 1)·SW + KW
    x   : (B, ≥ H·W·C_in)    geometry : (12,)

    Rows and columns of x that no window reaches are left out.
    """
    H, W, C, _, _, _, _, top, left, _, _, _ = sizes(geometry)
    tall, wide = padded_sizes(geometry)
    first, last = min(left, wide), min(left + W, wide)
    for b in prange(out.shape[0]):
        for h in range(tall):
            own = out[b, h * wide * C : (h + 1) * wide * C]
            inside = 0 <= h - top < H
            row = x[b, (h - top) * W * C : (h - top + 1) * W * C] if inside else x[b, :0]
            for j in range(own.shape[0]):
                own[j] = 0
            if inside:
                middle = own[first * C : last * C]
                for j in range(middle.shape[0]):
                    middle[j] = row[j]


@kernel(
    work=lambda out, x, w, geometry: MULTIPLY_ADD * products(out.shape[0], geometry), per_sample=True, cut=("out", "x")
)
def conv2d_forward(out, x, w, geometry):
    """out[b, r, c] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · w[kh, kw, c_in], in ascending (kh, kw, c_in)

    out : (B, ≥ H_out·W_out·C_out)    x : (B, ≥ H·W·C_in)
    w   : (KH·KW·C_in, ≥ C_out)       geometry : (12,)
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = sizes(geometry)
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    for b in prange(out.shape[0]):
        for j in range(H_out * W_out * n):
            out[b, j] = 0
        for r in range(H_out):
            first_row, last_row = taps_inside(r * SH - top, KH, H)
            # One line of taps for all outputs of a line, then the next line of taps: its weights stay in the cache.
            for kh in range(first_row, last_row):
                line = (r * SH - top + kh) * W
                taps = w[kh * KW * C : (kh + 1) * KW * C, :n]
                at = (line + inner * SW - left) * C
                add_products(out[b], (r * W_out + inner) * n, n, x[b], at, SW * C, 1, taps, outer - inner, False)
                for c in range(W_out):
                    if c < inner or c >= outer:
                        first, last = taps_inside(c * SW - left, KW, W)
                        at, some = (line + c * SW - left + first) * C, taps[first * C : last * C]
                        add_products(out[b], (r * W_out + c) * n, n, x[b], at, 0, 1, some, 1, False)


@inline
def _add_product(out, a, w, column):
    """out += Σ a[p] · w[p, column : column + size of out], in ascending p"""
    add_products(out, 0, 0, a, 0, 0, 1, w[: a.shape[0], column : column + out.shape[0]], 1, False)


@kernel(
    work=lambda dx, dout, wt, geometry: MULTIPLY_ADD * products(dx.shape[0], geometry),
    per_sample=True,
    cut=("dx", "dout"),
)
def conv2d_backward_x(dx, dout, wt, geometry):
    """dx[b, h, w] = Σ dout[b, r, c, c_out] · w[h − r·SH + top, w − c·SW + left, :, c_out], in ascending (r, c, c_out)

    dx : (B, ≥ H·W·C_in)                  dout     : (B, ≥ H_out·W_out·C_out)
    wt : (C_out, ≥ KH·KW·C_in), from `transpose`    geometry : (12,)

    Each output adds its products to the pixels of dx that it saw; one thread owns a sample. The transposed weights lie
    in the order of these pixels, so the inner loop runs over a whole line of the window.
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = sizes(geometry)
    for b in prange(dx.shape[0]):
        for j in range(H * W * C):
            dx[b, j] = 0
        for r in range(H_out):
            first_row, last_row = taps_inside(r * SH - top, KH, H)
            for kh in range(first_row, last_row):
                line = (r * SH - top + kh) * W
                for c in range(W_out):
                    first, last = taps_inside(c * SW - left, KW, W)
                    origin = line + c * SW - left
                    own = dx[b, (origin + first) * C : (origin + last) * C]
                    d = dout[b, (r * W_out + c) * n : (r * W_out + c + 1) * n]
                    _add_product(own, d, wt, (kh * KW + first) * C)


@kernel(work=lambda out, w, geometry: 4 * ELEMENT * w.size)
def flip_filters(out, w, geometry):
    """out[kh', kw', c_out, c_in] = w[kh, kw, c_in, c_out], kh' = KH − 1 − kh, kw' = KW − 1 − kw

    out : (KH·KW·C_out, ≥ C_in), columns from C_in on stay    w : (KH·KW·C_in, ≥ C_out)    geometry : (12,)

    With stride 1 the gradient of the input is the convolution of dout, padded, with these filters.
    """
    _, _, C, KH, KW, _, _, _, _, _, _, n = sizes(geometry)
    for tap in prange(KH * KW):
        own, taps = out[(KH * KW - 1 - tap) * n : (KH * KW - tap) * n], w[tap * C : (tap + 1) * C]
        for i in range(n):
            for j in range(C):
                own[i, j] = taps[j, i]


@inline
def _add_line_of_taps(dw, x, dout, geometry, offset, r, kh):
    """Add the products of output line r and tap line kh to dw, which holds the taps from number `offset` on"""
    _, W, C, _, KW, SH, SW, top, left, _, W_out, _ = sizes(geometry)
    flat, columns = dw.reshape(-1), dw.shape[1]
    line = (r * SH - top + kh) * W
    origin, end = kh * KW * C, offset + dw.shape[0]
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    if outer - inner == W_out:  # no borders: all taps of the line at once, which lie side by side
        first, last = max(offset, origin), min(end, origin + KW * C)
        at = (line - left) * C + first - origin
        own = dout[r * W_out : (r + 1) * W_out]
        add_products(flat, (first - offset) * columns, columns, x, at, 1, SW * C, own, last - first, False)
        return
    for kw in range(KW):
        origin = (kh * KW + kw) * C
        first, last = max(offset, origin), min(end, origin + C)
        if first < last:
            c, c_end = outputs_seeing(kw, SW, left, W, W_out)
            at = (line + c * SW - left + kw) * C + first - origin
            own = dout[r * W_out + c : r * W_out + c_end]
            add_products(flat, (first - offset) * columns, columns, x, at, 1, SW * C, own, last - first, False)


@kernel(work=lambda dw, x, dout, geometry, offset=0: MULTIPLY_ADD * products(x.shape[0], geometry), cut=("dw",))
def conv2d_backward_w(dw, x, dout, geometry, offset=0):
    """dw[kh, kw, c_in] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c], in ascending (b, r, c)

    dw holds the taps (kh, kw, c_in), numbered in that order, from number `offset` on.

    dw   : (≤ KH·KW·C_in, ≥ C_out)         x        : (B, ≥ H·W·C_in)
    dout : (B, ≥ H_out·W_out·C_out)        geometry : (12,)
    """
    H, _, C, KH, KW, SH, _, top, _, H_out, W_out, n = sizes(geometry)
    for block in prange((dw.shape[0] + BLOCK - 1) // BLOCK):
        start = np.int64(block) * BLOCK
        own = dw[start : start + BLOCK]
        low, high = offset + start, offset + start + own.shape[0]
        for i in range(own.shape[0]):
            for j in range(n):
                own[i, j] = 0
        for b in range(x.shape[0]):
            image = dout[b, : H_out * W_out * n].reshape(H_out * W_out, n)
            for r in range(H_out):
                for kh in range(low // (KW * C), min(KH, (high + KW * C - 1) // (KW * C))):
                    if 0 <= r * SH - top + kh < H:
                        _add_line_of_taps(own, x[b], image, geometry, low, r, kh)
