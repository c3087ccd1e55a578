"""Rows interleaved, number by number: a readable loop, and shuffles of vector registers."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._products.tile import INDEX, REALS, WORD, Emitter, emit_choice
from fastnn_kernels._tuning import ALIGNMENT, FEW_CHANNELS

MOST = FEW_CHANNELS  # rows that pass through registers; more go number by number


def emit_interleaved(builder, rows):
    """Emit the first numbers of some vectors, then their second ones, and so on, in as many vectors.

    Of an even number of vectors every second one is interleaved, then both halves with each other: fewer shuffles.
    """
    if len(rows) == 1:
        return rows
    if len(rows) % 2:
        return _emit_gathered(builder, rows)
    halves = emit_interleaved(builder, rows[::2]), emit_interleaved(builder, rows[1::2])
    return [line for pair in zip(*halves, strict=True) for line in _emit_gathered(builder, pair)]


def _emit_gathered(builder, rows):
    """`emit_interleaved`: into each vector the numbers of the first row, then those of the next one, and so on."""
    lanes, made = rows[0].type.count, []
    for k in range(len(rows)):
        places = [divmod(k * lanes + i, len(rows)) for i in range(lanes)]  # of each lane: which number of which row
        line = rows[0]
        for r in range(1, len(rows)):
            stays = [place if r == 1 else i for i, (place, _) in enumerate(places)]
            chosen = [lanes + place if row == r else stays[i] for i, (place, row) in enumerate(places)]
            line = builder.shuffle_vector(line, rows[r], ir.Constant(ir.VectorType(INDEX, lanes), chosen))
        made.append(line)
    return made


def interleave(out, x, at, row, rows, columns):
    """out[c · rows + i] = x[at + i · row + c], for i < rows, c < columns; out and x are flat"""
    readable_interleave(out, x, at, row, rows, columns)


@inline
def readable_interleave(out, x, at, row, rows, columns):
    """`interleave`, by loops"""
    for c in range(columns):
        for i in range(rows):
            out[c * rows + i] = x[at + i * row + c]


@intrinsic
def _interleave_line(typing_context, zero, rows, out, x, row):
    """`interleave` of as many columns as a line has numbers; out and x are addresses, `row` is in bytes"""

    def codegen(context, builder, signature, args):
        _, rows, out, x, row = args
        emitter = Emitter(builder, signature.args[0], 1, 1, True)

        def emit(count):
            lines = [emitter.load_line(x, builder.mul(row, WORD(i))) for i in range(count)]
            for k, line in enumerate(emit_interleaved(builder, lines)):
                builder.store(line, emitter.pointer(out, WORD(k * ALIGNMENT), emitter.line), align=emitter.size)

        emit_choice(builder, rows, range(1, MOST + 1), emit)
        return context.get_dummy_value()

    return types.void(zero, *[types.int64] * 4), codegen


@implementation(interleave)
def _compiled_interleave(out, x, at, row, rows, columns):
    zero, size = out.dtype(0), REALS[out.dtype][1]
    lanes = ALIGNMENT // size

    def lines(out, x, at, row, rows, columns):
        if rows > MOST or columns < lanes:
            readable_interleave(out, x, at, row, rows, columns)
            return
        for c in range(0, columns, lanes):
            first = min(c, columns - lanes)  # the last line overlaps another one where columns are not whole lines
            to, source = out.ctypes.data + first * rows * size, x.ctypes.data + (at + first) * size
            _interleave_line(zero, rows, to, source, row * size)

    return lines
