"""A part of a flat array as a matrix, rows of a matrix as a flat array.

NumPy's way, a slice and a reshape, is a call in compiled code: it was a quarter of a step of moons.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastnn_kernels._array_value import array_value
from fastnn_kernels._jit import implementation


def matrix(flat, at, rows, columns):
    """flat[at : at + rows · columns] as (rows, columns); flat is contiguous and must be that long"""
    return flat[at : at + rows * columns].reshape((rows, columns))


@intrinsic
def _view(typing_context, flat, at, rows, columns):
    kind = types.Array(flat.dtype, 2, "C")

    def codegen(context, builder, signature, args):
        flat, at, rows, columns = args
        source = context.make_array(signature.args[0])(context, builder, flat)
        size = ir.Constant(ir.IntType(64), context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        strides = [builder.mul(columns, size), size]
        data = builder.gep(source.data, [at])
        return array_value(context, builder, kind, data, [rows, columns], strides, size)

    return kind(flat, types.int64, types.int64, types.int64), codegen


@implementation(matrix, inline="always")
def _compiled_matrix(flat, at, rows, columns):
    return lambda flat, at, rows, columns: _view(flat, at, rows, columns)


def flattened(a, first, rows):
    """a[first : first + rows], flat; a is contiguous"""
    return a[first : first + rows].reshape(-1)


@implementation(flattened, inline="always")
def _compiled_flattened(a, first, rows):
    return lambda a, first, rows: _view(a[first], 0, 1, rows * a.shape[1])[0]
