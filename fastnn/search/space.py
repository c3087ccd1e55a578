"""Settings drawn at random, for a sweep: values of lists, and numbers between two ends (Bergstra and Bengio, 2012)."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.validation import is_whole_number, real_number

DIGITS = 4  # significant ones of a drawn number, so that a table and a command line can hold it
ATTEMPTS = 20  # for each trial: draws that repeat an earlier one are left out


@dataclass(frozen=True)
class Between:
    """A range of numbers for a sweep: whole ones if both ends are. Their logarithms are uniform if `low` is above 0.

    Args:
        low: The lower end.
        high: The upper end; it is in the range, too.

    Raises:
        TypeError: If an end is no number.
        ValueError: If the range is empty.

    Examples:
        >>> space = {"lr": fn.Between(1e-4, 1e-1), "hidden": fn.Between(4, 64), "activation": ["relu", "tanh"]}
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if not math.isfinite(real_number(f"Between: {name}", getattr(self, name))):
                raise ValueError(f"Between: {name} is {getattr(self, name)}, expected a finite number")
        if not self.low < self.high:
            raise ValueError(f"the range {self.low}..{self.high} is empty, expected its lower end first")

    @property
    def is_whole(self) -> bool:
        """Whether it is of whole numbers alone."""
        return is_whole_number(self.low) and is_whole_number(self.high)

    def drawn(self, generator: np.random.Generator) -> float:
        """One number.

        Args:
            generator: Of random numbers.
        """
        if self.low > 0:
            value = math.exp(generator.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = generator.uniform(self.low, self.high)
        rounded = round(value) if self.is_whole else float(f"{value:.{DIGITS}g}")
        return min(max(rounded, self.low), self.high)


Axis = Sequence[Any] | Between
Space = dict[str, Axis] | list[dict[str, Any]]  # axes by name, or the settings of each trial


def combinations(axes: Mapping[str, Axis]) -> list[dict[str, Any]]:
    """Every combination of the values of lists; the last axis changes fastest. ValueError for a range."""
    for name, axis in axes.items():
        if isinstance(axis, Between):
            raise ValueError(f"{name} is a range, of which there are no combinations: say trials=, how many to draw")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]  # type: ignore[arg-type]


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
