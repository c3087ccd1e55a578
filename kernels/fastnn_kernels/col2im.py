"""The gradient of a convolution's input where the input has few channels: products, then col2im.

The dense kernels of `conv` compute the C_in channels of one pixel at a time. If they are fewer than a cache line holds,
many lanes of a vector register are empty. Here a row of a product is the window of one output: all that it adds to one
line of pixels, KW · C_in numbers side by side. Windows overlap, so col2im adds them up, pixel by pixel.

Usually im2col and col2im copy all KH · KW taps of a window. Here the sum over the lines of a window is a part of the
product, and only the windows of one line of pixels exist at a time, in a panel that the first cache holds.

A convolution like LeNet-5's second one (6 → 16 channels, 5 × 5, 128 images of 14 × 14, float32, one thread, Zen 5): the
gradient takes 0.47 ms instead of 2.19 with AVX-512, 0.70 instead of 3.18 with AVX2 code.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.lanes import LANES, spread
from fastnn_kernels._lanes.memory import load, store, store_first
from fastnn_kernels._memory.scratch import PANEL, scratch_panel
from fastnn_kernels._products.window import products, sizes
from fastnn_kernels._products.window_product import add_pixels
from fastnn_kernels._tuning import KC, MULTIPLY_ADD

__all__ = ["conv2d_col2im_backward_x"]


@kernel(
    work=lambda dx, dout, lines, geometry: MULTIPLY_ADD * products(dx.shape[0], geometry),
    per_sample=True,
    cut=("dx", "dout"),
)
def conv2d_col2im_backward_x(dx, dout, lines, geometry):
    """dx[b, h, w] = Σ_kw Σ_kh dout[b, r, c] · w[kh, kw], where r·SH − top + kh = h and c·SW − left + kw = w

    The sum over (kh, c_out), in that order, is one chain of multiply-adds that begins at 0. Those of the taps kw are
    then added up, in ascending order.

    dx    : (B, ≥ H·W·C_in)                             dout     : (B, ≥ H_out·W_out·C_out)
    lines : (KH·C_out, ≥ KW·C_in), from `filter_lines`  geometry : (12,)

    KW rows of `lines` must fit into the panel: KW · lines.shape[1] ≤ PANEL / 4.
    """
    for b in prange(dx.shape[0]):
        _gradient_of_sample(dx, b, dout[b], lines, geometry)


@inline
def _gradient_of_sample(dx, b, dout, lines, geometry):
    """`conv2d_col2im_backward_x` of one sample: lines of pixels, as many at a time as the panel has windows for

    The panel also has rows for windows beyond the line of outputs. They are 0, so all pixels have the same taps.
    """
    H, W, _, _, KW, _, SW, _, left, _, W_out, _ = sizes(geometry)
    panel, width = scratch_panel(dx[0, 0]), lines.shape[1]
    pixels = min(W, ((PANEL - LANES) // width - 1) * SW - KW + 1)
    for h in range(H):
        for w in range(0, W, pixels):
            w_end = min(W, w + pixels)
            origin, end = (w + left - KW + SW) // SW, (w_end - 1 + left) // SW + 1  # of windows that see these pixels
            c = min(W_out, max(0, origin))
            c_end = max(c, min(W_out, end))
            if h == 0 or pixels < W:
                _clear(panel.reshape(-1), 0, (c - origin) * width)
                _clear(panel.reshape(-1), (c_end - origin) * width, (end - origin) * width + LANES)
            _multiply(panel.reshape(-1), (c - origin) * width, dout, lines, geometry, h, c, c_end)
            _add_windows(dx, b, panel, width, geometry, h, w, w_end, origin)


@inline
def _clear(panel, begin, end):
    for j in range(begin, end):
        panel[j] = 0


@inline
def _multiply(panel, to, dout, lines, geometry, h, c, c_end):
    """The windows of outputs from c to c_end on pixel line h, one after the other in the panel from number `to` on"""
    _, _, _, KH, _, SH, _, top, _, H_out, W_out, n = sizes(geometry)
    width = lines.shape[1]
    first, last = max(0, (h + top - KH + SH) // SH), min(H_out, (h + top) // SH + 1)
    if first >= last:
        _clear(panel, to, to + (c_end - c) * width)
    at_once = max(1, KC // n) if SH == 1 else 1  # so many lines of taps stay in the first cache
    for r in range(last - 1, first - 1, -at_once):
        count, kh = min(at_once, r + 1 - first), h + top - r * SH
        taps, at = lines[kh * n : (kh + count) * n], (r * W_out + c) * n
        add_pixels(panel, to, width, c_end - c, dout, at, n, -W_out * n, count, taps, r == last - 1)


@inline
def _add_windows(dx, b, panel, width, geometry, h, w, w_end, origin):
    """col2im: pixels from w to w_end of line h, by windows of which number `origin` is the first one in the panel

    Sixteen numbers at a time. Of those behind a pixel's channels the next pixel writes its own.
    """
    H, W, C, _, KW, _, SW, _, left, _, _, _ = sizes(geometry)
    size, zero, step = H * W * C, type(panel[0, 0])(0), SW * C - width
    last, phase = (w + left) // SW - origin, (w + left) % SW
    for i in range(w, w_end):
        to = (h * W + i) * C
        for j in range(0, C, LANES):
            lanes, kw, at = spread(zero), phase, last * width + phase * C + j
            while kw < KW:  # of a `range` LLVM made parts of sixteen taps, whose addresses took longer than the sums
                lanes = lanes + load(panel, 0, at)
                kw, at = kw + SW, at + step
            if to + j + LANES <= size:
                store(lanes, dx, b, to + j)
            else:
                store_first(lanes, dx, b, to + j, size - to - j)
        phase += 1
        if phase == SW:
            last, phase = last + 1, 0
