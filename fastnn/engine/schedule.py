"""Which operations may run at once, and which thread runs which slices of them.

The operations of a step are put into phases. Within a phase threads work apart; between two phases is a barrier. An
operation that works along an axis (the samples, or the rows of a parameter) is cut into slices. Operations along one
axis form a chain: they follow each other on each slice while it is in the cache, as a layer's product, bias and
activation do, or a weight's gradient and its update. No sum is ever cut, so the bits are those of the operations run
one by one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastnn.engine.ops import Axis, Op, Slice, array_of, is_array
from fastnn.engine.regions import Regions


@dataclass
class Chain:
    """Operations of one phase along one axis (None: they are not cut), in the order in which they run on each slice."""

    axis: Axis | None
    ops: list[Op] = field(default_factory=list)

    @property
    def divisible(self) -> bool:
        """Whether several threads may take a part each."""
        return self.axis is not None and not self.axis.serial


def phases(ops: Sequence[Op], self_parallel: Collection[int] = (), memory: Regions | None = None) -> list[list[Chain]]:
    """The chains of each phase: each operation stands in the first phase that its dependencies allow.

    But an operation along the rows of a parameter waits for the one that takes the slices which it writes: the update
    of a large weight comes after the input's gradient, which reads the weight, and so the weight's gradient, too, is
    computed then. Its slices never leave the cache.

    An operation must come after an earlier one if one of the two writes memory that the other reads or writes. It may
    share the earlier one's phase only if both are cut along one axis and each slice takes the same part of the same
    array, for all memory that they have in common. Otherwise a barrier stands between them. The operations whose
    numbers are in `self_parallel` (their kernels use all threads themselves) become phases of their own. Operations
    along a serial axis stay together. The time is linear in the number of operations.

    memory : that the operations touch, where it is known
    """
    groups = together(ops)
    levels = levels_of(ops, groups, self_parallel, memory or Regions(ops))
    members_of: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
    for members, level in zip(groups, levels, strict=True):
        members_of[level] += members
    found: list[list[Chain]] = []
    for members in members_of:
        chains: dict[Axis | None, Chain] = {}
        for i in members:
            if i not in self_parallel:
                chains.setdefault(ops[i].axis, Chain(ops[i].axis)).ops.append(ops[i])
        found += [list(chains.values())] if chains else []
        found += [[Chain(None, [ops[i]])] for i in members if i in self_parallel]
    return found


def levels_of(
    ops: Sequence[Op], groups: Sequence[Sequence[int]], self_parallel: Collection[int], memory: Regions
) -> list[int]:
    """The level of each group of operations: the first that is allowed, or a later one, in a phase with its reader."""
    memory.forget()
    uses = [memory.uses_of([ops[i] for i in members], members[0] in self_parallel) for members in groups]
    levels = [memory.level_of(one) for one in uses]
    last = max(levels, default=0)
    memory.forget()
    for i in reversed(range(len(groups))):
        levels[i] = last - memory.deferred_level_of(uses[i], ops[groups[i][0]].axis, last - levels[i])
    return levels


def together(ops: Sequence[Op]) -> list[list[int]]:
    """The numbers of the operations, one by one; those that follow each other along one serial axis together."""
    found: list[list[int]] = []
    for i, op in enumerate(ops):
        if i and op.axis is not None and op.axis.serial and op.axis is ops[i - 1].axis:
            found[-1].append(i)
        else:
            found.append([i])
    return found


def sliced_in_one_chain(
    arrays: Sequence[np.ndarray], phases_of_step: list[list[Chain]], memory: Regions | None = None
) -> list[np.ndarray]:
    """Those of `arrays` that only one chain touches, and each slice of it only its own rows: a slice is all they need.

    phases_of_step : as `phases` gives them
    memory         : as of `phases`
    """
    chains = [chain for phase in phases_of_step for chain in phase]
    memory = memory or Regions([op for chain in chains for op in chain.ops])
    owners = {region: array for array in arrays for region in memory.of(array)}
    users: dict[int, set[int]] = {id(array): set() for array in arrays}
    otherwise: set[int] = set()  # used as a whole, by columns, or as a part of another array
    for number, chain in enumerate(chains):
        for operand in (one for op in chain.ops for one in op.operands if is_array(one)):
            for array in (owners[region] for region in memory.of(array_of(operand)) if region in owners):
                users[id(array)].add(number)
                if not chain.divisible or not isinstance(operand, Slice) or operand.array is not array:
                    otherwise.add(id(array))
    return [array for array in arrays if len(users[id(array)]) == 1 and id(array) not in otherwise]


@dataclass(frozen=True)
class Task:
    """A chain that one thread runs in order, on the elements first ≤ i < last of its axis, if it has one."""

    chain: Chain
    first: int
    last: int


def tasks_of(chains: list[Chain], costs: list[float], batch: int, workers: int) -> list[list[Task]]:
    """The tasks of each worker, cut so that all end together. Chains that cannot be divided go to the last worker.

    costs : estimated nanoseconds of each chain
    """
    tasks: list[list[Task]] = [[] for _ in range(workers)]
    budget = [sum(costs) / workers] * workers
    for chain, cost in zip(chains, costs, strict=True):
        if not chain.divisible:
            tasks[-1] += [Task(chain, i, i + 1) for i in range(batch)] if chain.axis else [Task(chain, 0, 0)]
            budget[-1] -= cost
    worker = 0
    for chain, cost in zip(chains, costs, strict=True):
        if chain.axis is None or chain.axis.serial:
            continue
        first, size = 0, chain.axis.size or batch
        while first < size:
            while worker < workers - 1 and budget[worker] <= 0:
                worker += 1
            last = size if worker == workers - 1 else _end(chain.axis, first, size, budget[worker] / cost)
            tasks[worker].extend(_blocks(chain, first, last))
            budget[worker] -= cost * (last - first) / size
            first = last
            # What is left of its budget is a part of a step. Rows of a parameter it takes all the same: without them a
            # step of trigram took 1.03 times as long.
            if first < size and chain.axis.size is None:
                worker += 1
    return tasks


def _end(axis: Axis, first: int, size: int, fraction: float) -> int:
    """The end of a worker's part that starts at `first`: about a fraction of the axis, in whole steps, at least one."""
    return min(size, first + axis.step * max(1, round(fraction * size / axis.step)))


def _blocks(chain: Chain, first: int, last: int) -> Iterator[Task]:
    """A worker's part, cut into even slices of at most the axis's grain, which the caches hold."""
    assert chain.axis is not None
    count = -(-(last - first) // chain.axis.grain)
    step = chain.axis.step
    size = -(-(last - first) // (count * step)) * step
    for at in range(first, last, size):
        yield Task(chain, at, min(at + size, last))
