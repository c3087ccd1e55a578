"""Average pooling: the mean of each window, and of all positions of a sample. `_products.window` explains `geometry`.

A mean is the sum times 1 / count, where padding is not counted. Sums run in ascending order of the positions, for each
channel by itself: the inner loops run along channels.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.lanes import LANES, spread
from fastnn_kernels._lanes.memory import load, load_first, store, store_first
from fastnn_kernels._products.window import has_room, outputs_seeing_all, sizes, taps_inside, windows_beside
from fastnn_kernels._tuning import ELEMENT

__all__ = ["average_pool2d_backward", "average_pool2d_forward", "mean_backward", "mean_forward"]


@inline
def _add_positions(own, x, at, count):
    """own += the `count` positions of x from number `at` on, as wide as own, one after the other

    Four at a time: each load and store of own is then shared by four additions.
    """
    C = own.shape[0]
    fours = count - count % 4
    for p in range(0, fours, 4):
        start = at + p * C
        a, b = x[start : start + C], x[start + C : start + 2 * C]
        c, d = x[start + 2 * C : start + 3 * C], x[start + 3 * C : start + 4 * C]
        for j in range(C):
            own[j] = own[j] + a[j] + b[j] + c[j] + d[j]
    for p in range(fours, count):
        row = x[at + p * C : at + (p + 1) * C]
        for j in range(C):
            own[j] += row[j]


@inline
def _sum_of_four(x, b, at, row, C):
    """In each lane the sum of two by two taps; rows of the image are `row` numbers apart."""
    upper = load(x, b, at) + load(x, b, at + C)
    return upper + load(x, b, at + row) + load(x, b, at + row + C)


@inline
def _sum(x, b, at, count, rows, row, taps, C):
    """The same of rows × taps taps, in the first `count` lanes."""
    zero = x.dtype.type(0)
    total = spread(zero)
    for kh in range(rows):
        for tap in range(at + kh * row, at + kh * row + taps * C, C):
            total = total + load_first(x, b, tap, count, zero)
    return total


@inline
def _windows(out, x, b, to, at, n, step, windows, rows, row, taps, C):
    """Windows beside each other, of n numbers each: out[b, to : to + n] is the first one's.

    Its taps begin at x[b, at], those of the next window `step` numbers on. Whole lanes are stored: those that are not
    the window's belong to later ones, which are written after it.
    """
    share = spread(x.dtype.type(1) / x.dtype.type(rows * taps))
    if rows == 2 and taps == 2:
        for w in range(windows):
            for j in range(0, n, LANES):
                store(_sum_of_four(x, b, at + w * step + j, row, C) * share, out, b, to + w * n + j)
        return
    for w in range(windows):
        for j in range(0, n, LANES):
            total = _sum(x, b, at + w * step + j, LANES, rows, row, taps, C)
            store(total * share, out, b, to + w * n + j)


@inline
def _last_windows(out, x, b, to, at, n, step, windows, rows, row, taps, C):
    """As `_windows`, where there is no room behind the windows: only their own numbers are read and written."""
    share = spread(x.dtype.type(1) / x.dtype.type(rows * taps))
    for w in range(windows):
        for j in range(0, n, LANES):
            count = min(LANES, n - j)
            total = _sum(x, b, at + w * step + j, count, rows, row, taps, C)
            store_first(total * share, out, b, to + w * n + j, count)


@kernel(
    work=lambda out, x, geometry: 4 * ELEMENT * out.size * int(geometry[3] * geometry[4]),
    per_sample=True,
    cut=("out", "x"),
)
def average_pool2d_forward(out, x, geometry):
    """out[b, r, c, k] = mean of x[b, r·SH − top + kh, c·SW − left + kw, k] over the taps inside the image

    out : (B, ≥ H_out·W_out·C)
    x   : (B, ≥ H·W·C), C = C_in = C_out; every window must hold at least one pixel
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = sizes(geometry)
    end, row = H_out * W_out * C, W * C
    inner, outer = outputs_seeing_all(KW, SW, left, W, W_out)
    for b in prange(out.shape[0]):
        for r in range(H_out):
            first_row, last_row = taps_inside(r * SH - top, KH, H)
            rows, c = last_row - first_row, 0
            while c < W_out:
                first, last = taps_inside(c * SW - left, KW, W)
                windows, joined = windows_beside(c, inner, outer, SW)
                at, to = ((r * SH - top + first_row) * W + c * SW - left + first) * C, (r * W_out + c) * C
                n, taps, step = joined * C, last - first, SW * C
                if has_room(x, to + windows * n, end, at + windows * step + rows * row + taps * C):
                    _windows(out, x, b, to, at, n, step, windows, rows, row, taps, C)
                else:
                    _last_windows(out, x, b, to, at, n, step, windows, rows, row, taps, C)
                c += windows * joined


@kernel(
    work=lambda dx, dout, geometry: ELEMENT * (dx.size + 4 * dout.size * int(geometry[3] * geometry[4])),
    per_sample=True,
    cut=("dx", "dout"),
)
def average_pool2d_backward(dx, dout, geometry):
    """dx[b, h, w, k] = Σ dout[b, r, c, k] / (taps inside) over the windows that see the pixel, in ascending (r, c)

    dx : (B, ≥ H·W·C)    dout : (B, ≥ H_out·W_out·C)
    """
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, _ = sizes(geometry)
    for b in prange(dx.shape[0]):
        for j in range(H * W * C):
            dx[b, j] = 0
        for r in range(H_out):
            first_row, last_row = taps_inside(r * SH - top, KH, H)
            for c in range(W_out):
                first, last = taps_inside(c * SW - left, KW, W)
                share = type(dout[0, 0])(1) / type(dout[0, 0])((last_row - first_row) * (last - first))
                pixel = (r * W_out + c) * C
                row = dout[b, pixel : pixel + C]
                for kh in range(first_row, last_row):
                    at = ((r * SH - top + kh) * W + c * SW - left + first) * C
                    for kw in range(last - first):
                        own = dx[b, at + kw * C : at + (kw + 1) * C]
                        for j in range(C):
                            own[j] += share * row[j]


@kernel(work=lambda out, x, P, C: ELEMENT * x.shape[0] * P * C, per_sample=True, cut=("out", "x"))
def mean_forward(out, x, P, C):
    """out[b, :C] = Σ_p x[b, p·C : (p+1)·C] / P, in ascending p, P ≥ 1

    out : (B, ≥ C)    x : (B, ≥ P·C)
    """
    for b in prange(out.shape[0]):
        own = out[b, :C]
        for j in range(C):
            own[j] = 0
        _add_positions(own, x[b], 0, P)
        share = type(x[0, 0])(1) / type(x[0, 0])(P)
        for j in range(C):
            own[j] *= share


@kernel(work=lambda dx, dout, P, C: ELEMENT * dx.shape[0] * P * C, per_sample=True, cut=("dx", "dout"))
def mean_backward(dx, dout, P, C):
    """dx[b, p·C : (p+1)·C] = dout[b, :C] / P for every p < P

    dx : (B, ≥ P·C)    dout : (B, ≥ C)
    """
    for b in prange(dx.shape[0]):
        share = type(dout[0, 0])(1) / type(dout[0, 0])(P)
        row = dout[b, :C]
        for p in range(P):
            own = dx[b, p * C : (p + 1) * C]
            for j in range(C):
                own[j] = share * row[j]
