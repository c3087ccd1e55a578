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

from fastnn_kernels import _tile
from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._tile import INDEX, WORD, Emitter
from fastnn_kernels._tuning import ALIGNMENT

# Rows of a and of b whose products a tile sums at once, by the processor's kind of vector register: so many chains keep
# the multipliers busy, and they fit into the registers.
SHAPES = {"zmm": (4, 4), "ymm": (3, 2), "neon": (3, 2), "": (1, 1)}


def lane_products(out, a, b):
    """out[i, j] = Σ_s a[i, s] · b[j, s], summed in lanes

    out : (m, n), any strides    a : (m, S), b : (n, S), rows contiguous; S is a whole number of lines
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


def _folded(builder, line):
    """The sum of all lanes: the upper half is added to the lower one, until one lane is left."""
    lanes = line.type.count
    while lanes > 1:
        lanes //= 2
        halves = (ir.Constant(ir.VectorType(INDEX, lanes), [*range(at, at + lanes)]) for at in (0, lanes))
        lower, upper = (builder.shuffle_vector(line, line, mask) for mask in halves)
        line = builder.fadd(lower, upper)
    return builder.extract_element(line, INDEX(0))


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


@functools.cache
def tile(rows: int, columns: int):
    """The tile of rows × columns sums, as a function that compiled code can call.

    tile(zero, out, out_row, out_step, a, b, stride, lines)

    zero      : a number of the dtype
    out, a, b : addresses of the first numbers
    out_row   : bytes from out[i, j] to out[i + 1, j]
    out_step  : bytes from out[i, j] to out[i, j + 1]
    stride    : bytes from a[i] to a[i + 1], and from b[j] to b[j + 1]
    lines     : the length of a sum in lines, at least 1
    """

    @intrinsic
    def run(typing_context, zero, out, out_row, out_step, a, b, stride, lines):
        def codegen(context, builder, signature, args):
            _, out, out_row, out_step, a, b, stride, lines = args
            emitter = Emitter(builder, signature.args[0], rows, columns, True)
            sums = _sums(builder, emitter, rows, columns, a, b, stride, lines)
            for k, line in enumerate(sums):
                r, c = divmod(k, columns)
                offset = builder.add(builder.mul(out_row, WORD(r)), builder.mul(out_step, WORD(c)))
                builder.store(_folded(builder, line), emitter.pointer(out, offset, emitter.real))
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 7), codegen

    return run


@implementation(lane_products)
def _compiled_lane_products(out, a, b):
    if not _tile.registers():
        return lambda out, a, b: readable_lane_products(out, a, b)
    tall, wide = SHAPES[_tile.registers()]
    block, row, column, single = tile(tall, wide), tile(1, wide), tile(tall, 1), tile(1, 1)

    def tiled(out, a, b):
        zero, stride, lines = a.dtype.type(0), a.strides[0], a.shape[1] * a.itemsize // ALIGNMENT
        down, along = out.strides
        m, n = out.shape
        for j in range(0, n - n % wide, wide):
            right, to = b.ctypes.data + j * stride, out.ctypes.data + j * along
            for i in range(0, m - m % tall, tall):
                block(zero, to + i * down, down, along, a.ctypes.data + i * stride, right, stride, lines)
            for i in range(m - m % tall, m):
                row(zero, to + i * down, down, along, a.ctypes.data + i * stride, right, stride, lines)
        for j in range(n - n % wide, n):
            right, to = b.ctypes.data + j * stride, out.ctypes.data + j * along
            for i in range(0, m - m % tall, tall):
                column(zero, to + i * down, down, along, a.ctypes.data + i * stride, right, stride, lines)
            for i in range(m - m % tall, m):
                single(zero, to + i * down, down, along, a.ctypes.data + i * stride, right, stride, lines)

    return tiled
