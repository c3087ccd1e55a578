"""Class labels: whole numbers from 0. What users have instead is refused with the line that makes labels of it."""

from typing import Any

import numpy as np

from fastnn.common.errors import DataError, ShapeError
from fastnn.common.hints.habits import warn
from fastnn.common.validation import as_array, whole_numbers


def class_labels(y: Any, name: str, classes: int) -> np.ndarray:
    """y, (N,) or (N, 1), as labels (N,) of `classes` classes.

    Raises ShapeError for other shapes, one-hot rows among them, TypeError for words, DataError for other numbers.
    """
    refuse_words(y, name)
    y = as_array(y, name)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        one_hot = y.ndim == 2 and y.shape[1] == classes and bool(((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all())
        hint = f"; {name} is one-hot: its labels are y.argmax(axis=1)" if one_hot else ""
        raise ShapeError(f"{name} has shape {y.shape}, expected one label per sample: (N,) or (N, 1){hint}")
    _refuse_other_numbering(y, name, classes)
    meaning = f"labels of {classes} classes"
    if y.dtype.kind == "f" and (np.isfinite(y) & (y != np.floor(y))).any():
        meaning += '; numbers as targets need another loss, such as "mse"'
    return whole_numbers(y, name, classes, meaning)


def labels_of_steps(y: Any, name: str, steps: int, classes: int) -> np.ndarray:
    """y, (N, steps), as a label of each step of N sequences; −1, no label, becomes `classes`.

    Raises ShapeError for other shapes, TypeError for words, DataError for other numbers.
    """
    refuse_words(y, name)
    y = as_array(y, name)
    if y.ndim != 2 or y.shape[1] != steps:
        hint = "; for one label a sample put Flatten() before the last layer" if y.ndim == 1 else ""
        raise ShapeError(
            f"{name} has shape {y.shape}, expected (N, {steps}): a label for each of {steps} steps, -1 for none{hint}"
        )
    is_none = y == -1
    if y.size and is_none.all():
        raise DataError(f"{name} is -1 everywhere, which is no label: expected a label at some steps")
    found = whole_numbers(np.where(is_none, 0, y), name, classes, f"labels of {classes} classes, or -1 for none")
    return np.where(is_none, classes, found)


def refuse_words(y: Any, name: str) -> None:
    """TypeError if y, as a user gave it, begins with a text, such as a class's name."""
    first = y
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if hasattr(first, "dtype") and getattr(first.dtype, "kind", "O") not in "biuf":
        array = np.asarray(first)
        first = array.reshape(-1)[0] if array.size else None
    if isinstance(first, str | bytes):
        raise TypeError(
            f"{name} holds words such as {str(first)!r}, expected whole numbers from 0; this numbers the classes: "
            "names, y = np.unique(y, return_inverse=True)"
        )


def is_plus_minus_one(y: np.ndarray) -> bool:
    """Whether y holds −1 and, besides, nothing but 1."""
    return bool(y.size and y.dtype.kind in "if" and y.min() == -1 and (abs(y) == 1).all())


def _refuse_other_numbering(y: np.ndarray, name: str, classes: int) -> None:
    """DataError for labels that are right but for their beginning: from 1, or −1 and 1."""
    if not y.size or y.dtype.kind not in "iuf":
        return
    if y.min() == 1 and y.max() == classes:
        raise DataError(
            f"{name} holds labels from 1 to {classes}, but classes are numbered from 0 to {classes - 1}: give y - 1"
        )
    if classes == 2 and is_plus_minus_one(y):
        raise DataError(f"{name} holds -1 and 1, but classes are numbered from 0: give (y + 1) // 2")


def warn_of_order(kept: np.ndarray, rest: np.ndarray) -> None:
    """Warn if samples were cut where that cannot be right: classes of the part `rest` are not in `kept`, or all are
    sorted by class. Both hold labels (n,), or the numbers 0 and 1, (n, 1).
    """
    labels = np.concatenate([kept, rest]).reshape(-1)
    if labels.size != len(kept) + len(rest) or (labels.dtype.kind == "f" and (labels != np.floor(labels)).any()):
        return  # several outputs, or probabilities
    before, after = (np.bincount(part.reshape(-1).astype(np.intp)) for part in (kept, rest))
    only = [label for label in np.flatnonzero(after) if label >= len(before) or not before[label]]
    if only:
        what = f"class {only[0]} is only among them"
    elif labels[0] != labels[-1] and _is_sorted(labels):
        what = "the samples are sorted by class"
    else:
        return
    warn(
        f"validation_split takes the last {len(rest)} of {len(labels)} samples, and {what}; shuffle them first: "
        "order = np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order]"
    )


def _is_sorted(labels: np.ndarray) -> bool:
    before, after = labels[:-1], labels[1:]
    return bool((before <= after).all() or (before >= after).all())
