"""What initialisers have in common: values are drawn in float64, and written to a parameter in blocks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fastnn.common.errors import not_defined
from fastnn.common.hints.habits import Hinted
from fastnn.common.plain import PlainNumbers

BLOCK = 1 << 16  # numbers that are drawn, and rounded, before the next ones: their float64 copy stays in a cache


@dataclass(frozen=True)
class Initializer(PlainNumbers, Hinted):
    """Base: `sample(rng, shape)` returns float64 values of `shape`; `fill(rng, out)` writes the same into an array.

    For weights `shape` is (..., inputs, outputs); fan-in and fan-out count the leading extents too.
    """

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """The initial values of one parameter, float64.

        Args:
            rng: What the numbers are drawn from.
            shape: Of the parameter.
        """
        raise not_defined(self, "sample")

    def fill(self, rng: np.random.Generator, out: np.ndarray) -> None:
        """Write the initial values of one parameter to it, rounded to its dtype.

        Args:
            rng: What the numbers are drawn from.
            out: The parameter.
        """
        out[...] = self.sample(rng, out.shape)


class InBlocks(Initializer):
    """Base of initialisers that need no float64 copy of the whole parameter: `fill` writes it block by block."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        out = np.empty(shape)
        self.fill(rng, out)
        return out

    def fill(self, rng: np.random.Generator, out: np.ndarray) -> None:
        for block in blocks_of(out):
            block[...] = self.drawn(rng, block.shape, out.shape)

    def drawn(self, rng: np.random.Generator, shape: tuple[int, ...], whole: tuple[int, ...]) -> np.ndarray:
        """The next values, float64.

        Args:
            rng: What the numbers are drawn from.
            shape: Of the values.
            whole: The shape of the parameter that they are part of.
        """
        raise not_defined(self, "drawn")


def blocks_of(out: np.ndarray) -> Iterator[np.ndarray]:
    """Views of an array, one after the other in the order of its rows: of BLOCK numbers, or of one row if it has more.

    Args:
        out: The array.
    """
    if not out.ndim:
        yield out
        return
    rows = max(BLOCK // max(math.prod(out.shape[1:]), 1), 1)
    for first in range(0, len(out), rows):
        yield out[first : first + rows]


def check_spread(name: str, value: float) -> None:
    """ValueError unless a width of a distribution is finite and ≥ 0."""
    if not 0 <= 2 * value < math.inf:  # twice: NumPy takes the width of a range
        raise ValueError(f"{name} is {value}, expected a finite number ≥ 0")
