"""Users' arrays as arguments of `fastnn.ops`: brought into the one form that kernels are compiled for.

Kernels take arrays that are native, C-contiguous and writable, all floats of one dtype: float32 or float64. Lists and
arrays of whole numbers take the dtype of the float arrays beside them, or float64. An array that does not fit is
refused with its name.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.validation import as_array, representable, whole_numbers

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def kernel_array(a: np.ndarray, dtype=None) -> np.ndarray:
    """The same memory as `a` if kernels can take it, else a copy. dtype: None keeps that of `a`, in native order."""
    dtype = a.dtype.newbyteorder("=") if dtype is None else dtype
    return np.require(a, dtype, ["C", "ALIGNED", "WRITEABLE", "ENSUREARRAY"])


def fit_as_they_are(arrays: Iterable) -> bool:
    """Whether kernels take these values without a copy: NumPy's own arrays, all of one float dtype."""
    dtypes = {a.dtype if type(a) is np.ndarray and a.flags.carray else None for a in arrays}
    return len(dtypes) == 1 and dtypes <= set(FLOATS)


@ieee
def float_arrays(**arrays) -> list[np.ndarray]:
    """The arrays as kernels take them, all of the one float dtype that they share; TypeError if they share none.

    DataError for a number in a list that is too large for the float32 arrays beside it.
    """
    found = {name: as_array(value, name) for name, value in arrays.items()}
    dtypes = {}
    for name, a in found.items():
        native = a.dtype.newbyteorder("=")
        if native not in FLOATS and native.kind not in "iu":
            raise TypeError(f"{name} has dtype {a.dtype}, expected float32, float64 or whole numbers")
        if native in FLOATS and hasattr(arrays[name], "dtype"):  # the dtype of a list is only NumPy's choice
            dtypes[name] = native
    if len(set(dtypes.values())) > 1:
        given = ", ".join(f"{name} is {dtype}" for name, dtype in dtypes.items())
        raise TypeError(f"mixed dtypes: {given}; expected all float32 or all float64")
    dtype = next(iter(dtypes.values()), FLOATS[1])
    return [kernel_array(representable(a, name, dtype), dtype) for name, a in found.items()]


def id_array(name: str, value, count: int, meaning: str) -> np.ndarray:
    """`value` as int64; DataError unless every number is in [0, count). `meaning` says what the ids choose from."""
    value = as_array(value, name)
    if value.size and count == 0:
        raise DataError(f"{name} has {value.size} numbers, expected none: there is nothing to choose from ({meaning})")
    # A copy, before it is checked: another thread may write to the caller's array while kernels run.
    return kernel_array(whole_numbers(np.array(value), name, count, meaning), np.int64)


def check_shape(name: str, a: np.ndarray, *expected: int | str) -> None:
    """ShapeError unless `a` has the expected lengths; a string names a length that may be anything."""
    fits = a.ndim == len(expected) and all(
        isinstance(want, str) or want == got for got, want in zip(a.shape, expected, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, expected)) + "," * (len(expected) == 1)
        raise ShapeError(f"{name} has shape {a.shape}, expected ({wanted})")


def as_matrix(a: np.ndarray) -> np.ndarray:
    """A view of C-contiguous `a` as a matrix (…, n), whose rows run along the last axis of `a`."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim else a.reshape(1, 1)


@contextmanager
def updated_in_place(**arrays) -> Iterator[list[np.ndarray]]:
    """Flat forms of the arrays that a kernel changes within the block.

    An array that kernels cannot take is copied, and the copy is written back when the block ends. Raises TypeError
    unless all are float arrays, DataError if they are read-only or share memory.
    """
    for name, a in arrays.items():
        _check_updatable(name, a)
    for (name, a), (other, b) in combinations(arrays.items(), 2):
        if np.shares_memory(a, b):
            raise DataError(f"{name} and {other} share memory, expected arrays of their own: both are updated in place")
    flat = [kernel_array(a).reshape(-1) for a in arrays.values()]
    yield flat
    for a, changed in zip(arrays.values(), flat, strict=True):
        if not np.may_share_memory(a, changed):
            a[...] = changed.reshape(a.shape)


def _check_updatable(name: str, a) -> None:
    if not isinstance(a, np.ndarray) or a.dtype.newbyteorder("=") not in FLOATS:
        given = f"dtype {a.dtype}" if isinstance(a, np.ndarray) else f"type {type(a).__name__}"
        raise TypeError(f"{name} has {given}, expected a float32 or float64 array: it is updated in place")
    if not a.flags.writeable:
        raise DataError(f"{name} is read-only, expected a writable array: it is updated in place")
