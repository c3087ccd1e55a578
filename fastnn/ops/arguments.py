"""The arguments and the results of the functions on ordinary arrays: checked, and no larger than memory."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastnn.common.array_arguments import FLOATS, fit_as_they_are, float_arrays, id_array
from fastnn.common.errors import OutOfMemoryError
from fastnn.engine.room import check_room
from fastnn.engine.threads import call
from fastnn_kernels._jit import Kernel


def result(kernel: Kernel, shape: int | tuple[int, ...], dtype: DTypeLike, *args: Any) -> np.ndarray:
    """Run a kernel that writes one new array of that shape and dtype."""
    out = empty(shape, dtype)
    call(kernel, out, *args)
    return out


def empty(shape: int | tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """A new array; OutOfMemoryError before any memory is taken if there is not enough."""
    numbers = math.prod(shape) if isinstance(shape, tuple) else shape
    check_room(min(numbers * np.dtype(dtype).itemsize, 2**63), f"an array of shape {shape}")
    try:
        return np.empty(shape, dtype)
    except MemoryError:  # of a process that may take less than the machine has
        raise OutOfMemoryError(f"an array of shape {shape} takes more memory than this process may take") from None


def arrays_of_floats(**arrays: Any) -> list[np.ndarray]:
    """`float_arrays`; OutOfMemoryError if what must be copied is too large, as is an array of few numbers, repeated."""
    if fit_as_they_are(arrays.values()):  # looked at first: to look at each takes 5 µs
        return list(arrays.values())
    for name, a in arrays.items():
        if isinstance(a, np.ndarray) and not (a.flags.c_contiguous and a.dtype in FLOATS):
            check_room(a.size * FLOATS[1].itemsize, f"{name} with shape {a.shape}")
    return float_arrays(**arrays)


def ids_of_rows(name: str, value: Any, count: int, meaning: str) -> np.ndarray:
    """`id_array`; OutOfMemoryError if the copy that it makes is too large."""
    if isinstance(value, np.ndarray):
        check_room(value.size * 8, f"{name} with shape {value.shape}")
    return id_array(name, value, count, meaning)
