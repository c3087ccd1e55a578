"""Max pooling: the largest number in each window, and its index. `_products.window` explains `geometry`."""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.choice import exceeds, numbers_from, where
from fastnn_kernels._lanes.lanes import LANES
from fastnn_kernels._lanes.memory import load, load_first, store, store_first
from fastnn_kernels._products.window import has_room, outputs_seeing_all, sizes, taps_inside, windows_beside
from fastnn_kernels._tuning import ELEMENT

__all__ = ["max_pool2d_backward", "max_pool2d_forward"]


@inline
def _kept(best, position, v, at):
    """The larger of two numbers in each lane, and its index: v's are at, at + 1, …"""
    larger = exceeds(v, best)
    return where(larger, v, best), where(larger, numbers_from(at), position)


@inline
def _largest_of_four(x, b, at, row, C):
    """In each lane the largest of two by two taps, and its index; rows of the image are `row` numbers apart."""
    best, position = load(x, b, at), numbers_from(at)
    best, position = _kept(best, position, load(x, b, at + C), at + C)
    best, position = _kept(best, position, load(x, b, at + row), at + row)
    return _kept(best, position, load(x, b, at + row + C), at + row + C)


@inline
def _largest(x, b, at, count, rows, row, taps, C):
    """The same of rows × taps taps, in the first `count` lanes."""
    zero = x.dtype.type(0)
    best, position = load_first(x, b, at, count, zero), numbers_from(at)
    for kh in range(rows):
        for tap in range(at + kh * row, at + kh * row + taps * C, C):
            best, position = _kept(best, position, load_first(x, b, tap, count, zero), tap)
    return best, position


@inline
def _windows(out, argmax, x, b, to, at, n, step, windows, rows, row, taps, C):
    """Windows beside each other, of n numbers each: out[b, to : to + n] is the first one's.

    Its taps begin at x[b, at], those of the next window `step` numbers on. Whole lanes are stored: those that are not
    the window's belong to later ones, which are written after it.
    """
    for w in range(windows):
        for j in range(0, n, LANES):
            best, position = _largest(x, b, at + w * step + j, LANES, rows, row, taps, C)
            store(best, out, b, to + w * n + j)
            store(position, argmax, b, to + w * n + j)


@inline
def _windows_of_four(out, argmax, x, b, to, at, n, step, windows, row, C):
    """As `_windows`, of two by two taps"""
    for w in range(windows):
        for j in range(0, n, LANES):
            best, position = _largest_of_four(x, b, at + w * step + j, row, C)
            store(best, out, b, to + w * n + j)
            store(position, argmax, b, to + w * n + j)


@inline
def _last_windows(out, argmax, x, b, to, at, n, step, windows, rows, row, taps, C):
    """As `_windows`, where there is no room behind the windows: only their own numbers are read and written."""
    for w in range(windows):
        for j in range(0, n, LANES):
            count = min(LANES, n - j)
            best, position = _largest(x, b, at + w * step + j, count, rows, row, taps, C)
            store_first(best, out, b, to + w * n + j, count)
            store_first(position, argmax, b, to + w * n + j, count)


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
                room = has_room(x, to + windows * n, end, at + windows * step + rows * row + taps * C)
                if room and rows == 2 and taps == 2:
                    _windows_of_four(out, argmax, x, b, to, at, n, step, windows, row, C)
                elif room:
                    _windows(out, argmax, x, b, to, at, n, step, windows, rows, row, taps, C)
                else:
                    _last_windows(out, argmax, x, b, to, at, n, step, windows, rows, row, taps, C)
                c += windows * joined


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
