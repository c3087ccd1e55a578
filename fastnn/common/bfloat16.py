"""bfloat16 numbers in uint16 arrays: NumPy has no such dtype. A word is the upper half of a float32."""

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.user_arrays import as_array, check_numbers

_INFINITE = np.uint16(0x7F80)
_PART = 1 << 16  # numbers; what is computed of them stays in a core's cache


@ieee
def encoded(values: np.ndarray) -> np.ndarray:
    """The nearest bfloat16 of each number, of two equally near ones the even word; uint16. NaN stays NaN.

    Args:
        values: Floats of any shape.

    Returns:
        Words of the same shape, uint16.

    Examples:
        >>> fn.bfloat16.encoded([1.0, 1.001])  # words are .008 apart here
        array([16256, 16256], dtype=uint16)
    """
    values = _numbers(values, "values").astype(np.float32)
    bits = values.view(np.uint32).astype(np.uint64)
    words = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), words)


def decoded(words: np.ndarray) -> np.ndarray:
    """What bfloat16 words (uint16) stand for, exactly, as float32.

    Args:
        words: Of any shape, uint16.

    Returns:
        Numbers of the same shape, float32.

    Examples:
        >>> fn.bfloat16.decoded(fn.bfloat16.encoded([1.0, -0.5]))
        array([ 1. , -0.5], dtype=float32)
    """
    return (_numbers(words, "words").astype(np.uint32) << np.uint32(16)).view(np.float32)


def _numbers(given, name: str) -> np.ndarray:
    array = as_array(given, name)
    check_numbers(array, name)
    return array


def is_finite(array: np.ndarray) -> bool:
    """Whether an array of floats, or of bfloat16 words (uint16), holds no NaN and no infinity; any other holds none.

    Part by part: masks of a large array would take as much memory as the array.

    Args:
        array: Of any shape.
    """
    if array.size > _PART and array.flags.c_contiguous:
        flat = array.reshape(-1)
        return all(_is_finite(flat[first : first + _PART]) for first in range(0, flat.size, _PART))
    return _is_finite(array)


def _is_finite(array: np.ndarray) -> bool:
    if array.dtype == np.uint16:
        return not (array & _INFINITE == _INFINITE).any()
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
