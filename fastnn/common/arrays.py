"""A caller's own arrays in the one form kernels are compiled for: native, C-contiguous, writable, of one dtype.

Floats are float32 or float64, one of them per call; whole numbers and lists take the dtype of the
arrays beside them, or float64. What does not fit is refused with the array's name.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from numbers import Real

import numpy as np

from fastnn.common.errors import DataError, ShapeError
from fastnn.common.validation import as_array, whole_numbers

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def plain(a: np.ndarray, dtype=None) -> np.ndarray:
    """`a` itself if kernels can take it, else a copy."""
    dtype = a.dtype.newbyteorder("=") if dtype is None else dtype
    return np.require(a, dtype, ["C", "ALIGNED", "WRITEABLE", "ENSUREARRAY"])


def floats(**arrays) -> list[np.ndarray]:
    """The arrays as kernels take them, all of the one float dtype that they share."""
    found = {name: as_array(value, name) for name, value in arrays.items()}
    dtypes = {}
    for name, a in found.items():
        native = a.dtype.newbyteorder("=")
        if native not in FLOATS and native.kind not in "iu":
            raise TypeError(f"{name} has dtype {a.dtype}, expected float32, float64 or whole numbers")
        if native in FLOATS and hasattr(arrays[name], "dtype"):  # a list has no dtype of its own
            dtypes[name] = native
    if len(set(dtypes.values())) > 1:
        given = ", ".join(f"{name} is {dtype}" for name, dtype in dtypes.items())
        raise TypeError(f"mixed dtypes: {given}; expected all float32 or all float64")
    dtype = next(iter(dtypes.values()), FLOATS[1])
    return [plain(a, dtype) for a in found.values()]


def ids(name: str, value, count: int, meaning: str) -> np.ndarray:
    """`value` as int64, every number in [0, count)."""
    value = as_array(value, name)
    if value.size and count == 0:
        raise DataError(f"{name} has {value.size} numbers, expected none: there is nothing to choose from ({meaning})")
    return plain(whole_numbers(value, name, count, meaning), np.int64)


def check_shape(name: str, a: np.ndarray, *expected: int | str) -> None:
    """ShapeError unless `a` has the expected extents; a string names an extent that may be anything."""
    fits = a.ndim == len(expected) and all(
        isinstance(want, str) or want == got for got, want in zip(a.shape, expected, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, expected)) + "," * (len(expected) == 1)
        raise ShapeError(f"{name} has shape {a.shape}, expected ({wanted})")


def whole(name: str, value, least: int = 1) -> int:
    """`value` as an int, at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} is {value!r}, expected a whole number")
    if value < least:
        raise DataError(f"{name} is {value}, expected at least {least}")
    return int(value)


def number(name: str, value) -> float:
    """`value` as a float; TypeError if it is no real number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r}, expected a number")
    return float(value)


def as_rows(a: np.ndarray) -> np.ndarray:
    """C-contiguous `a` as a matrix whose rows are its last axis: a view."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim else a.reshape(1, 1)


@contextmanager
def in_place(**arrays) -> Iterator[list[np.ndarray]]:
    """Flat forms of arrays that a kernel changes; what is not contiguous is copied, and copied back afterwards."""
    for name, a in arrays.items():
        if not isinstance(a, np.ndarray) or a.dtype.newbyteorder("=") not in FLOATS:
            given = f"dtype {a.dtype}" if isinstance(a, np.ndarray) else f"type {type(a).__name__}"
            raise TypeError(f"{name} has {given}, expected a float32 or float64 array: it is updated in place")
        if not a.flags.writeable:
            raise DataError(f"{name} is read-only, expected a writable array: it is updated in place")
    for (name, a), (other, b) in combinations(arrays.items(), 2):
        if np.shares_memory(a, b):
            raise DataError(f"{name} and {other} share memory, expected arrays of their own: both are updated in place")
    flat = [plain(a).reshape(-1) for a in arrays.values()]
    yield flat
    for a, changed in zip(arrays.values(), flat, strict=True):
        if not np.may_share_memory(a, changed):
            a[...] = changed.reshape(a.shape)
