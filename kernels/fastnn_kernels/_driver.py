"""The compiled loop that runs a program: a table of entries, each a kernel's address and its operands.

An entry is one line of the int64 table: the address of an adapter, then the words of each operand. The words of an
array are its address and its extents; an integer is one word. The adapter is a function made for a kernel and the types
of its operands: it turns the words back into arrays (no allocation, about 1 ns each) and calls the kernel. So a network
is data: to build one compiles nothing but the kernels that no earlier program used.
"""

import functools

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core.ccallback import CFunc
from numba.extending import intrinsic
from numba.np import arrayobj

from fastnn_kernels import _team
from fastnn_kernels._cache import SourceStampedCache
from fastnn_kernels._jit import JIT, OPTIONS, Kernel, compiled, inline

WORD = ir.IntType(64)


def operand_type(operand):
    """The Numba type of one operand: a C-contiguous array, or int64 for a whole number."""
    if isinstance(operand, np.ndarray):
        return types.Array(numba.from_dtype(operand.dtype), operand.ndim, "C")
    return types.int64


def operand_words(operand) -> list[int]:
    """One operand as the int64 words of an entry; the inverse of `_read_operand`."""
    if isinstance(operand, np.ndarray):
        if not operand.flags.c_contiguous:
            raise ValueError(f"an entry takes C-contiguous arrays, got strides {operand.strides}")
        return [operand.ctypes.data, *operand.shape]
    return [int(operand)]


def _read_operand(context, builder, kind, load):
    """Emit the value of one operand; `load()` emits the next word of the entry."""
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
    """An intrinsic that reads the operands of an entry, which have these types, as a tuple."""

    @intrinsic
    def operands(typing_context, entry):
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
    """The C function `void(int64 entry)` that calls a kernel, serial or parallel, on the operands of an entry."""
    twin, operands = kernel.twin(parallel), _reader(kinds)

    def call(entry):
        twin(*operands(entry))

    # The operand types are part of the name: all adapters have the same signature, and two of one kernel (float32,
    # float64) in one process must not have the same symbol.
    call.__qualname__ = "-".join([f"entry.{twin.__name__}", *(str(kind).replace(" ", "") for kind in kinds)])
    function = CFunc(call, ((types.int64,), types.void), {}, OPTIONS)
    if kernel.cached:
        function._cache = SourceStampedCache(call.__qualname__, announced=kernel.name)
    function.compile()
    return function


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

    @inline
    def _run_as_team(table, bounds, steps, team, worker):
        """One worker's part of all phases, `steps` times, with a barrier wherever more than one of them has entries."""
        epoch, phases, workers = 0, bounds.shape[0], bounds.shape[1] - 1
        for step in range(steps):
            for f in range(phases):
                _run_entries(table, bounds[f, worker], bounds[f, worker + 1])
                following = (f + 1) % phases
                last = step == steps - 1 and f == phases - 1
                if not last and (bounds[f, 1] < bounds[f, -1] or bounds[following, 1] < bounds[following, -1]):
                    epoch += 1
                    _team.barrier(team, worker, workers, epoch)

    def _run_together(table, bounds, steps, team):
        """All phases in one region, if the team gathers."""
        for worker in prange(bounds.shape[1] - 1):
            if _team.gathered(team, bounds.shape[1] - 1):
                _run_as_team(table, bounds, steps, team, worker)

    def _run_regions(table, bounds, steps):
        """A region for each phase; none for a phase in which only the first worker has entries."""
        for _ in range(steps):
            for f in range(bounds.shape[0]):
                if bounds[f, 1] == bounds[f, -1]:
                    _run_entries(table, bounds[f, 0], bounds[f, 1])
                else:
                    for worker in prange(bounds.shape[1] - 1):
                        _run_entries(table, bounds[f, worker], bounds[f, worker + 1])

    run_together, run_regions = compiled(_run_together, parallel=True), compiled(_run_regions, parallel=True)

    @compiled
    def run_phases(table, bounds, steps, team):
        """Run phase after phase, `steps` times. In phase f, worker w runs entries bounds[f, w] ≤ e < bounds[f, w + 1].

        Between phases is a barrier. All phases run in one region, by a team (see `_team`). If no team is given (an
        entry enters a region itself), or if it does not gather, each phase is a region.
        """
        # The regions are functions of their own: Numba moves a line that only reads an array, such as the team's
        # state, to before a region in the same function.
        together = False
        if team.shape[0] > 0:
            _team.reset(team)
            run_together(table, bounds, steps, team)
            together = team[_team.STATE] == _team.TOGETHER
        if not together:
            run_regions(table, bounds, steps)
