"""Sums of products with listed numbers, those of an array that are not 0: a readable loop, and tiles in its place.

Both give the same bits: each output is one chain of fused multiply-adds, in the order of the list. A dense loop also
adds the products of zeros. With a finite other factor they are zeros, which change no sum but perhaps the sign of a 0.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._products import registers, tile
from fastnn_kernels._tuning import ALIGNMENT

# Lines of the widest tile: 12 of the 16 registers of AVX2. Ten lines, which AVX-512 could hold, take 1.4 times as long
# as two fives with AVX2, and as long with AVX-512 (mnist-cnn's second convolution).
MOST_LINES = 6
PLACE = ir.IntType(32)
WORD = tile.WORD


def add_listed(out, at, step, groups, width, values, places, starts, first, b, b_at):
    """out[at + g·step + j] += Σ values[i] · b[b_at + places[i] + j], starts[first + g] ≤ i < starts[first + g + 1]

    for g < groups and j < width, in ascending (g, i) where outputs of several groups are the same.

    out, b, values : flat, of one dtype    places, starts : flat, int32
    """
    _readable_add(out, at, step, groups, 0, width, values, places, starts, first, b, b_at)


@inline
def _readable_add(out, at, step, groups, begin, width, values, places, starts, first, b, b_at):
    """`add_listed` for begin ≤ j < width, by loops"""
    for g in range(groups):
        own = out[at + g * step + begin : at + g * step + width]
        for i in range(starts[first + g], starts[first + g + 1]):
            place = b_at + places[i]
            v, row = values[i], b[place + begin : place + width]
            for j in range(own.shape[0]):
                own[j] = v * row[j] + own[j]


def _emit_group(emitter, given, at, group):
    """Add the products of one group to the lines of out at an address."""
    builder, size = emitter.builder, WORD(emitter.size)
    _, _, _, starts, values, places, b = given
    sums = [cgutils.alloca_once(builder, emitter.line) for _ in range(emitter.nr)]
    for v, line in enumerate(sums):
        builder.store(emitter.load_line(at, WORD(v * ALIGNMENT)), line)
    bounds = builder.inttoptr(starts, PLACE.as_pointer())
    begin, end = (
        builder.sext(builder.load(builder.gep(bounds, [one])), WORD) for one in (group, _next(builder, group))
    )
    with cgutils.for_range(builder, builder.sub(end, begin)) as loop:
        i = builder.add(begin, loop.index)
        value = emitter.broadcast(values, builder.mul(i, size))
        place = builder.load(builder.gep(builder.inttoptr(places, PLACE.as_pointer()), [i]))
        row = builder.add(b, builder.mul(builder.sext(place, WORD), size))
        for v, line in enumerate(sums):
            other = emitter.load_line(row, WORD(v * ALIGNMENT))
            builder.store(builder.call(emitter.fma, [value, other, builder.load(line)]), line)
    for v, line in enumerate(sums):
        to = emitter.pointer(at, WORD(v * ALIGNMENT), emitter.line)
        builder.store(builder.load(line), to, align=emitter.size)


def _next(builder, index):
    return builder.add(index, WORD(1))


def _tile_function(module, real, lines: int):
    """A function of a module that adds to some lines of all groups: (out, step, groups, starts, values, places, b)."""

    def emit(builder, args):
        emitter = tile.Emitter(builder, real, 1, lines, True)
        out, step, groups, *_ = args
        with cgutils.for_range(builder, groups) as loop:
            _emit_group(emitter, args, builder.add(out, builder.mul(loop.index, step)), loop.index)

    return tile.function_of(module, f"listed.{tile.REALS[real][2]}.{lines}", 7, emit)


@intrinsic
def _add_lines(typing_context, zero, lines, out, step, groups, starts, values, places, b):
    """Call the tile of so many lines. zero : a number of the dtype; addresses and steps in bytes"""

    def codegen(context, builder, signature, args):
        _, lines, *given = args

        def emit(count):
            builder.call(_tile_function(builder.module, signature.args[0], count), given)

        tile.emit_choice(builder, lines, range(1, MOST_LINES + 1), emit)
        return context.get_dummy_value()

    return types.void(zero, *[types.int64] * 8), codegen


@inline
def _tiled_add(out, at, step, groups, width, values, places, starts, first, b, b_at):
    """`add_listed` by tiles, the last columns first: so an output that several groups share gets them in their order"""
    size = out.itemsize
    lines = width * size // ALIGNMENT
    done, parts = lines * (ALIGNMENT // size), (lines + MOST_LINES - 1) // MOST_LINES
    if done < width:
        _readable_add(out, at, step, groups, done, width, values, places, starts, first, b, b_at)
    end = lines
    for part in range(parts):  # as equal in width as can be
        own = lines // parts + (part < lines % parts)
        end -= own
        to, other = out.ctypes.data + at * size + end * ALIGNMENT, b.ctypes.data + b_at * size + end * ALIGNMENT
        begin = starts.ctypes.data + first * starts.itemsize
        _add_lines(
            values[0], own, to, step * size, groups, begin, values.ctypes.data, places.ctypes.data, other
        )  # fmt: skip


@implementation(add_listed)
def _compiled_add_listed(out, at, step, groups, width, values, places, starts, first, b, b_at):
    if not registers.shape().rows:
        return lambda out, at, step, groups, width, values, places, starts, first, b, b_at: _readable_add(
            out, at, step, groups, 0, width, values, places, starts, first, b, b_at
        )
    return lambda out, at, step, groups, width, values, places, starts, first, b, b_at: _tiled_add(
        out, at, step, groups, width, values, places, starts, first, b, b_at
    )
