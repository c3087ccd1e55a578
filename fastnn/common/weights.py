"""How much samples count: the user's weights of samples and of classes."""

from collections.abc import Mapping

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.plain import plain
from fastnn.common.user_arrays import first_index
from fastnn.common.validation import DOUBLE, finite, real_number, representable


def sample_weights(
    given, samples: int, dtype: np.dtype = DOUBLE, name: str = "sample_weight", is_all: bool = True
) -> np.ndarray | None:
    """The user's weights of N samples, (N,) float64, for kernels of `dtype`; None if all samples count the same.

    is_all : whether these are all samples, which cannot all count 0; those of one batch can

    Raises TypeError for a dict, ShapeError for another number of weights, DataError for weights that are not finite,
    negative or all 0.
    """
    if given is None:
        return None
    if isinstance(given, dict):
        raise TypeError(
            f"{name} is a dict, expected ({samples},): a number for each sample, whatever the outputs. Outputs are "
            "weighed by loss_weights= of the model; where samples lack the target of an output, an fn.ElementwiseLoss "
            "can be 0 for them; or train a model for each output"
        )
    weights = finite(given, name, dtype).astype(np.float64)
    if weights.shape != (samples,):
        raise ShapeError(f"{name} has shape {weights.shape}, expected ({samples},): a number for each sample")
    return check_weights(weights, f"{name} goes", dtype) if is_all or weights.any() else weights


def class_weights(given, classes: int | None, dtype: np.dtype = DOUBLE) -> np.ndarray | None:
    """The user's weights of the classes, (classes,) float64, for kernels of `dtype`; None if all count the same.

    given   : a weight for each class, or a mapping {label: weight}, such as a pandas Series; a label that is not in
              it has weight 1. True and False are the labels 1 and 0.
    classes : how many there are; None if the targets are no classes, or not one a sample

    Raises ValueError if there are no classes, ShapeError or DataError for weights that do not fit them.
    """
    if given is None:
        return None
    if classes is None:
        raise ValueError(
            "class_weight needs classes, one a sample, of a single output: labels, or 0 and 1 of one score with "
            "binary_cross_entropy; else use sample_weight, (N,)"
        )
    weights = representable(_class_weights(given, classes), "class_weight", dtype)
    return check_weights(weights, "class_weight goes", dtype)


@ieee
def combined_weights(
    by_sample: np.ndarray | None, by_class: np.ndarray | None, y: np.ndarray, dtype: np.dtype = DOUBLE
) -> np.ndarray | None:
    """The weights (N,) of samples with targets y, as `class_numbers` takes them: that of the sample times its class's.

    None if all samples count the same. DataError if a product is too large for kernels of `dtype`.
    """
    if by_class is None:
        return by_sample
    # clip: y was checked, but may be written to meanwhile; kernels tell of that.
    of_samples = np.take(by_class, class_numbers(y), mode="clip")
    return of_samples if by_sample is None else finite(by_sample * of_samples, "sample_weight · class_weight", dtype)


@ieee
def check_weights(weights: np.ndarray, which: str, dtype: np.dtype = DOUBLE) -> np.ndarray:
    """`weights` unchanged; DataError if one is negative, or all are 0 in `dtype`. which: how the message begins."""
    if weights.min() < 0 or not weights.astype(dtype).any():
        raise DataError(f"{which} from {weights.min()} to {weights.max()}, expected ≥ 0 and not all 0")
    return weights


def class_numbers(y: np.ndarray) -> np.ndarray:
    """The classes (N,) of checked targets: labels (N,), or the numbers 0 and 1 of one score, (N, 1).

    Raises DataError for numbers between 0 and 1, which are no classes.
    """
    if y.ndim == 1:
        return y
    numbers = y[:, 0].astype(np.intp)
    if (bad := first_index(y, y != numbers[:, None])) is not None:
        raise DataError(f"class_weight beside y{list(bad)} = {y[bad]}, expected 0 or 1; else use sample_weight, (N,)")
    return numbers


def balanced_weights(y: np.ndarray, classes: int) -> np.ndarray:
    """A weight for each class (classes,): N / (k · count), where k classes occur among the targets y, 1 for others.

    So all classes together weigh the same, and a sample 1 on average. King and Zeng (2001); as scikit-learn's
    class_weight="balanced".
    """
    counts = np.bincount(class_numbers(y), minlength=classes)
    return np.where(counts, len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1)), 1.0)


def _class_weights(given, classes: int) -> np.ndarray:
    if not (isinstance(given, Mapping) or (hasattr(given, "keys") and hasattr(given, "items"))):  # pandas' Series has
        weights = finite(given, "class_weight").astype(np.float64)
        if weights.shape != (classes,):
            raise ShapeError(f"class_weight has shape {weights.shape}, expected ({classes},) or a mapping from labels")
        return weights
    weights = np.ones(classes)
    for key, weight in given.items():
        weights[_label(key, classes)] = real_number(f"class_weight[{key!r}]", weight)
    return finite(weights, "class_weight")


def _label(key, classes: int) -> int:
    """The label that a key of class_weight names: False and True are 0 and 1, as whole floats are whole numbers."""
    label = plain(key)
    if isinstance(label, str):
        raise DataError(f"class_weight has the label {key!r}, a text; expected whole numbers, 0 to {classes - 1}")
    if not isinstance(label, int | float) or label not in range(classes):
        raise DataError(f"class_weight has the label {key!r}, expected 0 to {classes - 1}")
    return int(label)
