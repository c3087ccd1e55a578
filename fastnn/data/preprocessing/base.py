"""The base of all descriptions of what lies between a user's data and the inputs of a network."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fastnn.common.hints.habits import Hinted
from fastnn.common.plain import PlainNumbers
from fastnn.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Preprocessing(PlainNumbers, Hinted):
    """Base of all descriptions.

    Attributes:
        kind: Its name in a model's file.
        takes_mapping: Whether a mapping is one input's data, columns by name; else it holds the data of several inputs.
    """

    kind: ClassVar[str]
    takes_mapping: ClassVar[bool] = False

    @abstractmethod
    def check(self, shape: tuple[int, ...], ids: int | None) -> None:
        """Check that it makes what a network takes: samples of `shape`, that are ids or numbers.

        Args:
            shape: Of a sample as the network takes it.
            ids: How many ids there are; None if the network takes numbers.

        Raises:
            ShapeError: If it makes samples of another shape.
            ValueError: If it makes numbers instead of ids, or the other way round.
        """

    @abstractmethod
    def check_shape(self, given: tuple[int, ...], what: str, shape: tuple[int, ...]) -> None:
        """Check that data of the shape `given` can become samples of `shape`.

        Args:
            given: The shape of a user's data.
            what: What messages call them.
            shape: Of a sample as the network takes it.

        Raises:
            ShapeError: If they cannot.
            DataError: If there are none.
        """

    @abstractmethod
    def converted(self, x: Any, what: str, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """A user's data, checked, as a network of this dtype takes them.

        Args:
            x: The data.
            what: What messages call them.
            shape: Of a sample as the network takes it.
            dtype: Of the network.
        """

    def targets_of(self, y: Any, what: str) -> Any:
        """A user's targets as the network's loss takes them.

        Args:
            y: The targets.
            what: What messages call them.
        """
        return y

    def prepared(self, data: Dataset, dtype: str) -> Dataset:
        """Data as loaded as a network of that dtype takes them.

        Args:
            data: As a loader gives them.
            dtype: "float32" or "float64".
        """
        return data

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The description without its arrays: what JSON holds."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the description, by the names of their fields."""
        return {}


def checked(given: Any, inputs: list[str], shape: tuple[int, ...], ids: int | None) -> Preprocessing | None:
    """The description for a model, or None for none. TypeError, ValueError or ShapeError if it does not fit.

    inputs     : the names of the model's inputs
    shape, ids : of the first of them, as of `Preprocessing.check`
    """
    if given is None:
        return None
    if not isinstance(given, Preprocessing):
        raise TypeError(
            f"preprocessing is {given!r:.60}, expected fn.Pixels(...), fn.Table.of(...), fn.Words(...) or None"
        )
    if len(inputs) > 1:
        raise ValueError(f"preprocessing is for models of one input, this one has {', '.join(inputs)}")
    given.check(shape, ids)
    return given
