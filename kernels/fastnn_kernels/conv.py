"""Convolution of images (cross-correlation, as everywhere in neural nets): forward, and both gradients.

`_window` explains `geometry`. Every number that comes out is one chain of multiply-adds in a fixed
order. Inner loops run along channels, or along a line of the window, which lies in one piece in the
image and, transposed, in the weights. Four steps of a chain are taken for each store of its sum.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import MULTIPLY_ADD
from fastnn_kernels._window import outputs_seeing, products, sizes, taps_inside

BLOCK = 16  # rows of dw that one thread owns at a time: they and a line of dout stay in the first cache


@inline
def _add_product(out, a, w, column):
    """out += Σ a[p] · w[p, column : column + size of out], in ascending p"""
    size = out.shape[0]
    fours = a.shape[0] // 4 * 4
    # One output at a time: four of them, `matmul`'s scheme, leave borders over and slice more than they save
    # (25 against 17 ms, 50 x 14 x 14 x 32 -> 64 channels, 5 x 5, one core; at one channel, 3 against 5).
    for p in range(0, fours, 4):
        w0, w1 = w[p, column : column + size], w[p + 1, column : column + size]
        w2, w3 = w[p + 2, column : column + size], w[p + 3, column : column + size]
        a0, a1, a2, a3 = a[p], a[p + 1], a[p + 2], a[p + 3]
        for j in range(size):
            out[j] = a3 * w3[j] + (a2 * w2[j] + (a1 * w1[j] + (a0 * w0[j] + out[j])))
    for p in range(fours, a.shape[0]):
        row, a0 = w[p, column : column + size], a[p]
        for j in range(size):
            out[j] = a0 * row[j] + out[j]


@kernel(work=lambda out, x, w, geometry: MULTIPLY_ADD * products(out.shape[0], geometry), samplewise=True)
def conv2d_forward(out, x, w, geometry):
    """out[b, r, c] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · w[kh, kw, c_in], in ascending (kh, kw, c_in)

    out : (B, ≥ H_out·W_out·C_out)    x : (B, ≥ H·W·C_in)
    w   : (KH·KW·C_in, ≥ C_out)       geometry : (12,)
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = sizes(geometry)
    for b in prange(out.shape[0]):
        for j in range(H_out * W_out * n):
            out[b, j] = 0
        for r in range(H_out):
            first_row, last_row = taps_inside(r * SH - top, KH, H)
            # A line of taps for all outputs of a line, then the next one: its weights stay in the cache.
            for kh in range(first_row, last_row):
                line = (r * SH - top + kh) * W
                for c in range(W_out):
                    first, last = taps_inside(c * SW - left, KW, W)
                    origin = line + c * SW - left
                    own = out[b, (r * W_out + c) * n : (r * W_out + c + 1) * n]
                    taps = w[(kh * KW + first) * C : (kh * KW + last) * C]
                    _add_product(own, x[b, (origin + first) * C : (origin + last) * C], taps, 0)


@kernel(work=lambda dx, dout, wt, geometry: MULTIPLY_ADD * products(dx.shape[0], geometry), samplewise=True)
def conv2d_backward_x(dx, dout, wt, geometry):
    """dx[b, h, w] = Σ dout[b, r, c, c_out] · w[h − r·SH + top, w − c·SW + left, :, c_out], in ascending (r, c, c_out)

    dx : (B, ≥ H·W·C_in)                  dout     : (B, ≥ H_out·W_out·C_out)
    wt : (C_out, ≥ KH·KW·C_in), what `transpose` makes of w    geometry : (12,)

    Each output adds its share to the piece of dx that it saw; one sample has one owner. Transposed, the
    weights lie as that piece does, and the inner loop runs over a whole line of the window.
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


@inline
def _add_line(dw, x, dout, at, step):
    """dw += Σ_c x[at + c·step] · dout[c·n : (c+1)·n], in ascending c; n is the size of dw"""
    n = dw.shape[0]
    count = dout.shape[0] // n
    fours = count // 4 * 4
    for c in range(0, fours, 4):
        a0, a1 = x[at + c * step], x[at + (c + 1) * step]
        a2, a3 = x[at + (c + 2) * step], x[at + (c + 3) * step]
        d0, d1 = dout[c * n : (c + 1) * n], dout[(c + 1) * n : (c + 2) * n]
        d2, d3 = dout[(c + 2) * n : (c + 3) * n], dout[(c + 3) * n : (c + 4) * n]
        for j in range(n):
            dw[j] = a3 * d3[j] + (a2 * d2[j] + (a1 * d1[j] + (a0 * d0[j] + dw[j])))
    for c in range(fours, count):
        row, a0 = dout[c * n : (c + 1) * n], x[at + c * step]
        for j in range(n):
            dw[j] = a0 * row[j] + dw[j]


@kernel(work=lambda dw, x, dout, geometry, begin=0: MULTIPLY_ADD * products(x.shape[0], geometry))
def conv2d_backward_w(dw, x, dout, geometry, begin=0):
    """dw[kh, kw, c_in] = Σ x[b, r·SH − top + kh, c·SW − left + kw, c_in] · dout[b, r, c], in ascending (b, r, c)

    Of all (kh, kw, c_in), numbered in that order, those from `begin` on, as many as dw has rows.

    dw   : (≤ KH·KW·C_in, ≥ C_out)         x        : (B, ≥ H·W·C_in)
    dout : (B, ≥ H_out·W_out·C_out)        geometry : (12,)
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = sizes(geometry)
    for block in prange((dw.shape[0] + BLOCK - 1) // BLOCK):
        own = dw[block * BLOCK : block * BLOCK + BLOCK, :n]
        for i in range(own.shape[0]):
            for j in range(n):
                own[i, j] = 0
        for b in range(x.shape[0]):
            for r in range(H_out):
                for i in range(own.shape[0]):
                    tap = begin + block * BLOCK + i
                    h, kw = r * SH - top + tap // (KW * C), tap // C % KW
                    if 0 <= h < H:
                        first, last = outputs_seeing(kw, SW, left, W, W_out)
                        at = (h * W + first * SW - left + kw) * C + tap % C
                        line = dout[b, (r * W_out + first) * n : (r * W_out + last) * n]
                        _add_line(own[i], x[b], line, at, SW * C)
