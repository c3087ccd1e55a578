"""Neighbours on a grid of nets, and whether one of them is slower than its work and the fixed cost of a step explain.

The smaller of two neighbours needs at most the time of the larger one: all of it, if a fixed cost were everything. The
larger needs at most as much more as it has more multiply-adds: if there were no fixed cost. The *excess* is the factor
by which a pair lies outside of these two bounds; 1 within them. No fixed cost has to be estimated.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CLIFF = 1.5  # the excess that is listed
LINE = 16  # float32 numbers of a cache line: rows are padded to whole ones
WHOLE_LINES = "rows are padded to whole lines of 16 numbers"


@dataclass(frozen=True, order=True)
class Net:
    """A dense net of `depth` layers, each `width` wide like its input, trained on `batch` samples a step."""

    width: int
    batch: int
    depth: int

    @property
    def products(self) -> int:
        """Forward, gradient of the weights and, but for the first layer, of the input."""
        return 3 * self.depth - 1

    @property
    def multiply_adds(self) -> int:
        return self.products * self.batch * self.width**2

    @property
    def padded(self) -> int:
        """Multiply-adds, those of padding columns included."""
        return self.products * self.batch * self.width * (-(-self.width // LINE) * LINE)

    def __str__(self) -> str:
        return f"width {self.width}, batch {self.batch}, depth {self.depth}"


@dataclass(frozen=True)
class Cliff:
    """Two neighbours of which one is too slow: by which factor, and why; "" where no reason is known."""

    slow: Net
    quick: Net
    excess: float
    reason: str


def excess(less: float, more: float, work: float) -> float:
    """Of two neighbours' times; `work`: how many times the multiply-adds of the first the second has, at least 1."""
    return max(1.0, less / more, more / (less * work))


def cliff(one: Net, other: Net, seconds: dict[Net, float]) -> Cliff | None:
    """The cliff between two neighbours, if there is one."""
    less, more = sorted((one, other), key=lambda net: net.multiply_adds)
    times = seconds[less], seconds[more]
    found = excess(*times, more.multiply_adds / less.multiply_adds)
    if found <= CLIFF:
        return None
    by_padding = excess(*times, max(1.0, more.padded / less.padded)) <= CLIFF
    slow, quick = (less, more) if times[0] > times[1] else (more, less)
    return Cliff(slow, quick, found, WHOLE_LINES if by_padding else "")


def neighbours(nets: Iterable[Net]) -> Iterator[tuple[Net, Net]]:
    """Pairs that follow each other in one of the three quantities while the other two are equal."""
    nets = set(nets)
    for name in ("width", "batch", "depth"):
        others = [other for other in ("width", "batch", "depth") if other != name]
        lines: dict[tuple, list[Net]] = {}
        for net in sorted(nets):
            lines.setdefault(tuple(getattr(net, other) for other in others), []).append(net)
        for line in lines.values():
            line.sort(key=lambda net: getattr(net, name))
            yield from itertools.pairwise(line)


def cliffs(seconds: dict[Net, float]) -> list[Cliff]:
    """All cliffs between measured neighbours, the highest first."""
    found = (cliff(one, other, seconds) for one, other in neighbours(seconds))
    return sorted(filter(None, found), key=lambda one: -one.excess)
