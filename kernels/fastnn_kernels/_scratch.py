"""A short row of numbers on the stack, for what a kernel sums or notes: kernels allocate nothing."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._array_value import array_value

SCRATCH = 256  # numbers


def scratch_row(value):
    """A matrix (1, SCRATCH) of the type of `value` on the stack; its contents are undefined"""
    return np.empty((1, SCRATCH), type(value))


type_callable(scratch_row)(lambda context: lambda value: types.Array(value, 2, "C"))


@lower_builtin(scratch_row, types.Float)
@lower_builtin(scratch_row, types.Integer)
def _emit_scratch_row(context, builder, signature, args):
    kind = signature.return_type
    element = context.get_data_type(kind.dtype)
    memory = cgutils.alloca_once(builder, ir.ArrayType(element, SCRATCH))
    bytes_of = [context.get_constant(types.intp, count * context.get_abi_sizeof(element)) for count in (SCRATCH, 1)]
    extents = [context.get_constant(types.intp, extent) for extent in (1, SCRATCH)]
    data = builder.bitcast(memory, element.as_pointer())
    return array_value(context, builder, kind, data, extents, bytes_of, bytes_of[1])
