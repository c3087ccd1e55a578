"""Slices of transient arrays: those that nobody reads after a step, of which a worker may keep the slice at hand alone.

Such a slice stays in the worker's cache, and the array itself is never written.
"""

from collections.abc import Collection, Sequence

import numpy as np

from fastnn.engine.ops import Slice
from fastnn.engine.schedule import Task

Tasks = Sequence[Sequence[Sequence[Task]]]  # of each phase and worker


def own_slices(sliced: Sequence[np.ndarray], tasks: Tasks) -> set[int]:
    """The transient arrays, by id, of which workers have slices of their own: smaller, together, than the array.

    sliced : those of which a slice is all that each worker needs: see `sliced_in_one_chain`
    tasks  : of each phase

    Large batches are read once, and a gradient then cut no finer than by workers: slices
    would only be a second array, and a third one for another number of threads.
    """
    lengths = {id(array): len(array) for array in sliced}
    slices = [largest_slices(of_worker, lengths) for phase in tasks for of_worker in phase]
    return {key for key, length in lengths.items() if sum(len(one.get(key, ())) for one in slices) < length}


def largest_slices(tasks: Sequence[Task], transient: Collection[int]) -> dict[int, np.ndarray]:
    """The largest slice that one worker takes of each transient array, by the array's id: views of the arrays."""
    largest: dict[int, np.ndarray] = {}
    for task in tasks:
        for array in transient_arrays(task, transient):
            rows = array[task.first : task.last]
            if len(rows) > len(largest.get(id(array), ())):
                largest[id(array)] = rows
    return largest


def transient_arrays(task: Task, transient: Collection[int]) -> list[np.ndarray]:
    """The transient arrays whose rows a task takes."""
    if not transient:
        return []
    arrays = [one.array for op in task.chain.ops for one in op.operands if isinstance(one, Slice)]
    return [array for array in arrays if isinstance(array, np.ndarray) and id(array) in transient]
