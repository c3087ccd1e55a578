"""The plan of a program: for a batch and a number of threads, the phases of a step and what each worker does in them.

What does not depend on the numbers in the arrays is found once, and kept as long as the plan lives.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from fastnn.engine import pieces, schedule
from fastnn.engine.costs import cost_of
from fastnn.engine.local_rows import local_buffers, local_rows
from fastnn.engine.memory import Buffer
from fastnn.engine.operands import Operands
from fastnn.engine.ops import Axis, Op, array_of, is_array
from fastnn.engine.regions import Regions
from fastnn.engine.schedule import Chain, Task
from fastnn.engine.slices import own_slices
from fastnn.engine.table import Entry, entries_of
from fastnn.engine.threads import pays_for_threads
from fastnn_kernels._tuning import PARALLEL_FROM, SHARED_FROM

# If the arrays of a step take no more bytes than this, one worker runs it operation by operation: to find chains and
# slices took half of the time that a small training needs before its first step. Steps of 0.4 to 1.3 MB take 0.97 to
# 1.01 of their time in slices, one of 2 MB, of which a weight and its gradient are a third, 1.013 (Zen 5, a second
# cache of 1 MB).
SMALL_BYTES = 3 << 19


class Plan:
    """Which worker runs what of a program's operations, and of which arrays it keeps its own part at hand.

    ops        the operations of a step
    operands   what theirs stand for
    samples    the axis of the samples
    batch      the largest
    transient  arrays that nobody reads after a step, as of `Program`
    unread     batched buffers that nobody reads after a step
    """

    def __init__(
        self,
        ops: Sequence[Op],
        operands: Operands,
        samples: Axis,
        batch: int,
        transient: Sequence[np.ndarray],
        unread: Sequence[Buffer],
    ):
        self._ops, self._operands, self._samples, self._batch = ops, operands, samples, batch
        self._transient, self._unread = transient, unread
        self._phases: dict[frozenset[int] | None, list[list[Chain]]] = {}  # None: operation by operation
        self._pieces: dict[int, list[tuple[Chain, int]]] = {}
        self._sliced: dict[int, list[np.ndarray]] = {}  # by the id of what `_phases` holds

    @cached_property
    def _memory(self) -> Regions:
        return Regions(self._ops)

    @cached_property
    def _is_small(self) -> bool:
        """Whether one worker may as well take the operations one by one, each on the whole batch."""
        if any(op.axis is not None and op.axis.serial for op in self._ops):  # they must take sample by sample
            return False
        arrays = {id(array): array for op in self._ops for array in map(array_of, filter(is_array, op.operands))}
        return sum(array.nbytes for array in arrays.values()) <= SMALL_BYTES

    def pays_for_threads(self, batch: int) -> bool:
        """Whether a step may be enough work for two threads: if not, nothing need be planned to know it.

        No phase has more work than all operations together, and no kernel that uses all threads itself has.
        """
        total = 0.0
        for op in self._ops:
            total += cost_of(op, self._operands.whole(op, batch), self._operands.is_input)
            if total >= PARALLEL_FROM:
                return True
        return False

    def phases(self, batch: int, workers: int) -> list[list[Chain]]:
        """The phases of a step: found once for all batches in which the same kernels use all threads themselves.

        Of a small step on one worker there is one, with one chain: the operations as they were emitted, not cut.
        """
        if workers == 1 and self._is_small:
            return self._phases.setdefault(None, [[Chain(None, list(self._ops))]])
        self_parallel = frozenset(i for i, op in enumerate(self._ops) if self._is_self_parallel(op, batch, workers))
        if self_parallel not in self._phases:
            self._phases[self_parallel] = schedule.phases(self._ops, self_parallel, self._memory)
        return self._phases[self_parallel]

    def sliced(self, batch: int, workers: int) -> list[np.ndarray]:
        """The transient arrays of which a slice is all that each worker needs."""
        phases = self.phases(batch, workers)
        if not any(chain.divisible for chains in phases for chain in chains):
            return []
        if id(phases) not in self._sliced:  # as long as the plan lives, so does what `phases` found
            self._sliced[id(phases)] = schedule.sliced_in_one_chain(self._transient, phases, self._memory)
        return self._sliced[id(phases)]

    def tasks(self, batch: int, workers: int) -> Iterator[tuple[list[list[Task]], bool]]:
        """For each phase the tasks of each worker that has any, and whether its kernel uses all threads itself."""
        phases = self.phases(batch, workers)
        # One worker takes all, whatever it costs: to estimate it would take a tenth of the time of making a table.
        costs = [[self._cost_of(chain, batch) if workers > 1 else 0.0 for chain in chains] for chains in phases]
        alone = [self._is_self_parallel(chains[0].ops[0], batch, workers) for chains in phases]
        shared = [not one and _can_be_shared(chains) for one, chains in zip(alone, phases, strict=True)]
        together = any(one and sum(of) >= PARALLEL_FROM for one, of in zip(shared, costs, strict=True))
        least = min(SHARED_FROM, PARALLEL_FROM) if together and not any(alone) else PARALLEL_FROM
        backwards = False
        for chains, of_chains, is_shared, is_alone in zip(phases, costs, shared, alone, strict=True):
            active = workers if is_shared and sum(of_chains) >= least else 1
            tasks = schedule.tasks_of(chains, of_chains, batch, active)
            yield [list(self._in_pieces(of_worker, backwards)) for of_worker in tasks], is_alone
            backwards ^= any(chain.axis is self._samples for chain in chains)

    def entries(self, batch: int, workers: int) -> list[list[list[Entry]]]:
        """The entries of each phase and worker."""
        phases = list(self.tasks(batch, workers))
        own = own_slices(self.sliced(batch, workers), [tasks for tasks, _ in phases])
        local = local_buffers(self._unread, [task.chain for tasks, _ in phases for one in tasks for task in one])
        return [
            [entries_of(of_worker, own, self_parallel, local_rows(of_worker, local)) for of_worker in tasks]
            for tasks, self_parallel in phases
        ]

    def _in_pieces(self, tasks: list[Task], backwards: bool) -> Iterator[Task]:
        """The tasks, those along the samples in pieces that a cache holds.

        backwards : whether to begin with the last samples: a cache may still hold them from the phase before
        """
        along = iter([task for task in tasks if task.chain.axis is self._samples][:: -1 if backwards else 1])
        for task in (next(along) if task.chain.axis is self._samples else task for task in tasks):
            if task.chain.axis is not self._samples:
                yield task
                continue
            key = id(task.chain)  # it lives as long as the plan
            if key not in self._pieces:
                self._pieces[key] = pieces.pieces_of(task.chain, self._batch)
            yield from pieces.in_pieces(task, self._pieces[key], backwards)

    def _cost_of(self, chain: Chain, batch: int) -> float:
        return sum(cost_of(op, self._operands.whole(op, batch), self._operands.is_input) for op in chain.ops)

    def _is_self_parallel(self, op: Op, batch: int, workers: int) -> bool:
        return workers > 1 and op.axis is None and pays_for_threads(op.kernel, self._operands.whole(op, batch))


def _can_be_shared(chains: Sequence[Chain]) -> bool:
    """Whether a phase has work for two threads."""
    return len(chains) > 1 or any(chain.divisible for chain in chains)
