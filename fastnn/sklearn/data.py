"""Users' data as an estimator trains on them: dense, of one dtype, with weights, cut for validation."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight

from fastnn.common.user_arrays import check_unmasked
from fastnn.engine.available_memory import check_available

FLOATS = (np.float64, np.float32)


class Data(NamedTuple):
    """Samples, what the network shall make of them, and their weights (None: all alike).

    x (N, features), y (N,) or (N, outputs), weight (N,)
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None

    @property
    def xy(self) -> tuple[np.ndarray, np.ndarray]:
        return self.x, self.y

    @property
    def whole_weight(self) -> float:
        return float(len(self.x) if self.weight is None else self.weight.sum())


def dense(x: Any, what: str) -> np.ndarray:
    """A sparse matrix as an array; arrays stay. OutOfMemoryError, before it is made, where it does not fit."""
    if not issparse(x):
        return x
    size = x.shape[0] * x.shape[1] * x.dtype.itemsize
    check_available(size, f"the sparse {what} {x.shape} as a dense array, which the network needs,", "a part of it")
    return x.toarray()


def weights(given: Any, x: np.ndarray, by_class: np.ndarray | None = None) -> np.ndarray | None:
    """What each sample counts: its own weight times that of its class. ValueError for weights that cannot be."""
    if given is None and by_class is None:
        return None
    check_unmasked(given, "sample_weight")
    if by_class is not None and not ((by_class >= 0) & (by_class < np.inf)).all():
        raise ValueError(
            f"class_weight goes from {by_class.min()} to {by_class.max()}, expected finite numbers ≥ 0 and not all 0"
        )
    both = _check_sample_weight(given, x, dtype=np.float64, ensure_non_negative=True)
    both = both if by_class is None else both * by_class
    if not both.sum() > 0:
        raise ValueError("sample_weight: all weights are 0, expected one above 0 at least (all-zero sample weights)")
    return both


def cut(data: Data, fraction: float, random_state: Any, stratify: Any) -> tuple[Data, Data]:
    """The samples to train on, and those set apart for validation. ValueError where these would be fewer than two."""
    parts = [part for part in data if part is not None]
    halves = train_test_split(*parts, test_size=fraction, random_state=random_state, stratify=stratify)
    kept, apart = Data(*halves[::2]), Data(*halves[1::2])
    if len(apart.x) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return kept, apart
