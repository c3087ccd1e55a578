"""The gradient of a convolution's weight with few output channels: lanes hold taps, and each row of sums is a channel.

Lines of the image are interleaved first, column by column. So all taps of a window lie side by side: those of pixel c
begin at column c · SW. Each sum is the same chain of fused multiply-adds as in `window_product`: the same bits.

1 to 6 channels, 5 × 5, 128 images of 28 × 28: 231 µs on one thread (Zen 5, AVX-512; the multiply-adds take 150), by
tiles with channels in their lanes, on copies of dw, 1,005.
"""

import functools

from numba import types
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._memory.scratch import PANEL, scratch_panel
from fastnn_kernels._products import registers
from fastnn_kernels._products.interleave import interleave
from fastnn_kernels._products.tile import REALS, WORD, Emitter, Operands, emit_choice, function_of
from fastnn_kernels._products.window import has_no_border, sizes
from fastnn_kernels._tuning import ALIGNMENT, FEW_CHANNELS

MOST = FEW_CHANNELS


@inline
def _whole_lines(own, geometry, low):
    """(first, count, room): the lines of taps that hold those of `own`, and numbers for all their taps, whole lines"""
    _, _, C, _, KW, _, _, _, _, _, _, _ = sizes(geometry)
    lanes, first = ALIGNMENT // own.itemsize, low // (KW * C)
    count = (low + own.shape[0] + KW * C - 1) // (KW * C) - first
    return first, count, (count * KW * C + lanes - 1) // lanes * lanes


@inline
def suits_tap_lanes(own, geometry, low):
    """Whether `sum_few` can compute a block of dw, with fewer products than there are with channels in lanes"""
    _, W, C, _, _, _, _, _, _, _, _, n = sizes(geometry)
    lanes, (_, count, room) = ALIGNMENT // own.itemsize, _whole_lines(own, geometry, low)
    fits = n * room <= PANEL and count * W * C + lanes <= PANEL
    return fits and n <= min(MOST, lanes) and n * room <= own.shape[0] * lanes and has_no_border(geometry)


@inline
def sum_few(own, x, dout, geometry, low):
    """`conv2d_backward_w` of a block, the taps from number `low` on"""
    _, W, C, _, KW, SH, SW, _, _, H_out, W_out, n = sizes(geometry)
    kh, count, room = _whole_lines(own, geometry, low)
    panel, image = scratch_panel(own[0, 0])[0], scratch_panel(own[0, 0])[0]
    sums = panel[: n * room].reshape(n, room)
    for j in range(n * room):
        panel[j] = 0
    for j in range(count * W * C, count * W * C + ALIGNMENT // own.itemsize):
        image[j] = 0
    for b in range(x.shape[0]):
        for r in range(H_out):
            interleave(image, x[b], (r * SH + kh) * W * C, W * C, count, W * C)
            add_line(sums, image, SW * C * count, W_out, dout[b], r * W_out * n)
    for i in range(own.shape[0]):
        line, place = (low + i) // (KW * C) - kh, (low + i) % (KW * C)
        for j in range(n):
            own[i, j] = sums[j, place * count + line]


def add_line(sums, x, x_step, pixels, dout, at):
    """sums[j, t] += Σ_p x[p · x_step + t] · dout[at + p · n + j], in ascending p < pixels

    sums : (n ≤ MOST, whole lines)    x, dout : flat
    """
    readable_add_line(sums, x, x_step, pixels, dout, at)


@inline
def readable_add_line(sums, x, x_step, pixels, dout, at):
    """`add_line`, by loops"""
    n = sums.shape[0]
    for j in range(n):
        own = sums[j]
        for p in range(pixels):
            a0 = dout[at + p * n + j]
            for t in range(own.shape[0]):
                own[t] = a0 * x[p * x_step + t] + own[t]


def _tile_function(module, real, channels: int, lines: int):
    """A function of a module that runs one tile; its parameters are those of `Operands`."""

    def emit(builder, args):
        Emitter(builder, real, channels, lines, False).emit(Operands(*args))

    return function_of(module, f"taps.{REALS[real][2]}.{channels}x{lines}", len(Operands._fields), emit)


@functools.cache
def _tiles(channels: int, lines: int):
    """All tiles of at most so many channels and lines, as one function that compiled code can call

    run(zero, channels · 16 + lines, *some of `Operands`), zero a number of the dtype
    """
    cases = [16 * mr + nr for mr in range(1, channels + 1) for nr in range(1, lines + 1)]

    @intrinsic
    def run(typing_context, zero, which, out, out_stride, a, a_stride, depth, b, b_stride):
        def codegen(context, builder, signature, args):
            _, which, out, out_stride, a, a_stride, depth, b, b_stride = args
            no, one = WORD(0), WORD(1)
            given = Operands(out, out_stride, a, a_stride, no, one, depth, b, b_stride, no, b, no)

            def emit(case):
                builder.call(_tile_function(builder.module, signature.args[0], *divmod(case, 16)), given)

            emit_choice(builder, which, cases, emit)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 8), codegen

    return run


@implementation(add_line)
def _compiled_add_line(sums, x, x_step, pixels, dout, at):
    shape = registers.shape()
    if not shape.rows:
        return lambda sums, x, x_step, pixels, dout, at: readable_add_line(sums, x, x_step, pixels, dout, at)
    tall, wide = min(MOST, shape.rows), shape.lines
    run, zero, size = _tiles(tall, wide), sums.dtype(0), REALS[sums.dtype][1]

    def tiled(sums, x, x_step, pixels, dout, at):
        (n, room), own = sums.shape, sums.strides[0]
        lines, parts = room * size // ALIGNMENT, (n + tall - 1) // tall
        for part in range(parts):  # as equal as can be
            j, end = part * n // parts, (part + 1) * n // parts
            for line in range(0, lines, wide):
                which, to = 16 * (end - j) + min(wide, lines - line), sums.ctypes.data + j * own + line * ALIGNMENT
                source, left = x.ctypes.data + line * ALIGNMENT, dout.ctypes.data + (at + j) * size
                run(zero, which, to, own, left, n * size, pixels, source, x_step * size)

    return tiled
