"""Softmax of rows, and its cross-entropy with its gradient."""

import numpy as np
from numpy.typing import ArrayLike

import fastnn_kernels as kernels
from fastnn.common.errors import ShapeError
from fastnn.common.validation import as_array
from fastnn.engine.available_memory import check_available
from fastnn.engine.threads import call
from fastnn.ops.arguments import arrays_of_floats, as_matrix, check_shape, ids_of_rows


def softmax(x: ArrayLike) -> np.ndarray:
    """exp(x) / Σ exp(x) along the last axis of x.

    Args:
        x: An array of any shape (…, n), n ≥ 1.

    Returns:
        An array of the same shape and dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.softmax([[0.0, 0.0]])
        array([[0.5, 0.5]])
    """
    (x,) = arrays_of_floats(x=x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ShapeError(f"x has shape {x.shape}, expected at least one score along the last axis")
    out = np.empty_like(x)
    call(kernels.softmax_forward, as_matrix(out), as_matrix(x), x.shape[-1])
    return out


def softmax_cross_entropy(
    x: ArrayLike, labels: ArrayLike, weight: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The softmax cross-entropy of each sample, whether it is classified correctly, and the gradient by the scores.

    Args:
        x: Scores (B, n).
        labels: (B,) whole numbers in [0, n).
        weight: (B,) of the samples; 1/B unless given.

    Returns:
        loss (np.ndarray): (B,): of each sample, in nats, without its weight.
        correct (np.ndarray): (B,): 1 where the label has the highest score (the first of equal ones), else 0.
        dx (np.ndarray): (B, n): the gradient of Σ weight[i] · loss[i].

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For labels out of range.

    Examples:
        >>> loss, correct, dx = fn.ops.softmax_cross_entropy([[0.0, 2.0], [0.0, 2.0]], [1, 0])
        >>> correct
        array([1., 0.])
    """
    labels = as_array(labels, "labels")
    x, weight = arrays_of_floats(x=x, weight=_equal_weights(labels) if weight is None else weight)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ShapeError(f"x has shape {x.shape}, expected (B, n) with at least one score in a row")
    labels = ids_of_rows("labels", labels, x.shape[1], f"x has {x.shape[1]} columns")
    check_shape("labels", labels, len(x))
    check_shape("weight", weight, len(x))
    loss, correct, dx = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype), np.empty_like(x)
    call(kernels.softmax_cross_entropy, loss, correct, dx, x, labels, weight, x.shape[1])
    return loss, correct, dx


def _equal_weights(labels: np.ndarray) -> list[float]:
    check_available(labels.size * 8, f"weights for labels with shape {labels.shape}")
    return [1 / max(1, labels.size)] * labels.size
