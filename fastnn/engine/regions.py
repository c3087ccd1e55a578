"""Which rows touch the same memory, and how early a row may run for that.

Memory is divided into regions, at every address at which an array of a row begins or ends. A region remembers the
level of its last writer and of its readers since: a later row need not be compared with any earlier one.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.engine.builder import Row, array_of, cut_of, is_array
from fastnn.engine.memory import Buffer

# How a row uses memory. Two uses that are equal, and not None, may share a level: both rows are uncut, so that they run
# one after the other, or a share takes the same part of the same array in both.
Tie = tuple[Any, ...] | None


class Region:
    """A stretch of memory that every array contains as a whole or not at all, and the levels of those who used it."""

    def __init__(self) -> None:
        self.written: tuple[Tie, int] | None = None
        self.read: dict[Tie, int] = {}  # since it was written

    def earliest(self, tie: Tie, writes: bool) -> int:
        """The lowest level at which a row may use this memory."""
        before = [self.written] if self.written else []
        before += self.read.items() if writes else ()
        return max((level + (tie is None or tie != other) for other, level in before), default=0)

    def note(self, tie: Tie, writes: bool, level: int) -> None:
        """Remember a use. What a write came after need not be remembered: nothing may overtake the write."""
        if writes:
            self.written, self.read = (tie, level), {}
        else:
            self.read[tie] = max(level, self.read.get(tie, 0))


class Regions:
    """The memory that rows touch."""

    def __init__(self, rows: Sequence[Row]):
        arrays = [array_of(one) for row in rows for one in row.operands if is_array(one)]
        bounds = {id(a): _bounds(a) for a in arrays if isinstance(a, np.ndarray) and a.nbytes}
        cuts = sorted({address for pair in bounds.values() for address in pair})
        between = [Region() for _ in cuts[1:]]
        self._of: dict[int, list[Region]] = {id(a): [Region()] for a in arrays if isinstance(a, Buffer)}
        self._of |= {key: between[bisect_left(cuts, a) : bisect_left(cuts, b)] for key, (a, b) in bounds.items()}

    def of(self, array: Any) -> list[Region]:
        """The regions of an array or buffer that a row touches; none of one without elements."""
        return self._of.get(id(array), [])

    def place(self, row: Row, solitary: bool) -> int:
        """The level of the next row. ValueError if its own shares would get in each other's way."""
        uses = list(self._uses(row, solitary))
        _check_shares(row, uses)
        level = max((region.earliest(tie, writes) for region, tie, writes in uses), default=0)
        for region, tie, writes in uses:
            region.note(tie, writes, level)
        return level

    def _uses(self, row: Row, solitary: bool) -> Iterator[tuple[Region, Tie, bool]]:
        for i, operand in enumerate(row.operands):
            if is_array(operand):
                tie = None if solitary else _tie(row, operand)
                for region in self.of(array_of(operand)):
                    yield region, tie, i < row.kernel.outputs


def _tie(row: Row, operand: Any) -> Tie:
    if row.axis is None:
        return ()
    cut = cut_of(operand, row.axis)
    return None if cut is None else (row.axis, id(array_of(operand)), cut)


def _check_shares(row: Row, uses: list[tuple[Region, Tie, bool]]) -> None:
    """ValueError if a row that is cut reads, in one share, what another share of it writes."""
    if row.axis is None:
        return
    written = {region: tie for region, tie, writes in uses if writes}
    if any(region in written and written[region] != tie for region, tie, _ in uses):
        raise ValueError(
            f"{row.kernel.name} of {row.owner} is cut along an axis, but reads more than its own part of what it writes"
        )


def _bounds(array: np.ndarray) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last."""
    first = last = array.__array_interface__["data"][0]
    for extent, stride in zip(array.shape, array.strides, strict=True):
        first, last = first + min(0, (extent - 1) * stride), last + max(0, (extent - 1) * stride)
    return first, last + array.itemsize
