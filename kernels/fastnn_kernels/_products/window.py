"""Windows that slide over images, in convolutions and in pools.

An image is a row of a batch, its values in the order (row, column, channel). The geometry of a layer
is one int64 vector:

    H, W, C_in           the input image
    KH, KW               the window; its elements are called taps
    SH, SW               its stride
    top, left            rows and columns of padding before the image
    H_out, W_out, C_out  the output image

Output (r, c) sees the image from row r·SH − top and column c·SW − left on. Taps outside the image add nothing. So
padding need not be stored, and "same" and "valid" differ in these numbers alone.
"""

from fastnn_kernels._jit import inline
from fastnn_kernels._lanes.lanes import LANES


@inline
def sizes(geometry):
    """The twelve numbers as a tuple: compiled code can unpack a tuple, but not an array."""
    g = geometry
    return g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11]


@inline
def taps_inside(origin, window, extent):
    """(first, last) so that range(first, last) are the taps k of a window with 0 ≤ origin + k < extent"""
    first = max(0, -origin)
    return first, max(first, min(window, extent - origin))


@inline
def outputs_seeing(tap, stride, before, extent, count):
    """(first, last) so that range(first, last) are the outputs c < count with 0 ≤ c·stride − before + tap < extent"""
    first = min(count, max(0, (before - tap + stride - 1) // stride))
    return first, max(first, min(count, (extent - 1 + before - tap) // stride + 1))


@inline
def outputs_seeing_all(window, stride, before, extent, count):
    """(first, last) so that range(first, last) are the outputs c < count all of whose taps are inside the image"""
    first = min(count, (before + stride - 1) // stride)
    return first, max(first, min(count, (extent - window + before) // stride + 1))


@inline
def windows_beside(c, first, last, stride):
    """(windows, joined): from output c on, windows with as many taps, and how many of them are taken as one

    With stride 1 the numbers of windows lie side by side, as their taps do: they are one window of more channels.

    first, last : of `outputs_seeing_all`
    """
    windows = last - c if first <= c < last else 1
    return (1, windows) if stride == 1 else (windows, 1)


@inline
def has_room(x, to, end, at):
    """Whether a vector may go over whole lanes from number `to` on before number `end`, and from x[b, at] on"""
    return to + LANES <= end and at + LANES <= x.shape[1]


@inline
def padded_sizes(geometry):
    """Rows and columns of the image with its padding, as far as its windows reach."""
    _, _, _, KH, KW, SH, SW, _, _, H_out, W_out, _ = sizes(geometry)
    return (H_out - 1) * SH + KH, (W_out - 1) * SW + KW


@inline
def has_no_border(geometry):
    """Whether all taps of all windows fall inside the image."""
    H, W, _, _, _, _, _, top, left, _, _, _ = sizes(geometry)
    tall, wide = padded_sizes(geometry)
    return top == 0 and left == 0 and tall <= H and wide <= W


@inline
def taps_of_phase(phase, window, stride):
    """The number of taps k of a window with k mod stride = phase"""
    return (max(0, window - phase) + stride - 1) // stride


@inline
def taps_of_phases_before(phase, window, stride):
    """The number of taps k of a window with k mod stride < phase"""
    return window // stride * phase + min(phase, window % stride)


@inline
def inputs_of_phase(phase, stride, before, extent):
    """(start, count): the inputs i < extent with (i + before) mod stride = phase are start, start + stride, …"""
    start = (phase - before) % stride
    return start, (max(0, extent - start) + stride - 1) // stride


def products(batch, geometry):
    """The number of multiply-adds of a convolution, those of padding included, for estimates of work."""
    _, _, C_in, KH, KW, _, _, _, _, H_out, W_out, C_out = (int(size) for size in geometry)
    return batch * H_out * W_out * C_out * KH * KW * C_in
