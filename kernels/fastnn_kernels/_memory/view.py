"""A part of a flat array as a matrix, rows of a matrix as a flat array.

NumPy's way, a slice and a reshape, is a call in compiled code: it was a quarter of a step of moons.
"""

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._memory.array_value import array_value


def matrix(flat, at, rows, columns):
    """flat[at : at + rows · columns] as (rows, columns); flat is contiguous and must be that long"""
    return flat[at : at + rows * columns].reshape((rows, columns))


def flattened(a, first, rows):
    """a[first : first + rows], flat; a is contiguous"""
    return a[first : first + rows].reshape(-1)


# Their compiled forms. Overloads would be functions that return an array, which Numba refuses: see `_jit.view`.


@type_callable(matrix)
def _type_of_matrix(context):
    return lambda flat, at, rows, columns: types.Array(flat.dtype, 2, "C") if isinstance(flat, types.Array) else None


@type_callable(flattened)
def _type_of_flattened(context):
    return lambda a, first, rows: types.Array(a.dtype, 1, "C") if isinstance(a, types.Array) else None


def _size(context, kind):
    """Bytes of an element."""
    return ir.Constant(ir.IntType(64), context.get_abi_sizeof(context.get_data_type(kind.dtype)))


@lower_builtin(matrix, types.Array, types.Integer, types.Integer, types.Integer)
def _emit_matrix(context, builder, signature, args):
    kind, size = signature.return_type, _size(context, signature.return_type)
    flat, at, rows, columns = args
    source = context.make_array(signature.args[0])(context, builder, flat)
    strides = [builder.mul(columns, size), size]
    return array_value(context, builder, kind, builder.gep(source.data, [at]), [rows, columns], strides, size)


@lower_builtin(flattened, types.Array, types.Integer, types.Integer)
def _emit_flattened(context, builder, signature, args):
    kind, size = signature.return_type, _size(context, signature.return_type)
    a, first, rows = args
    source = context.make_array(signature.args[0])(context, builder, a)
    columns = builder.extract_value(source.shape, 1)
    data = builder.gep(source.data, [builder.mul(first, columns)])
    return array_value(context, builder, kind, data, [builder.mul(rows, columns)], [size], size)
