"""Which rows may run at once, and who runs which share of them.

The rows of a step are put into phases. Within a phase threads work apart; between phases they wait for
each other. A row that works along an axis (samples, or the rows of a parameter) is cut there, and rows along
one axis follow each other on each share while it is in the cache: a layer's product, bias and activation,
or a weight's gradient and its update. Nothing that is summed is ever cut, so the bits are those of the
rows run one by one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastnn.engine.builder import Axis, Row, Rows, array_of, is_array
from fastnn.engine.regions import Regions


@dataclass
class Group:
    """Rows of one phase along one axis (None: not to be cut), in the order they run on each share."""

    axis: Axis | None
    rows: list[Row] = field(default_factory=list)


def phases(rows: Sequence[Row], alone: Collection[int] = ()) -> list[list[Group]]:
    """The groups of each phase: each row in the first phase that its dependencies allow.

    A row must come after an earlier one if one of the two writes memory that the other reads or writes. It may share
    the earlier row's phase only if both are cut along one axis and each share takes the same part of the same array,
    for all memory that they have in common; otherwise a barrier stands between them. The rows whose numbers are in
    `alone` (their kernels share themselves among threads) become phases of their own. The time is linear in the
    number of rows.
    """
    memory = Regions(rows)
    members: list[list[int]] = []
    for i, row in enumerate(rows):
        level = memory.place(row, i in alone)
        members += [[] for _ in range(level + 1 - len(members))]
        members[level].append(i)
    found: list[list[Group]] = []
    for of_level in members:
        groups: dict[Axis | None, Group] = {}
        for i in of_level:
            if i not in alone:
                groups.setdefault(rows[i].axis, Group(rows[i].axis)).rows.append(rows[i])
        found += [list(groups.values())] if groups else []
        found += [[Group(None, [rows[i]])] for i in of_level if i in alone]
    return found


def used_in_one_group(arrays: Sequence[np.ndarray], plan: list[list[Group]]) -> list[np.ndarray]:
    """Those of `arrays` that one group alone touches, by its own rows only: no more than a share of them need exist."""
    groups = [group for phase in plan for group in phase]
    memory = Regions([row for group in groups for row in group.rows])
    owners = {region: array for array in arrays for region in memory.of(array)}
    users: dict[int, set[int]] = {id(array): set() for array in arrays}
    shared: set[int] = set()  # touched as a whole, by columns, or as a part of another array
    for number, group in enumerate(groups):
        for operand in (one for row in group.rows for one in row.operands if is_array(one)):
            for array in (owners[region] for region in memory.of(array_of(operand)) if region in owners):
                users[id(array)].add(number)
                if group.axis is None or not isinstance(operand, Rows) or operand.array is not array:
                    shared.add(id(array))
    return [array for array in arrays if len(users[id(array)]) == 1 and id(array) not in shared]


@dataclass(frozen=True)
class Job:
    """Rows that one worker runs in order, on elements first ≤ i < last of their axis."""

    group: Group
    first: int
    last: int


def shares(groups: list[Group], costs: list[float], batch: int, workers: int) -> list[list[Job]]:
    """The jobs of each worker: what cannot be cut goes to the last, then the rest so that all end together.

    costs are estimated nanoseconds of each group.
    """
    jobs: list[list[Job]] = [[] for _ in range(workers)]
    room = [sum(costs) / workers] * workers
    for group, cost in zip(groups, costs, strict=True):
        if group.axis is None:
            jobs[-1].append(Job(group, 0, 0))
            room[-1] -= cost
    worker = 0
    for group, cost in zip(groups, costs, strict=True):
        if group.axis is None:
            continue
        first, size = 0, group.axis.size or batch
        while first < size:
            while worker < workers - 1 and room[worker] <= 0:
                worker += 1
            last = size if worker == workers - 1 else _share_end(group.axis, first, size, room[worker] / cost)
            jobs[worker].extend(_blocks(group, first, last))
            room[worker] -= cost * (last - first) / size
            first = last
    return jobs


def _share_end(axis: Axis, first: int, size: int, part: float) -> int:
    """Where the share that starts at `first` ends: about `part` of the axis, in whole steps, at least one."""
    return min(size, first + axis.step * max(1, round(part * size / axis.step)))


def _blocks(group: Group, first: int, last: int) -> Iterator[Job]:
    """The share cut into even blocks of at most the axis's grain, which the caches hold."""
    assert group.axis is not None
    count = -(-(last - first) // group.axis.grain)
    step = group.axis.step
    size = -(-(last - first) // (count * step)) * step
    for at in range(first, last, size):
        yield Job(group, at, min(at + size, last))
