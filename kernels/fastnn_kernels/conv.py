"""Convolution of images (cross-correlation, as everywhere in neural nets): forward, and both gradients.

`_products.window` explains `geometry`. Every output is one chain of multiply-adds in a fixed order. Pixels that see all
taps of a line are computed together, a tile of them at a time. Pixels at a border, which see fewer taps, are computed
one by one. So the layer first puts the padding into the image (`pad_images`), and no pixel is at a border. Without
that, a padding of 2 makes 4 of 14 columns borders, and halves the speed.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._products.window import (
    inputs_of_phase,
    outputs_seeing,
    outputs_seeing_all,
    padded_sizes,
    products,
    sizes,
    taps_inside,
    taps_of_phase,
    taps_of_phases_before,
)
from fastnn_kernels._products.window_product import add_pixels, add_taps
from fastnn_kernels._tuning import ELEMENT, FEWEST_TAPS, KC, MULTIPLY_ADD, TAPS_BYTES

__all__ = ["conv2d_backward_w", "conv2d_backward_x", "conv2d_forward", "flip_filters", "pad_images"]


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
    for b in prange(out.shape[0]):
        convolve_sample(out[b], x[b], w, geometry)


@inline
def convolve_sample(out, x, w, geometry):
    """`conv2d_forward` of one sample"""
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = sizes(geometry)
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    at_once = max(1, KC // (KW * C))  # so many lines of taps stay in the first cache with their weights
    whole = outer - inner == W_out
    for r in range(H_out):
        first_row, last_row = taps_inside(r * SH - top, KH, H)
        if not whole or first_row == last_row:
            for j in range(r * W_out * n, (r + 1) * W_out * n):
                out[j] = 0
        for kh in range(first_row, last_row, at_once):
            lines = min(at_once, last_row - kh)
            taps = w[kh * KW * C : (kh + lines) * KW * C, :n]
            line = (r * SH - top + kh) * W
            to, at = (r * W_out + inner) * n, (line + inner * SW - left) * C
            fresh = whole and kh == first_row
            add_pixels(out, to, n, outer - inner, x, at, SW * C, W * C, lines, taps, fresh)
            for k in range(0 if whole else lines):
                _add_borders(out[r * W_out * n : (r + 1) * W_out * n], x, taps, geometry, line, k)


@inline
def _add_borders(out, x, taps, geometry, line, k):
    """Add the products of one line of taps, `taps[k]`, to those outputs of a line that do not see all of it."""
    _, W, C, _, KW, _, SW, _, left, _, W_out, n = sizes(geometry)
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    for c in range(W_out):
        if c < inner or c >= outer:
            first, last = taps_inside(c * SW - left, KW, W)
            at = (line + k * W + c * SW - left + first) * C
            some = taps[(k * KW + first) * C : (k * KW + last) * C]
            add_pixels(out, c * n, 0, 1, x, at, 0, 0, 1, some, False)


@kernel(
    work=lambda dx, dout, filters, geometry: MULTIPLY_ADD * products(dx.shape[0], geometry),
    per_sample=True,
    cut=("dx", "dout"),
)
def conv2d_backward_x(dx, dout, filters, geometry):
    """dx[b, h, w] = Σ dout[b, r, c, c_out] · w[h − r·SH + top, w − c·SW + left, :, c_out], in ascending (r, c, c_out)

    dx      : (B, ≥ H·W·C_in)                       dout     : (B, ≥ H_out·W_out·C_out)
    filters : (KH·KW·C_out, ≥ C_in), from `flip_filters`    geometry : (12,)

    Pixels of one phase, that is with the same (h + top) mod SH and (w + left) mod SW, see the same taps, every SH-th
    and SW-th one. For them this is a convolution of dout with stride 1, by the filters of the phase.
    """
    H, W, C, KH, _, SH, SW, top, _, H_out, _, _ = sizes(geometry)
    for b in prange(dx.shape[0]):
        for j in range(H * W * C):
            dx[b, j] = 0
        for h in range(H):
            phase = (h + top) % SH
            last = (h + top) // SH  # the line of outputs that sees this line of pixels by its first tap
            first = last - taps_of_phase(phase, KH, SH) + 1
            low, high = max(0, first), min(H_out, last + 1)
            if low < high:
                for column_phase in range(SW):
                    _add_phase(dx[b], dout[b], filters, geometry, h, phase, column_phase, low - first, low, high)


@inline
def _add_phase(dx, dout, filters, geometry, h, phase, column_phase, skipped, low, high):
    """Add to the pixels of a phase in line h the products of output lines low ≤ r < high

    skipped : the number of tap lines of this phase that would see lines before the first one
    """
    _, W, C, KH, KW, SH, SW, _, left, _, W_out, n = sizes(geometry)
    taps = taps_of_phase(column_phase, KW, SW)
    before = taps_of_phases_before(phase, KH, SH) * KW
    before += taps_of_phase(phase, KH, SH) * taps_of_phases_before(column_phase, KW, SW)
    own = filters[(before + skipped * taps) * n : (before + (skipped + high - low) * taps) * n, :C]
    start, count = inputs_of_phase(column_phase, SW, left, W)
    origin = (start + left) // SW - taps + 1  # the first output that sees the first pixel
    inner = min(count, max(0, -origin))
    outer = max(inner, min(count, W_out - taps - origin + 1))
    if taps > 0:
        to, at = (h * W + start + inner * SW) * C, (low * W_out + origin + inner) * n
        add_pixels(dx, to, SW * C, outer - inner, dout, at, n, W_out * n, high - low, own, False)
        for i in range(count):
            if i < inner or i >= outer:
                first, last = taps_inside(origin + i, taps, W_out)
                for r in range(low, high):
                    some = own[((r - low) * taps + first) * n : ((r - low) * taps + last) * n]
                    at = (r * W_out + origin + i + first) * n
                    add_pixels(dx, (h * W + start + i * SW) * C, 0, 1, dout, at, 0, 0, 1, some, False)


@kernel(work=lambda out, w, geometry: 4 * ELEMENT * w.size)
def flip_filters(out, w, geometry):
    """out[place of (kh, kw), c_out, c_in] = w[kh, kw, c_in, c_out]; with stride 1 the last tap comes first

    out : (KH·KW·C_out, ≥ C_in), columns from C_in on stay    w : (KH·KW·C_in, ≥ C_out)    geometry : (12,)

    Taps stand in the order of their phases (kh mod SH, kw mod SW), within a phase in descending (kh, kw): so pixels of
    the input's gradient read them in ascending order of the outputs. With stride 1 there is one phase, and the gradient
    of the input is the convolution of dout, padded, with these filters.
    """
    _, _, C, KH, KW, SH, SW, _, _, _, _, n = sizes(geometry)
    for tap in prange(KH * KW):
        kh, kw = tap // KW, tap % KW
        tall, wide = taps_of_phase(kh % SH, KH, SH), taps_of_phase(kw % SW, KW, SW)
        place = taps_of_phases_before(kh % SH, KH, SH) * KW + tall * taps_of_phases_before(kw % SW, KW, SW)
        place += (tall - 1 - kh // SH) * wide + wide - 1 - kw // SW
        own, taps = out[place * n : (place + 1) * n], w[tap * C : (tap + 1) * C]
        for i in range(n):
            for j in range(C):
                own[i, j] = taps[j, i]


@inline
def _add_line_of_taps(dw, x, dout, geometry, offset, r, lines, kh):
    """Add the products of `lines` output lines from r on and tap line kh to dw, which holds the taps from `offset` on

    dout : (lines · W_out, C_out), these lines alone
    """
    _, W, C, _, KW, SH, SW, top, left, _, W_out, _ = sizes(geometry)
    flat, columns = dw.reshape(-1), dw.shape[1]
    line, jump = (r * SH - top + kh) * W, SH * W * C
    origin, end = kh * KW * C, offset + dw.shape[0]
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    if outer - inner == W_out:  # no borders: all taps of the line at once, which lie side by side
        first, last = max(offset, origin), min(end, origin + KW * C)
        at = (line - left) * C + first - origin
        add_taps(flat, (first - offset) * columns, columns, last - first, x, at, SW * C, jump, lines, dout, False)
        return
    for kw in range(KW):
        origin = (kh * KW + kw) * C
        first, last = max(offset, origin), min(end, origin + C)
        if first < last:
            c, c_end = outputs_seeing(kw, SW, left, W, W_out)
            at = (line + c * SW - left + kw) * C + first - origin
            to = (first - offset) * columns
            for k in range(lines):
                own = dout[k * W_out + c : k * W_out + c_end]
                add_taps(flat, to, columns, last - first, x, at + k * jump, SW * C, 0, 1, own, False)


@kernel(work=lambda dw, x, dout, geometry, offset=0: MULTIPLY_ADD * products(x.shape[0], geometry), cut=("dw",))
def conv2d_backward_w(dw, x, dout, geometry, offset=0):
    """dw[kh, kw, c_in] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c], in ascending (b, r, c)

    dw holds the taps (kh, kw, c_in), numbered in that order, from number `offset` on.

    dw   : (≤ KH·KW·C_in, ≥ C_out)         x        : (B, ≥ H·W·C_in)
    dout : (B, ≥ H_out·W_out·C_out)        geometry : (12,)
    """
    size = taps_at_once(dw)
    for block in prange((dw.shape[0] + size - 1) // size):
        start = np.int64(block) * size
        sum_taps(dw[start : start + size], x, dout, geometry, offset + start)


@inline
def taps_at_once(dw):
    """Rows of dw that one thread computes at a time: each time it reads all images, so the rows are to be many

    They are no more than a second cache holds beside an image, and the number of blocks of many rows is even.
    """
    most = max(FEWEST_TAPS, TAPS_BYTES // max(1, dw.strides[0]))
    if dw.shape[0] <= FEWEST_TAPS:
        return FEWEST_TAPS
    blocks = 2 * ((dw.shape[0] + 2 * most - 1) // (2 * most))
    return (dw.shape[0] + blocks - 1) // blocks


@inline
def sum_taps(own, x, dout, geometry, low):
    """`conv2d_backward_w` of a block, the taps from number `low` on"""
    H, _, C, KH, KW, SH, _, top, _, H_out, W_out, n = sizes(geometry)
    at_once, high = max(1, KC // max(1, W_out)), low + own.shape[0]  # so many lines of dout stay in the first cache
    for i in range(own.shape[0]):
        for j in range(n):
            own[i, j] = 0
    for b in range(x.shape[0]):
        image = dout[b, : H_out * W_out * n].reshape(H_out * W_out, n)
        for r in range(0, H_out, at_once):
            for kh in range(low // (KW * C), min(KH, (high + KW * C - 1) // (KW * C))):
                seen, end = outputs_seeing(kh, SH, top, H, H_out)
                first, last = max(r, seen), min(r + at_once, end)
                if first < last:
                    lines = image[first * W_out : last * W_out]
                    _add_line_of_taps(own, x[b], lines, geometry, low, first, last - first, kh)
