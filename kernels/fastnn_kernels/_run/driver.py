"""The compiled loop that runs a program: a table of entries, each a kernel's address and its operands.

An entry is one line of the int64 table: the address of an adapter (`_run.adapter`), then the words of each operand. The
words of an array are its address and its extents; an integer is one word. So a network is data: to build one compiles
nothing but the kernels that no earlier program used.
"""

from llvmlite import ir
from numba import prange, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fastnn_kernels._jit import JIT, compiled, inline
from fastnn_kernels._run.adapter import WORD
from fastnn_kernels._run.team import STATE, TOGETHER, barrier, gathered, reset

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
                    barrier(team, worker, workers, epoch)

    def _run_together(table, bounds, steps, team):
        """All phases in one region, if the team gathers."""
        for worker in prange(bounds.shape[1] - 1):
            if gathered(team, bounds.shape[1] - 1):
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

        Between phases is a barrier. All phases run in one region, by a team (see `_run.team`). If no team is given (an
        entry enters a region itself), or if it does not gather, each phase is a region.
        """
        # The regions are functions of their own: Numba moves a line that only reads an array, such as the team's
        # state, to before a region in the same function.
        together = False
        if team.shape[0] > 0 and steps > 0:
            reset(team)
            run_together(table, bounds, steps, team)
            together = team[STATE] == TOGETHER
        if not together:
            run_regions(table, bounds, steps)


class Loop:
    """A loop of the driver as something to be compiled, as an `Adapter` is: with the same methods.

    name  "run" or "run_phases"
    """

    title = "driver"  # for messages; no kernel has this name

    def __init__(self, name: str):
        words, steps = types.Array(types.int64, 2, "C"), types.int64
        team = types.Array(types.int64, 1, "C")
        self.name = name
        self._signature = (words, steps) if name == "run" else (words, words, steps, team)
        self._loop = globals()[name]
        self._entry = None

    def __call__(self, *given):
        """Run it, once it is made, on the arguments of the function of its name, of exactly its types.

        Not by way of Numba's dispatcher: that would import numpy.ma, in 6 ms, to see that arrays are plain ones.
        """
        self._entry(*given)

    @property
    def address(self) -> bool:
        """Whether it is made."""
        return self._entry is not None

    def description(self) -> list:
        """What another process must know to make it, as JSON."""
        return [self.title, self.name]

    def on_disk(self) -> bool:
        """Whether the cache has a file for it."""
        return self._loop._cache.holds(self._signature, cpu_target.target_context)

    def make(self) -> None:
        """Load the code from the cache, or compile it."""
        self._entry = self._loop.compile(self._signature)
