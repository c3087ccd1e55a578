"""Class labels of any kind as numbers of classes, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from fastnn.common.plain import plain
from fastnn.common.text import plural
from fastnn.data.frames import is_missing


@dataclass(frozen=True)
class Labels:
    """The classes of a target, sorted, and whether a sample has several of them at once."""

    classes: np.ndarray
    several: bool

    @classmethod
    def of(cls, y: np.ndarray) -> "Labels":
        """The labels that occur in y (N,), or the columns of an indicator (N, labels)."""
        is_whole = y.ndim == 1 and y.dtype.kind in "biu"
        if is_whole and 2 * len(classes := np.unique(y)) <= len(y):  # labels for certain: to check takes 0.2 ms
            return cls(classes, False)
        y = _column(y)
        # `unique_labels` would find out once more that these are labels, which takes four times as long.
        classes = np.unique(y) if y.ndim == 1 and y.dtype.kind in "biuf" else unique_labels(y)
        return cls(classes, y.ndim == 2)

    @classmethod
    def of_classes(cls, y: Any, classes: Any) -> "Labels":
        """Those that a user names, of a target such as y."""
        return cls(unique_labels(classes), type_of_target(y).startswith("multilabel"))

    def check_same(self, classes: Any) -> None:
        """ValueError unless a user names the same classes again."""
        if not np.array_equal(self.classes, unique_labels(classes)):
            raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit: {self.classes!r}")

    def check_all_there(self, y: np.ndarray) -> None:
        """ValueError unless each class occurs in y, and no other."""
        found = unique_labels(_column(y))
        if set(found) != set(self.classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes}, `y` has {found}"
            )

    def encoded(self, y: np.ndarray, found_in_it: bool = False) -> np.ndarray:
        """y for the network: numbers of classes (N,), of two classes floats 0 and 1, of several at once (N, labels).

        found_in_it : whether `of` has found the classes in this y; otherwise ValueError for others in it
        """
        y = y.reshape(len(y)) if found_in_it and not self.several else self._checked(y)
        if self.several:
            return y.astype(np.float64)
        numbers = np.searchsorted(self.classes, y)
        return numbers if len(self.classes) > 2 else numbers.astype(np.float64)

    def _checked(self, y: np.ndarray) -> np.ndarray:
        """y, of one column (N,). ValueError unless it has the form and no classes but those of the labels."""
        y = _column(y)
        if self.several != (y.ndim == 2):
            raise ValueError(f"y has shape {y.shape}, expected {'one column a label' if self.several else '(N,)'}")
        found = unique_labels(y)
        if len(np.setdiff1d(found, self.classes)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. 'y' has {found}."
            )
        if self.several and y.shape[1] != len(self.classes):
            raise ValueError(f"y has {y.shape[1]} columns, expected one for each of {len(self.classes)} labels")
        return y

    def likeliest(self, probabilities: np.ndarray) -> np.ndarray:
        """The label of the highest probability, (N,); of several at once those above ½, (N, labels)."""
        if self.several:
            return (probabilities > 0.5).astype(np.int64)
        labels: np.ndarray = self.classes[probabilities.argmax(axis=1)]
        return labels


def refuse_missing(y: Any) -> None:
    """ValueError for labels of any kind but numbers, as of a frame's column, where one is missing or an array."""
    is_array = hasattr(y, "__array__") and not issparse(y)
    labels = np.asarray(y) if is_array else np.zeros(0)
    _refuse_arrays(labels)
    found = [i for i, label in enumerate(labels.ravel()) if is_missing(label)] if labels.dtype == object else []
    if found:
        rows = sorted({i // (labels.size // len(labels)) for i in found})
        raise ValueError(
            f"y has no class ({labels.ravel()[found[0]]}) in {plural(len(rows), 'row')}, the first is row {rows[0]}: "
            "leave these rows out of X and y"
        )


def _refuse_arrays(labels: np.ndarray) -> None:
    """ValueError for an array of objects of which one is an array or a list."""
    found = (i for i, label in enumerate(labels.ravel()) if isinstance(label, np.ndarray | list | tuple))
    if labels.dtype == object and (first := next(found, None)) is not None:
        one, row = " ".join(f"{labels.ravel()[first]!r:.60}".split()), first // (labels.size // len(labels))
        raise ValueError(f"y: row {row} is {one}, expected one label for each row")


def _column(y: np.ndarray) -> np.ndarray:
    """y, of one column (N,), and ValueError for numbers that are no labels."""
    y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
    refuse_missing(y)
    if y.ndim == 2 and type_of_target(y) == "multiclass-multioutput":
        raise ValueError(
            f"y has {y.shape[1]} columns, which are no indicator of 0 and 1: for a column of classes each use "
            "sklearn.multioutput.MultiOutputClassifier"
        )
    try:
        check_classification_targets(y)
    except ValueError:
        if type_of_target(y) != "unknown":
            raise
        raise ValueError(
            f"Unknown label type: y is {_kinds(y)}, expected texts alone, or numbers of NumPy's dtypes; "
            "np.array(list(y)) makes those of them"
        ) from None
    return y


def _kinds(y: np.ndarray) -> str:
    """One label of each Python type in y, which is not of a type that scikit-learn knows."""
    found: dict[str, Any] = {}
    for label in map(plain, y.ravel()):
        found.setdefault(type(label).__name__, label)
    told = " and ".join(f"{label!r:.40} ({name})" for name, label in list(found.items())[:3])
    return f"an array of dtype {y.dtype} with {told}"


def all_labels_right(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """The fraction of samples of which each label is predicted right: scikit-learn's accuracy of several labels."""
    right = ((y_pred > 0.5) == (y_true > 0.5)).reshape(len(y_true), -1).all(axis=1)
    return float(np.average(right, weights=sample_weight))
