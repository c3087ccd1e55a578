"""Which rows may run at once, and who runs which share of them.

The rows of a step are put into phases. Within a phase threads work apart; between phases they wait for
each other. A row that works along an axis (samples, or the rows of a parameter) is cut there, and rows along
one axis follow each other on each share while it is in the cache: a layer's product, bias and activation,
or a weight's gradient and its update. Nothing that is summed is ever cut, so the bits are those of the
rows run one by one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnn.plan.arena import Buffer
from fastnn.plan.builder import Axis, Row


@dataclass
class Group:
    """Rows of one phase along one axis (None: not to be cut), in the order they run on each share."""

    axis: Axis | None
    rows: list[Row] = field(default_factory=list)


def phases(rows: Sequence[Row], alone: Callable[[Row], bool]) -> list[list[Group]]:
    """The groups of each phase: each row in the first phase that its dependencies allow.

    A row for which `alone` holds (it shares itself among threads) becomes a phase of its own.
    """
    solitary = [row.axis is None and alone(row) for row in rows]
    levels: list[int] = []
    for i, row in enumerate(rows):
        level = 0
        for j, earlier in enumerate(levels):
            if earlier >= level and _depends(row, rows[j]):
                together = row.axis is rows[j].axis and not solitary[i] and not solitary[j]
                level = earlier + (0 if together else 1)
        levels.append(level)
    found: list[list[Group]] = []
    for level in range(max(levels, default=-1) + 1):
        members = [i for i in range(len(rows)) if levels[i] == level]
        groups: dict[Axis | None, Group] = {}
        for i in members:
            if not solitary[i]:
                groups.setdefault(rows[i].axis, Group(rows[i].axis)).rows.append(rows[i])
        found += [list(groups.values())] if groups else []
        found += [[Group(None, [rows[i]])] for i in members if solitary[i]]
    return found


def _depends(row: Row, before: Row) -> bool:
    """Whether `row` must come after `before`: one writes what the other reads or writes."""
    return any(_overlap(a, b) for a in row.written() for b in before.arrays()) or any(
        _overlap(a, b) for a in row.arrays() for b in before.written()
    )


def _overlap(a: Any, b: Any) -> bool:
    if isinstance(a, Buffer) or isinstance(b, Buffer):
        return a is b
    return a.nbytes > 0 and b.nbytes > 0 and np.may_share_memory(a, b)


def used_in_one_group(array: np.ndarray, plan: list[list[Group]]) -> bool:
    """Whether only one group, along an axis, touches `array`: then no more than a share of it need exist."""
    users = [g for groups in plan for g in groups if any(_touches(row, array) for row in g.rows)]
    return len(users) == 1 and users[0].axis is not None


def _touches(row: Row, array: np.ndarray) -> bool:
    return any(_overlap(one, array) for one in row.arrays())


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
