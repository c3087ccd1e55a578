"""Which operations touch the same memory, and how early, or late, an operation may run because of that.

Memory is divided into regions, at every address at which an array of an operation begins or ends. A region remembers
the level of its last writer and of its readers since then. So an operation need not be compared with every earlier one.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Axis, Op, array_of, cut_of, is_array

# How an operation uses memory. Two uses that are equal, and not None, may share a level: either neither operation is
# cut, so that one thread runs both in order, or a slice takes the same part of the same array in both.
Tie = tuple[Any, ...] | None
Uses = Sequence[tuple["Region", Tie, bool]]  # of memory: where, how, and whether it is written


class Region:
    """A stretch of memory that each array contains as a whole or not at all, and the levels of those who used it."""

    def __init__(self) -> None:
        self.written: tuple[Tie, int] | None = None
        self.read: dict[Tie, int] = {}  # since it was written

    def earliest(self, tie: Tie, writes: bool) -> int:
        """The lowest level at which an operation may use this memory."""
        before = [self.written] if self.written else []
        before += self.read.items() if writes else ()
        return max((level + (tie is None or tie != other) for other, level in before), default=0)

    def shares(self, tie: Tie, level: int) -> bool:
        """Whether a use that is equal to `tie` stands at a level."""
        return tie is not None and (self.written == (tie, level) or self.read.get(tie) == level)

    def note(self, tie: Tie, writes: bool, level: int) -> None:
        """Remember a use. Uses before a write can be forgotten: whatever comes later must come after the write."""
        if writes:
            self.written, self.read = (tie, level), {}
        else:
            self.read[tie] = max(level, self.read.get(tie, 0))


class Regions:
    """The memory that operations touch."""

    def __init__(self, ops: Sequence[Op]):
        arrays = [array_of(operand) for op in ops for operand in op.operands if is_array(operand)]
        bounds = {id(a): _bounds(a) for a in arrays if isinstance(a, np.ndarray) and a.nbytes}
        cuts = sorted({address for pair in bounds.values() for address in pair})
        between = [Region() for _ in cuts[1:]]
        self._of: dict[int, list[Region]] = {id(a): [Region()] for a in arrays if isinstance(a, Buffer)}
        self._of |= {key: between[bisect_left(cuts, a) : bisect_left(cuts, b)] for key, (a, b) in bounds.items()}

    def forget(self) -> None:
        """Nobody has used any memory: the same operations can be asked about once more."""
        for regions in self._of.values():
            for region in regions:
                region.written, region.read = None, {}

    def of(self, array: Any) -> list[Region]:
        """The regions of an array or buffer that an operation touches; none of one without elements."""
        return self._of.get(id(array), [])

    def uses_of(self, ops: Sequence[Op], self_parallel: bool) -> Uses:
        """What one operation, or several of one level, use. ValueError if a slice reads what another slice writes."""
        found: list[tuple[Region, Tie, bool]] = []
        for op in ops:
            own = list(self._uses(op, self_parallel))
            _check_slices(op, own)
            found += own
        return found

    def level_of(self, uses: Uses) -> int:
        """The level of the next operation, or of several that need the same one."""
        level = max((region.earliest(tie, writes) for region, tie, writes in uses), default=0)
        self._note(uses, level)
        return level

    def deferred_level_of(self, uses: Uses, axis: Axis | None, level: int) -> int:
        """The level of the operation, or of several, that comes before those asked about so far: from last to first.

        Levels count from the end here, so what was the earliest is the latest. An operation that is cut along the rows
        of a parameter is put off to it if another takes there the slices that it writes, such as the update of a
        gradient. Any other keeps its `level`.
        """
        if axis is not None and axis.size is not None:
            latest = max((region.earliest(tie, writes) for region, tie, writes in uses), default=0)
            if any(writes and region.shares(tie, latest) for region, tie, writes in uses):
                level = latest
        self._note(uses, level)
        return level

    @staticmethod
    def _note(uses: Uses, level: int) -> None:
        for region, tie, writes in uses:
            region.note(tie, writes, level)

    def _uses(self, op: Op, self_parallel: bool) -> Iterator[tuple[Region, Tie, bool]]:
        for i, operand in enumerate(op.operands):
            if is_array(operand):
                tie = None if self_parallel else _tie(op, operand)
                for region in self.of(array_of(operand)):
                    yield region, tie, i < op.kernel.outputs


def _tie(op: Op, operand: Any) -> Tie:
    if op.axis is None:
        return ()
    if op.axis.serial:
        return (op.axis,)
    cut = cut_of(operand, op.axis)
    return None if cut is None else (op.axis, id(array_of(operand)), cut)


def _check_slices(op: Op, uses: Uses) -> None:
    if op.axis is None or op.axis.serial:
        return
    written = {region: tie for region, tie, writes in uses if writes}
    if any(region in written and written[region] != tie for region, tie, _ in uses):
        raise ValueError(
            f"{op.kernel.name} of {op.owner} is cut along an axis, but reads more than its own part of what it writes"
        )


def _bounds(array: np.ndarray) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last."""
    first = last = array.__array_interface__["data"][0]
    for extent, stride in zip(array.shape, array.strides, strict=True):
        first, last = first + min(0, (extent - 1) * stride), last + max(0, (extent - 1) * stride)
    return first, last + array.itemsize
