"""Products that are summed over samples, where samples lie side by side: a tile of sums, each in the lanes of one line.

A line is one cache line of numbers: 16 float32 or 8 float64. The sum over the samples s of a[i, s] · b[j, s] is one
chain of fused multiply-adds in each lane, over the samples s, s + line, s + 2 · line, …, in ascending order. Then the
lanes are added: the upper half to the lower half, until one is left. So the order of the sum depends on the line alone,
not on the width of the processor's registers.
"""

import functools

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._products import registers, tile
from fastnn_kernels._products.tile import INDEX, WORD, Emitter, emit_choice
from fastnn_kernels._tuning import ALIGNMENT

# Rows of a, at most, and of b whose products a tile sums at once, by the processor's kind of vector register. Their
# chains are enough to keep the multipliers busy, and they fit into the registers.
SHAPES = {"zmm": (6, 4), "ymm": (3, 2), "neon": (3, 2), "": (1, 1)}


def lane_products(out, a, b):
    """out[i, j] = Σ_s a[i, s] · b[j, s], summed in lanes

    out : (m, n)    a : (m, S), b : (n, S); S is a whole number of lines. Rows of all are contiguous
    """
    readable_lane_products(out, a, b)


@inline
def _chain(a, b, i, j, lane, lanes):
    """The sum in one lane."""
    total = type(a[i, lane])(0)
    for s in range(lane, a.shape[1], lanes):
        total = a[i, s] * b[j, s] + total
    return total


@inline
def _two(a, b, i, j, lane, lanes):
    return _chain(a, b, i, j, lane, lanes) + _chain(a, b, i, j, lane + lanes // 2, lanes)


@inline
def _four(a, b, i, j, lane, lanes):
    return _two(a, b, i, j, lane, lanes) + _two(a, b, i, j, lane + lanes // 4, lanes)


@inline
def _eight(a, b, i, j, lane, lanes):
    return _four(a, b, i, j, lane, lanes) + _four(a, b, i, j, lane + lanes // 8, lanes)


@inline
def readable_lane_products(out, a, b):
    """`lane_products`, by loops"""
    lanes = ALIGNMENT // a.itemsize
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            if lanes == 8:
                out[i, j] = _eight(a, b, i, j, 0, lanes)
            else:
                out[i, j] = _eight(a, b, i, j, 0, lanes) + _eight(a, b, i, j, 1, lanes)


def _halves(builder, left, right, width):
    """Of sums in `2 · width` lanes each, those of two vectors: the lower halves side by side, and the upper ones."""
    lanes = left.type.count
    starts = range(0, 2 * lanes, 2 * width)  # a shuffle counts the lanes of both
    for at in (0, width):
        mask = [start + at + lane for start in starts for lane in range(width)]
        yield builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(INDEX, lanes), mask))


def _folded(builder, lines):
    """The sums of the lanes of each line, in vectors, one sum after the other; behind the last one anything.

    The upper half of a sum's lanes is added to the lower one, until one is left. Two vectors of halves fit into one, so
    an addition serves both: 16 sums take 15 additions and 30 shuffles, one by one they took 64 of each. With that, and
    with tiles of six rows instead of four, the products of 33 and 16 rows of 128 samples take 2,650 cycles instead of
    3,500, of which 2,112 are their multiply-adds (Zen 5, AVX-512).
    """
    width = lines[0].type.count
    while width > 1:
        width //= 2
        lines = lines + lines[-1:] if len(lines) % 2 else lines
        pairs = zip(lines[::2], lines[1::2], strict=True)
        lines = [builder.fadd(*_halves(builder, left, right, width)) for left, right in pairs]
    return lines


def _store(builder, emitter, folded, out, out_row, rows, columns):
    """Write the sums of a tile, row by row."""
    lanes = emitter.line.count
    for r in range(rows):
        row = builder.mul(out_row, WORD(r))
        which, at = divmod(r * columns, lanes)
        if columns == 1:
            builder.store(builder.extract_element(folded[which], INDEX(at)), emitter.pointer(out, row, emitter.real))
            continue
        mask = ir.Constant(ir.VectorType(INDEX, columns), [*range(at, at + columns)])
        part = builder.shuffle_vector(folded[which], folded[which], mask)
        builder.store(part, emitter.pointer(out, row, part.type), align=emitter.size)


def _sums(builder, emitter, rows, columns, a, b, stride, lines):
    """The lines of sums of rows × columns products, row by row."""
    before = builder.block
    body, after = builder.append_basic_block("lanes.s"), builder.append_basic_block("lanes.end")
    builder.branch(body)
    builder.position_at_end(body)
    at = builder.phi(WORD)
    old = [builder.phi(emitter.line) for _ in range(rows * columns)]
    right = [emitter.load_line(builder.add(b, at), builder.mul(stride, WORD(c))) for c in range(columns)]
    new = []
    for r in range(rows):
        left = emitter.load_line(builder.add(a, at), builder.mul(stride, WORD(r)))
        for c in range(columns):
            new.append(builder.call(emitter.fma, [left, right[c], old[r * columns + c]]))
    then = builder.add(at, WORD(ALIGNMENT))
    at.add_incoming(WORD(0), before)
    at.add_incoming(then, body)
    for phi, value in zip(old, new, strict=True):
        phi.add_incoming(ir.Constant(emitter.line, None), before)
        phi.add_incoming(value, body)
    builder.cbranch(builder.icmp_signed("<", then, builder.mul(lines, WORD(ALIGNMENT))), body, after)
    builder.position_at_end(after)
    return new


def _tile_function(module, real, rows, columns):
    """A function of a module that computes a tile of rows × columns sums; its parameters are those of `tiles`."""

    def emit(builder, args):
        emitter = Emitter(builder, real, rows, columns, True)
        out, out_row, *operands = args
        sums = _sums(builder, emitter, rows, columns, *operands)
        _store(builder, emitter, _folded(builder, sums), out, out_row, rows, columns)

    return tile.function_of(module, f"lanes.{real}.{rows}x{columns}", 6, emit)


@functools.cache
def tiles(tall: int, columns: int):
    """The tiles of up to `tall` rows of `columns` columns, as one function that compiled code can call.

    run(zero, rows, out, out_row, a, b, stride, lines)

    zero      : a number of the dtype
    rows      : from 1 to `tall`
    out, a, b : addresses of the first numbers
    out_row   : bytes from out[i, j] to out[i + 1, j]
    stride    : bytes from a[i] to a[i + 1], and from b[j] to b[j + 1]
    lines     : the length of a sum in lines, at least 1
    """

    @intrinsic
    def run(typing_context, zero, rows, out, out_row, a, b, stride, lines):
        def codegen(context, builder, signature, args):
            _, rows, *given = args

            def emit(height):
                builder.call(_tile_function(builder.module, signature.args[0], height, columns), given)

            emit_choice(builder, rows, range(1, tall + 1), emit)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 7), codegen

    return run


@implementation(lane_products)
def _compiled_lane_products(out, a, b):
    if not registers.registers():
        return lambda out, a, b: readable_lane_products(out, a, b)
    tall, wide = SHAPES[registers.registers()]
    block, column = tiles(tall, wide), tiles(tall, 1)

    def tiled(out, a, b):
        zero, stride, lines = a.dtype.type(0), a.strides[0], a.shape[1] * a.itemsize // ALIGNMENT
        down, (m, n) = out.strides[0], out.shape
        count = (m + tall - 1) // tall
        i = 0
        for part in range(count):  # as equal in height as can be
            rows = m // count + (part < m % count)
            to, left = out.ctypes.data + i * down, a.ctypes.data + i * stride
            for j in range(0, n - n % wide, wide):
                block(zero, rows, to + j * out.itemsize, down, left, b.ctypes.data + j * stride, stride, lines)
            for j in range(n - n % wide, n):
                column(zero, rows, to + j * out.itemsize, down, left, b.ctypes.data + j * stride, stride, lines)
            i += rows

    return tiled
