"""Settings drawn at random, for a sweep: values of lists, and numbers between two ends (Bergstra and Bengio, 2012)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common import random

DIGITS = 4  # significant ones of a drawn number, so that a table and a command line can hold it
ATTEMPTS = 20  # for each trial: draws that repeat an earlier one are left out


@dataclass(frozen=True)
class Between:
    """Numbers from low to high: whole ones if both ends are. Their logarithms are uniform if low is above 0."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"the range {self.low}..{self.high} is empty, expected its lower end first")

    def drawn(self, generator: np.random.Generator) -> float:
        """One number."""
        if self.low > 0:
            value = math.exp(generator.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = generator.uniform(self.low, self.high)
        rounded = round(value) if isinstance(self.low, int) and isinstance(self.high, int) else _shortened(value)
        return min(max(rounded, self.low), self.high)


def _shortened(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


Axis = Sequence[Any] | Between


def draw(axes: Mapping[str, Axis], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` different choices of a value on each axis, or fewer where lists have fewer combinations.

    A larger count begins with the same choices: a sweep can be made longer.
    """
    generator = random.generator(seed, "random search")
    found: dict[tuple[Any, ...], None] = {}
    for _ in range(ATTEMPTS * count):
        if len(found) == count:
            break
        found[tuple(_value(axis, generator) for axis in axes.values())] = None
    return [dict(zip(axes, values, strict=True)) for values in found]


def _value(axis: Axis, generator: np.random.Generator) -> Any:
    return axis.drawn(generator) if isinstance(axis, Between) else axis[int(generator.integers(len(axis)))]
