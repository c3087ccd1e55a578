"""The columns of a table as numbers for a network: what training data say of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastnn.common import validation
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError
from fastnn.common.plain import PlainNumbers
from fastnn.data import frames
from fastnn.data.frames import Name, Value


@dataclass(frozen=True)
class NumberColumn(PlainNumbers):
    """A column of numbers: x becomes (x − mean) / std, a missing one 0, that is the mean.

    Args:
        name: Of the column.
        mean: Of the training data's numbers.
        std: Their standard deviation.
        missing: Whether numbers were missing in training: the network then takes a further column, 1 where one is
            missing.
    """

    name: Name
    mean: float
    std: float
    missing: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not (np.isfinite(self.mean) and np.isfinite(self.std) and self.std > 0):
            raise ValueError(f"Table: column {self.name!r} has mean {self.mean} and std {self.std}, expected std > 0")

    @classmethod
    @ieee
    def of(cls, name: Name, numbers: np.ndarray) -> "NumberColumn":
        """Mean and deviation, that of the samples as a population, of the numbers that are there; a constant's is 1."""
        there = numbers[~np.isnan(numbers)]
        # Squares of large numbers would overflow, those of small ones vanish; a power of 2 costs no digits.
        size = 2.0 ** (np.frexp(np.abs(there).max(initial=0.0))[1] - 1)
        mean, std = (float(size * f(there / size)) if len(there) else 0.0 for f in (np.mean, np.std))
        is_constant = not len(there) or there.min() == there.max()
        return cls(name, mean, 1.0 if is_constant or not std > 0 else std, len(there) < len(numbers))

    @ieee
    def standardised(self, numbers: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(numbers), 0.0, (numbers - self.mean) / self.std)


@dataclass(frozen=True)
class CategoryColumn(PlainNumbers):
    """A column of categories: values[i] becomes the id i, a missing one the id K, any other K + 1, of K values.

    Args:
        name: Of the column.
        values: The categories, sorted.
        counts: How often each id occurred in training, (K + 2,).
    """

    name: Name
    values: Sequence[Value]
    counts: Sequence[int]

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not isinstance(self.values, list | tuple) or not all(isinstance(one, Value) for one in self.values):
            raise TypeError(f"Table: column {self.name!r} has the categories {self.values!r:.60}, expected a list")
        if any(isinstance(one, float) and not np.isfinite(one) for one in self.values):
            raise DataError(f"column {self.name!r} holds infinite numbers, expected categories")
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"Table: column {self.name!r} has a category twice")
        counts = self.counts
        if not isinstance(counts, list | tuple) or not all(validation.is_whole_number(n) and n >= 0 for n in counts):
            raise TypeError(f"Table: column {self.name!r} has counts {counts!r:.60}, expected whole numbers")
        if len(counts) != len(self.values) + 2:
            raise ValueError(f"Table: column {self.name!r} has {len(counts)} counts, expected {len(self.values) + 2}")
        object.__setattr__(self, "values", list(self.values))
        object.__setattr__(self, "counts", list(counts))

    @classmethod
    def of(cls, name: Name, coded: frames.Coded, least: int) -> "CategoryColumn":
        """The values that occur `least` times or more, sorted."""
        occur = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.values)).tolist()
        pairs = zip(coded.values, occur, strict=True)
        kept = sorted([value for value, n in pairs if n >= max(1, least)], key=lambda one: (isinstance(one, str), one))
        column = cls(name, kept, [0] * (len(kept) + 2))
        return replace(column, counts=np.bincount(column.ids(coded), minlength=column.rows).tolist())

    @property
    def rows(self) -> int:
        """How many ids there are."""
        return len(self.values) + 2

    def ids(self, coded: frames.Coded) -> np.ndarray:
        """The id of each row, (N,)."""
        known = {value: i for i, value in enumerate(self.values)}
        unseen, missing = len(self.values) + 1, len(self.values)
        of_values = np.array([*(known.get(value, unseen) for value in coded.values), missing], np.int64)
        return of_values[coded.codes]


def column_of(given: Any) -> NumberColumn | CategoryColumn:
    """A column, also as a file has it. TypeError for fields that are none."""
    if isinstance(given, NumberColumn | CategoryColumn):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f"Table: a column is {given!r:.60}, expected what fn.Table.of(frame) makes")
    return CategoryColumn(**given) if "values" in given else NumberColumn(**given)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) and not validation.is_whole_number(name):
        raise TypeError(f"Table: a column is called {name!r:.60}, expected a text or its position")
