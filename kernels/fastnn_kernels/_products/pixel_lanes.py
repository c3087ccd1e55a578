"""Convolutions with few output channels: lanes hold neighbouring pixels of a line, and each row of sums is a channel.

The tiles of `tile` hold channels in their lanes: of six channels ten of sixteen lanes would be computed for nothing.
Here all lanes are used, and the channels of a pixel come together when the sums are stored. Each output is the same
chain of fused multiply-adds, so it has the same bits.

1 to 6 channels, 5 × 5, 128 images of 28 × 28: 167 µs on one thread (Zen 5, AVX-512; the multiply-adds take 134), by
tiles with channels in their lanes 645, by such tiles on a copy of the output 1,230.
"""

import functools

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._memory.scratch import PANEL, SCRATCH, scratch_panel, scratch_row
from fastnn_kernels._products import registers
from fastnn_kernels._products.interleave import MOST, emit_interleaved
from fastnn_kernels._products.tile import REALS, WORD, Emitter, emit_choice, function_of
from fastnn_kernels._products.window import has_no_border, sizes
from fastnn_kernels._tuning import ALIGNMENT


@inline
def suits_pixel_lanes(out, geometry):
    """Whether `convolve_few` can compute a convolution: few channels, lines of enough pixels, and none at a border."""
    _, W, C, KH, KW, _, SW, _, _, _, W_out, n = sizes(geometry)
    lanes = ALIGNMENT // out.itemsize
    few = n <= MOST and n < lanes  # eight float64 are a line: with AVX2 code they took 1.5 times as long in this way
    fits = KH * KW * C <= SCRATCH and (C == 1 or KH * W * C <= PANEL)
    return few and fits and SW == 1 and W_out >= lanes and has_no_border(geometry)


@inline
def convolve_few(out, x, w, geometry):
    """`conv2d_forward` of one sample. Of several input channels each becomes a plane first, some lines at a time."""
    _, W, C, KH, KW, SH, _, _, _, H_out, W_out, n = sizes(geometry)
    steps, planes = scratch_row(np.int64(0)), scratch_panel(out[0])[0]
    band = H_out if C == 1 else min(H_out, (PANEL // (W * C) - KH) // SH + 1)  # lines of outputs whose planes fit
    plane = ((band - 1) * SH + KH) * W
    for tap in range(KH * KW):
        for c in range(C):
            steps[0, tap * C + c] = c * plane + tap // KW * W + tap % KW
    for first in range(0, H_out, band):
        end = min(first + band, H_out)
        seen = x[first * SH * W * C : ((end - 1) * SH + KH) * W * C]
        if C > 1:
            _separate(planes, plane, seen, C)
        for r in range(first, end):
            source = seen if C == 1 else planes
            convolve_line(out, r * W_out * n, W_out, source, (r - first) * SH * W, steps, w[: KH * KW * C, :n])


@inline
def _separate(planes, plane, x, channels):
    """planes[c · plane + p] = x[p · channels + c]"""
    for p in range(x.shape[0] // channels):
        for c in range(channels):
            planes[c * plane + p] = x[p * channels + c]


def convolve_line(out, at, pixels, x, x_at, steps, w):
    """out[at + i·n + j] = Σ_t x[x_at + i + steps[0, t]] · w[t, j], in ascending t, for i < pixels, j < n ≤ MOST

    out, x : flat    steps : (1, ≥ T) int64    w : (T, n)    pixels : at least as many as a line has numbers
    """
    readable_line(out, at, pixels, x, x_at, steps, w)


@inline
def readable_line(out, at, pixels, x, x_at, steps, w):
    """`convolve_line`, by loops"""
    n = w.shape[1]
    for i in range(pixels):
        own = out[at + i * n : at + (i + 1) * n]
        for j in range(n):
            own[j] = 0
        for t in range(w.shape[0]):
            a0, row = x[x_at + i + steps[0, t]], w[t]
            for j in range(n):
                own[j] = a0 * row[j] + own[j]


def emit_tile(builder, real, channels: int, lines: int, given):
    """Emit one tile: all channels of `lines` lines of pixels, which begin `apart` bytes from each other.

    given : out, x, apart, steps, terms, w, w_stride: addresses, bytes, and the number of terms
    """
    out, x, apart, steps, terms, w, w_stride = given
    emitter = Emitter(builder, real, channels, lines, True)
    zero = emitter.line(None)
    sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(lines)] for _ in range(channels)]
    starts = [builder.add(x, builder.mul(apart, WORD(v))) for v in range(lines)]
    with cgutils.for_range(builder, terms) as loop:
        step = builder.load(emitter.pointer(steps, builder.mul(loop.index, WORD(8)), WORD))
        offset, row = builder.mul(step, WORD(emitter.size)), builder.mul(w_stride, loop.index)
        pixels = [emitter.load_line(start, offset) for start in starts]
        for r in range(channels):
            weight = emitter.broadcast(w, builder.add(row, WORD(r * emitter.size)))
            for v in range(lines):
                builder.store(builder.call(emitter.fma, [weight, pixels[v], builder.load(sums[r][v])]), sums[r][v])
    for v in range(lines):
        to = builder.add(out, builder.mul(apart, WORD(v * channels)))
        for k, line in enumerate(emit_interleaved(builder, [builder.load(row[v]) for row in sums])):
            builder.store(line, emitter.pointer(to, WORD(k * ALIGNMENT), emitter.line), align=emitter.size)


@functools.cache
def _tiles(lines: int):
    """The tiles of so many lines as one function: run(zero, channels, *given), zero a number of the dtype."""

    @intrinsic
    def run(typing_context, zero, channels, out, x, apart, steps, terms, w, w_stride):
        def codegen(context, builder, signature, args):
            real, (_, channels, *given) = signature.args[0], args

            def emit(count):
                name = f"pixels.{REALS[real][2]}.{count}x{lines}"
                tile = function_of(
                    builder.module, name, len(given), lambda inner, words: emit_tile(inner, real, count, lines, words)
                )
                builder.call(tile, given)

            emit_choice(builder, channels, range(1, MOST + 1), emit)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 8), codegen

    return run


@implementation(convolve_line)
def _compiled_line(out, at, pixels, x, x_at, steps, w):
    together = registers.shape().lines
    if not registers.shape().rows:
        return lambda out, at, pixels, x, x_at, steps, w: readable_line(out, at, pixels, x, x_at, steps, w)
    run, zero, size = _tiles(together), out.dtype(0), REALS[out.dtype][1]
    lanes = ALIGNMENT // size

    def tiled(out, at, pixels, x, x_at, steps, w):
        n, last = w.shape[1], pixels - lanes
        for i in range(0, pixels, together * lanes):
            first = min(i, last)  # the last line of pixels overlaps another one where they are not whole lines
            apart = min(lanes, last - first)
            to, source = out.ctypes.data + (at + first * n) * size, x.ctypes.data + (x_at + first) * size
            run(zero, n, to, source, apart * size, steps.ctypes.data, w.shape[0], w.ctypes.data, w.strides[0])

    return tiled
