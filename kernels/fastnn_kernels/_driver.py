"""The compiled loop that runs a plan: a table of rows, each a kernel's address and its operands.

A row is one line of int64: the address of an adapter, then for each operand its words: an array is
its address and its extents, an integer is itself. The adapter, one generic function per kernel and
operand types, turns the words back into arrays (no allocation, about 1 ns each) and calls the
kernel. So a network is data: building one compiles nothing but kernels that no earlier plan used.
"""

import functools

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core.ccallback import CFunc
from numba.extending import intrinsic
from numba.np import arrayobj

from fastnn_kernels._cache import SourceStampedCache
from fastnn_kernels._jit import JIT, OPTIONS, Kernel, compiled, inline

WORD = ir.IntType(64)


def operand_type(operand):
    """The Numba type of one operand: a C-contiguous array, or int64 for a whole number."""
    if isinstance(operand, np.ndarray):
        return types.Array(numba.from_dtype(operand.dtype), operand.ndim, "C")
    return types.int64


def operand_words(operand) -> list[int]:
    """One operand as the int64 words of a row; the inverse of `_read_operand`."""
    if isinstance(operand, np.ndarray):
        if not operand.flags.c_contiguous:
            raise ValueError(f"a row takes C-contiguous arrays, got strides {operand.strides}")
        return [operand.ctypes.data, *operand.shape]
    return [int(operand)]


def _read_operand(context, builder, kind, load):
    """Emit the value of one operand; `load()` emits the next word of the row."""
    if not isinstance(kind, types.Array):
        return load()
    array = arrayobj.make_array(kind)(context, builder)
    data = builder.inttoptr(load(), array.data.type)
    shape = [load() for _ in range(kind.ndim)]
    itemsize = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [WORD(itemsize)]
    for extent in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], extent))
    arrayobj.populate_array(array, data=data, shape=shape, strides=strides, itemsize=WORD(itemsize), meminfo=None)
    return array._getvalue()


def _reader(kinds):
    """An intrinsic that reads all operands of a row of these types as a tuple."""

    @intrinsic
    def operands(typing_context, row):
        def codegen(context, builder, signature, args):
            words = builder.inttoptr(args[0], WORD.as_pointer())
            position = iter(range(1000))

            def load():
                return builder.load(builder.gep(words, [WORD(next(position))]))

            values = [_read_operand(context, builder, kind, load) for kind in kinds]
            return context.make_tuple(builder, signature.return_type, values)

        return types.Tuple(kinds)(types.int64), codegen

    return operands


@functools.cache
def adapter(kernel: Kernel, parallel: bool, kinds: tuple):
    """The C function `void(int64 row)` that calls a kernel's twin on the operands of a row."""
    twin, operands = kernel.twin(parallel), _reader(kinds)

    def call(row):
        twin(*operands(row))

    # The operand types are part of the name: all adapters have one signature, and two of a kernel
    # (float32, float64) loaded into one process must not share a symbol.
    call.__qualname__ = "-".join([f"row.{twin.__name__}", *(str(kind).replace(" ", "") for kind in kinds)])
    function = CFunc(call, ((types.int64,), types.void), {}, OPTIONS)
    if kernel.cached:
        function._cache = SourceStampedCache(call.__qualname__, announced=kernel.name)
    function.compile()
    return function


if JIT:

    @intrinsic
    def _call(typing_context, address, row):
        """Call the adapter at `address` with the address of its row."""

        def codegen(context, builder, signature, args):
            function = ir.FunctionType(ir.VoidType(), [WORD])
            builder.call(builder.inttoptr(args[0], function.as_pointer()), [args[1]])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @inline
    def _run_rows(table, begin, end):
        """Run rows begin ≤ r < end of `table`, in order."""
        first, width = table.ctypes.data, table.shape[1] * table.itemsize
        for r in range(begin, end):
            _call(table[r, 0], first + r * width + table.itemsize)

    @compiled
    def run(table, steps):
        """Run every row of `table`, in order, `steps` times."""
        for _ in range(steps):
            _run_rows(table, 0, table.shape[0])

    def _run_phases(table, bounds, steps):
        """Run phase after phase, `steps` times. Of phase f, worker w runs rows bounds[f, w] ≤ r < bounds[f, w + 1].

        A phase in which only the first worker has rows starts no threads.
        """
        for _ in range(steps):
            for f in range(bounds.shape[0]):
                if bounds[f, 1] == bounds[f, -1]:
                    _run_rows(table, bounds[f, 0], bounds[f, 1])
                else:
                    for worker in prange(bounds.shape[1] - 1):
                        _run_rows(table, bounds[f, worker], bounds[f, worker + 1])

    run_phases = compiled(_run_phases, parallel=True)
