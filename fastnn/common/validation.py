"""Data that users hand in, brought into the form kernels take, or refused with a sentence that helps.

Kernels trust their indices: an id out of range would be a segmentation fault. So every id is looked
at here, once a call, before any kernel runs.
"""

from collections.abc import Mapping

import numpy as np

from fastnn.common.errors import DataError, ShapeError

# What the gathering kernel is compiled for; other whole numbers and floats are cast to one of these.
SOURCE_DTYPES = ("uint8", "uint16", "int32", "int64", "float32", "float64")


def as_array(value, name: str) -> np.ndarray:
    """`value` as an array; ShapeError for nested lists of unequal lengths."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name} is no array: {error}") from None


def _numeric(array, name: str) -> np.ndarray:
    array = as_array(array, name)
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected numbers")
    return array


def _source(array: np.ndarray) -> np.ndarray:
    """C-contiguous, aligned, in native byte order, of a dtype that kernels gather from."""
    if array.dtype.name not in SOURCE_DTYPES:
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
    return np.require(array, array.dtype.newbyteorder("="), ["C", "ALIGNED", "ENSUREARRAY"])


def whole_numbers(array, name: str, count: int, meaning: str) -> np.ndarray:
    """`array` as integers, all in [0, count); DataError names the first that is not, and where it is."""
    array = _numeric(array, name)
    if array.size and (bad := _first(array, ~_is_whole(array))) is not None:
        raise DataError(f"{name}{list(bad)} is {array[bad]}, expected whole numbers ({meaning})")
    if array.size and (array.min() < 0 or array.max() >= count):
        bad = _first(array, (array < 0) | (array >= count))
        assert bad is not None
        raise DataError(f"{name}{list(bad)} is {array[bad]}, expected 0 to {count - 1} ({meaning})")
    if array.dtype.kind == "f":
        array = array.astype(np.int64)
    return _source(array)


def _is_whole(array: np.ndarray):
    return np.equal(np.floor(array), array) & np.isfinite(array) if array.dtype.kind == "f" else np.True_


def _first(array: np.ndarray, bad) -> tuple[int, ...] | None:
    """The index of the first True of `bad`, a mask of array's shape; None if there is none."""
    if not np.any(bad):
        return None
    flat = int(np.argmax(bad))
    return tuple(int(i) for i in np.unravel_index(flat, array.shape))


def finite(array, name: str) -> np.ndarray:
    """`array` as numbers; DataError if one of them is NaN or infinite."""
    array = _numeric(array, name)
    with np.errstate(all="ignore"):
        suspect = array.dtype.kind == "f" and not np.isfinite(array.sum())  # allocates nothing; look closer only then
    if suspect and (bad := _first(array, ~np.isfinite(array))) is not None:
        raise DataError(f"{name}{list(bad)} is {array[bad]}, expected finite numbers")
    return _source(array)


def samples(x, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """`x` as an array of samples of `shape`, at least one; ShapeError or DataError otherwise."""
    x = as_array(x, name)
    sample_shape(x.shape, name, shape)
    return x


def sample_shape(given: tuple[int, ...], name: str, shape: tuple[int, ...]) -> None:
    """Refuse a shape that is not that of at least one sample of `shape`, with ShapeError or DataError."""
    if given[1:] != shape or not given:
        wanted = f"({', '.join(map(str, ('N', *shape)))}{'' if shape else ','})"
        raise ShapeError(f"{name} has shape {given}, expected {wanted}: N samples of shape {shape}")
    if not given[0]:
        raise DataError(f"{name} is empty, expected at least one sample")


def sample_weights(given, samples: int) -> np.ndarray | None:
    """What a user weighs each sample with, (N,) float64; None if all count alike."""
    if given is None:
        return None
    weights = finite(given, "sample_weight").astype(np.float64)
    if weights.shape != (samples,):
        raise ShapeError(f"sample_weight has shape {weights.shape}, expected ({samples},): a number for each sample")
    return some_weight(weights, "sample_weight goes")


def class_weights(given, classes: int | None) -> np.ndarray | None:
    """What a user weighs each class with, (classes,) float64; None if all count alike.

    given : {label: weight}, 1 for others, or a weight for each of `classes` (None: targets are no labels).
    """
    if given is None:
        return None
    if classes is None:
        raise ValueError("class_weight needs labels, but this loss takes numbers as targets; use sample_weight")
    return some_weight(_class_weights(given, classes), "class_weight goes")


def weights_together(own: np.ndarray | None, by_class: np.ndarray | None, y: np.ndarray) -> np.ndarray | None:
    """The weight of each of the samples with labels y: its own times its class's; None if all count alike."""
    if by_class is None or own is None:
        return own if by_class is None else by_class[y]
    return own * by_class[y]


def some_weight(weights: np.ndarray, which: str) -> np.ndarray:
    """The weights themselves; DataError if one is negative or all are 0."""
    if weights.min() < 0 or not weights.any():
        raise DataError(f"{which} from {weights.min()} to {weights.max()}, expected ≥ 0 and not all 0")
    return weights


def training_share(samples: int, split: float, validation_given: bool) -> int:
    """How many of the samples train when the share `split` validates; ValueError if that cannot be."""
    if validation_given:
        raise ValueError("validation_split and validation_data were both given, expected one of them")
    kept = samples - round(samples * split) if 0 < split < 1 else 0
    if not 0 < kept < samples:
        raise ValueError(f"validation_split is {split}, expected a share that leaves some of {samples} on both sides")
    return kept


def _class_weights(given, classes: int) -> np.ndarray:
    if not isinstance(given, Mapping):
        weights = finite(given, "class_weight").astype(np.float64)
        if weights.shape != (classes,):
            raise ShapeError(f"class_weight has shape {weights.shape}, expected ({classes},) or a mapping from labels")
        return weights
    weights = np.ones(classes)
    for label, weight in given.items():
        if label not in range(classes):
            raise DataError(f"class_weight has the label {label!r}, expected 0 to {classes - 1}")
        weights[label] = weight
    return finite(weights, "class_weight")


def same_length(x, y, names: tuple[str, str]) -> None:
    if len(x) != len(y):
        raise ShapeError(f"{names[0]} has {len(x)} samples but {names[1]} has {len(y)}; expected as many")
