"""Data that users hand in, brought into the form kernels take, or refused with a sentence that helps.

Kernels trust their indices: an id out of range would be a segmentation fault. So every id is looked
at here, once a call, before any kernel runs.
"""

import numpy as np

from fastnn.errors import DataError, ShapeError

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
    if x.shape[1:] != shape or x.ndim == 0:
        wanted = f"({', '.join(map(str, ('N', *shape)))}{'' if shape else ','})"
        raise ShapeError(f"{name} has shape {x.shape}, expected {wanted}: N samples of shape {shape}")
    if not len(x):
        raise DataError(f"{name} is empty, expected at least one sample")
    return x


def same_length(x, y, names: tuple[str, str]) -> None:
    if len(x) != len(y):
        raise ShapeError(f"{names[0]} has {len(x)} samples but {names[1]} has {len(y)}; expected as many")
