"""The transpose of a matrix: a readable loop, and squares as wide as a cache line that pass through registers."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._products.tile import INDEX, WORD, Emitter
from fastnn_kernels._tuning import ALIGNMENT


def _interleaved(lanes, step):
    """The two shuffles that swap blocks of `step` numbers between rows i and i + step."""
    first = [j if not j & step else lanes + j - step for j in range(lanes)]
    second = [j + step if not j & step else lanes + j for j in range(lanes)]
    kind = ir.VectorType(INDEX, lanes)
    return ir.Constant(kind, first), ir.Constant(kind, second)


@intrinsic
def _square(typing_context, zero, out, out_stride, a, a_stride):
    """out[j, i] = a[i, j] for i, j < n, where n is the number of numbers in a line

    zero : a number of the dtype    out, a : addresses    out_stride, a_stride : in bytes

    In log₂ n steps: rows n/2 apart swap halves, then rows n/4 apart swap quarters, and so on.
    """

    def codegen(context, builder, signature, args):
        _, out, out_stride, a, a_stride = args
        emitter = Emitter(builder, signature.args[0], 1, 1, True)
        lanes = ALIGNMENT // emitter.size
        rows = [emitter.load_line(a, builder.mul(a_stride, WORD(i))) for i in range(lanes)]
        step = lanes // 2
        while step:
            masks = _interleaved(lanes, step)
            for i in (i for i in range(lanes) if not i & step):
                pair = rows[i], rows[i + step]
                rows[i], rows[i + step] = (builder.shuffle_vector(*pair, mask) for mask in masks)
            step //= 2
        for i, row in enumerate(rows):
            at = emitter.pointer(out, builder.mul(out_stride, WORD(i)), emitter.line)
            builder.store(row, at, align=emitter.size)
        return context.get_dummy_value()

    return types.void(zero, *[types.int64] * 4), codegen


def transposed(out, a):
    """out = aᵀ, by squares as wide as a line, which fit into vector registers"""
    readable_transposed(out, a)


@inline
def readable_transposed(out, a):
    """`transposed`, by loops; out (n, m), a (m, n)"""
    for i in range(a.shape[0]):
        for j in range(out.shape[0]):
            out[j, i] = a[i, j]


@implementation(transposed)
def _compiled_transposed(out, a):
    def squares(out, a):
        lanes = ALIGNMENT // out.itemsize
        whole = a.shape[0] // lanes * lanes if out.shape[0] == lanes else 0
        for i in range(0, whole, lanes):
            at, to = a.ctypes.data + i * a.strides[0], out.ctypes.data + i * out.itemsize
            _square(out.dtype.type(0), to, out.strides[0], at, a.strides[0])
        readable_transposed(out[:, whole:], a[whole:])

    return squares
