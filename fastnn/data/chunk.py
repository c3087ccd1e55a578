"""Samples in memory, and what a network expects of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastnn.common import validation


class Expected(Protocol):
    """What a network expects of its data, and the checks of it. They raise ShapeError, TypeError or DataError.

    classes      how many, if the targets of its only output are labels
    takes_classes
                 whether these are labels, or the numbers 0 and 1
    dtype        of the arithmetic: what is checked has no number that it cannot hold
    input_shapes of one sample of each input
    inputs_in, targets_in
                 a user's data for each input, his targets for each output, under the names that messages call them
    check_shape  ShapeError or DataError unless a stream of that shape holds samples for an input; by its number
    checked_input, checked_target
                 one of these as kernels take it; by its number
    """

    dtype: np.dtype

    @property
    def classes(self) -> int | None: ...

    @property
    def takes_classes(self) -> bool: ...

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]: ...

    def inputs_in(self, x: Any, what: str) -> dict[str, Any]: ...

    def targets_in(self, y: Any, what: str) -> dict[str, Any]: ...

    def check_shape(self, number: int, given: tuple[int, ...], what: str) -> None: ...

    def checked_input(self, number: int, x: Any, what: str) -> np.ndarray: ...

    def checked_target(self, number: int, y: Any, what: str) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Chunk:
    """The part of the data that is in memory: the samples of each input, the targets of each output, sample weights."""

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...] = ()
    sample_weight: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.x[0])

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """All of them, the weights last, if there are any."""
        return (*self.x, *self.y, *(() if self.sample_weight is None else (self.sample_weight,)))

    def part(self, first: int, last: int) -> "Chunk":
        """The samples first ≤ i < last: views."""
        weights = None if self.sample_weight is None else self.sample_weight[first:last]
        return Chunk(tuple(x[first:last] for x in self.x), tuple(y[first:last] for y in self.y), weights)


def checked(expected: Expected, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> Chunk:
    """Inputs and targets of equal length as kernels take them. They are called by their names in messages."""
    x = {name: apart(expected.checked_input(i, one, name), one) for i, (name, one) in enumerate(inputs.items())}
    y = {name: apart(expected.checked_target(i, one, name), one) for i, (name, one) in enumerate(targets.items())}
    check_lengths(x | y)
    return Chunk(tuple(x.values()), tuple(y.values()))


def apart(array: np.ndarray, given: Any) -> np.ndarray:
    """The same numbers, not the user's own array: its shape and its dtype may be assigned while kernels use them."""
    return array.view() if array is given else array


def check_lengths(data: Mapping[str, Any]) -> None:
    """ShapeError unless all have the same number of samples."""
    (first, one), *others = data.items()
    for name, other in others:
        validation.check_same_length(one, other, (first, name))
