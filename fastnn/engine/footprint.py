"""How much memory the runs of a program take beside its arena, known before the first one."""

from collections.abc import Collection

import numpy as np

from fastnn.engine.ops import array_of
from fastnn.engine.program import Program
from fastnn.engine.slices import largest_slices, own_slices


def bytes_of_transients(program: Program, sizes: Collection[int], workers: int) -> int:
    """The bytes that transient arrays take in runs on batches of these sizes, on one thread and on `workers`.

    Both numbers of threads will be tried. A worker keeps its own slices, of each size and number; an array that some
    run uses whole is there besides. The program's inputs must be bound: what work is worth a thread depends on them.
    """
    total, whole = 0, set()
    for size in sizes:
        for count in sorted({1, workers}):
            phases = [tasks for tasks, _ in program.plan.tasks(size, count)]
            if count > 1 and max(map(len, phases)) == 1:
                continue  # there is nothing for a second thread: the first table is used
            own = own_slices(program.plan.sliced(size, count), phases)
            slices = [largest_slices(tasks, own) for of_phase in phases for tasks in of_phase]
            total += sum(rows.nbytes for one in slices for rows in one.values())
            whole |= {id(one) for one in _used(program)} - own
    return total + sum(array.nbytes for array in program.transient if id(array) in whole)


def _used(program: Program) -> list[np.ndarray]:
    """The transient arrays that operations use at all: where a kernel does without a gradient, nobody writes it."""
    operands = [array_of(one) for op in program.ops for one in op.operands]
    arrays = [one for one in operands if isinstance(one, np.ndarray)]
    return [one for one in program.transient if any(np.may_share_memory(one, array) for array in arrays)]
