"""The compiled loop that runs a program: a table of entries, each a kernel's address and its operands.

An entry is one line of the int64 table: the address of an adapter (`_adapter`), then the words of each operand. The
words of an array are its address and its extents; an integer is one word. So a network is data: to build one compiles
nothing but the kernels that no earlier program used.
"""

from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from fastnn_kernels._adapter import WORD
from fastnn_kernels._jit import JIT, compiled, inline

if JIT:

    @intrinsic
    def _call(typing_context, address, entry):
        """Call the adapter at `address` with the address of the operands' words."""

        def codegen(context, builder, signature, args):
            function = ir.FunctionType(ir.VoidType(), [WORD])
            builder.call(builder.inttoptr(args[0], function.as_pointer()), [args[1]])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @inline
    def _run_entries(table, start, end):
        """Run entries start ≤ e < end of `table`, in order."""
        address, width = table.ctypes.data, table.shape[1] * table.itemsize
        for e in range(start, end):
            _call(table[e, 0], address + e * width + table.itemsize)

    @compiled
    def run(table, steps):
        """Run every entry of `table`, in order, `steps` times."""
        for _ in range(steps):
            _run_entries(table, 0, table.shape[0])

    def _run_phases(table, bounds, steps):
        """Run phase after phase, `steps` times. In phase f, worker w runs entries bounds[f, w] ≤ e < bounds[f, w + 1].

        Between phases is a barrier. A phase in which only the first worker has entries starts no threads.
        """
        for _ in range(steps):
            for f in range(bounds.shape[0]):
                if bounds[f, 1] == bounds[f, -1]:
                    _run_entries(table, bounds[f, 0], bounds[f, 1])
                else:
                    for worker in prange(bounds.shape[1] - 1):
                        _run_entries(table, bounds[f, worker], bounds[f, worker + 1])

    run_phases = compiled(_run_phases, parallel=True)
