"""The arguments and the results of the functions on ordinary arrays: checked, and no larger than memory.

Kernels take arrays that are native, C-contiguous and writable, all floats of one dtype: float32 or float64. Lists and
arrays of whole numbers take the dtype of the float arrays beside them, or float64. An array that does not fit is
refused with its name.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError, OutOfMemoryError, ShapeError
from fastnn.common.validation import as_array, representable, whole_numbers
from fastnn.engine.available_memory import check_available
from fastnn.engine.threads import call
from fastnn_kernels._jit import Kernel

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def result(kernel: Kernel, shape: int | tuple[int, ...], dtype: DTypeLike, *args: Any) -> np.ndarray:
    """Run a kernel that writes one new array of that shape and dtype."""
    out = empty(shape, dtype)
    call(kernel, out, *args)
    return out


def empty(shape: int | tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """A new array; OutOfMemoryError before any memory is taken if there is not enough."""
    numbers = math.prod(shape) if isinstance(shape, tuple) else shape
    check_available(min(numbers * np.dtype(dtype).itemsize, 2**63), f"an array of shape {shape}")
    try:
        return np.empty(shape, dtype)
    except MemoryError:  # of a process that may take less than the machine has
        raise OutOfMemoryError(f"an array of shape {shape} takes more memory than this process may take") from None


def kernel_array(a: np.ndarray, dtype: DTypeLike | None = None) -> np.ndarray:
    """The same memory as `a` if kernels can take it, else a copy. dtype: None keeps that of `a`, in native order."""
    dtype = a.dtype.newbyteorder("=") if dtype is None else dtype
    return np.require(a, dtype, ["C", "ALIGNED", "WRITEABLE", "ENSUREARRAY"])


def arrays_of_floats(**arrays: Any) -> list[np.ndarray]:
    """The arrays as kernels take them, all of the one float dtype that they share; TypeError if they share none.

    DataError for a number in a list that is too large for the float32 arrays beside it. OutOfMemoryError if what must
    be copied is too large, as is an array of few numbers, repeated.
    """
    if _fit_as_they_are(arrays.values()):  # looked at first: to look at each takes 5 µs
        return list(arrays.values())
    for name, a in arrays.items():
        if isinstance(a, np.ndarray) and not (a.flags.c_contiguous and a.dtype in FLOATS):
            check_available(a.size * FLOATS[1].itemsize, f"{name} with shape {a.shape}")
    return _converted(arrays)


def _fit_as_they_are(arrays: Iterable[Any]) -> bool:
    """Whether kernels take these values without a copy: NumPy's own arrays, all of one float dtype."""
    dtypes = {a.dtype if type(a) is np.ndarray and a.flags.carray else None for a in arrays}
    return len(dtypes) == 1 and dtypes <= set(FLOATS)


@ieee
def _converted(arrays: dict[str, Any]) -> list[np.ndarray]:
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


def ids_of_rows(name: str, value: Any, count: int, meaning: str) -> np.ndarray:
    """`value` as int64; DataError unless every number is in [0, count). `meaning` says what the ids choose from.

    OutOfMemoryError if the copy that it makes is too large.
    """
    if isinstance(value, np.ndarray):
        check_available(value.size * 8, f"{name} with shape {value.shape}")
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
def updated_in_place(**arrays: Any) -> Iterator[list[np.ndarray]]:
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


def _check_updatable(name: str, a: Any) -> None:
    if not isinstance(a, np.ndarray) or a.dtype.newbyteorder("=") not in FLOATS:
        given = f"dtype {a.dtype}" if isinstance(a, np.ndarray) else f"type {type(a).__name__}"
        raise TypeError(f"{name} has {given}, expected a float32 or float64 array: it is updated in place")
    if not a.flags.writeable:
        raise DataError(f"{name} is read-only, expected a writable array: it is updated in place")
