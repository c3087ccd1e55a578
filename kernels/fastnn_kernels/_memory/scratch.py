"""Some numbers on the stack, for what a kernel sums or notes: kernels allocate nothing."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._memory.array_value import array_value

SCRATCH = 256  # numbers
PANEL = 8192


def scratch_row(value):
    """A matrix (1, SCRATCH) of the type of `value` on the stack; its contents are undefined"""
    return np.empty((1, SCRATCH), type(value))


def scratch_panel(value):
    """The same, but (1, PANEL)"""
    return np.empty((1, PANEL), type(value))


def _emitter(count):
    """What makes an array (1, count) on the stack, in compiled code."""

    def emit(context, builder, signature, args):
        kind = signature.return_type
        element = context.get_data_type(kind.dtype)
        with builder.goto_entry_block():  # not `alloca_once`, which fills with zeros: LLVM took 2 s for the panel's
            memory = builder.alloca(ir.ArrayType(element, count))
        bytes_of = [context.get_constant(types.intp, each * context.get_abi_sizeof(element)) for each in (count, 1)]
        extents = [context.get_constant(types.intp, extent) for extent in (1, count)]
        data = builder.bitcast(memory, element.as_pointer())
        return array_value(context, builder, kind, data, extents, bytes_of, bytes_of[1])

    return emit


for _function, _count in ((scratch_row, SCRATCH), (scratch_panel, PANEL)):
    type_callable(_function)(lambda context: lambda value: types.Array(value, 2, "C"))
    for _kind in (types.Float, types.Integer):
        lower_builtin(_function, _kind)(_emitter(_count))
