"""What every loader returns: arrays of samples, split for training, validation and test, and what is known of them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.errors import DataError


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their labels.

    x : (N, …) any dtype — one sample per row.
    y : (N, …) any dtype — its label or target.

    Raises DataError if the lengths differ or one of the two is no array with rows.
    """

    x: NDArray[Any]
    y: NDArray[Any]

    def __post_init__(self) -> None:
        for name, array in (("x", self.x), ("y", self.y)):
            if not isinstance(array, np.ndarray) or array.ndim == 0:
                raise DataError(f"{name} of a split must be an array with one row per sample, found {array!r:.60}")
        if len(self.x) != len(self.y):
            raise DataError(f"x has {len(self.x)} samples but y has {len(self.y)}, expected one label per sample")

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits and what is known of them; `val` or `test` is None where the data have no such part.

    meta : dict — `source` ("generated" or the path) always; for language data `words` (list of str, by id) and
    `true_entropy` (nats, or None where nobody knows it); the loaders say what else they add.
    """

    train: Split
    val: Split | None = None
    test: Split | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        named = (("train", self.train), ("val", self.val), ("test", self.test))
        return {name: split for name, split in named if split is not None}


def id_dtype(count: int) -> np.dtype[Any]:
    """The smallest integer dtype for ids 0 … count − 1: uint8, uint16 or int32."""
    if count <= 2**8:
        return np.dtype(np.uint8)
    return np.dtype(np.uint16 if count <= 2**16 else np.int32)
