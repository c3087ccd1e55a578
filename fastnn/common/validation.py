"""Users' numbers, samples, targets and weights: brought into the form that kernels take, or refused with a message.

Kernels do not check their indices: an id out of range would be a segmentation fault. So every id is checked here, once
for each call of the user, before any kernel runs.
"""

import math
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.plain import plain
from fastnn.common.shown import in_line
from fastnn.common.user_arrays import as_array, check_numbers, first_index

# The dtypes that the gathering kernel is compiled for; arrays of other dtypes are cast to one of these.
SOURCE_DTYPES = ("uint8", "uint16", "int32", "int64", "float32", "float64")
SOURCES = frozenset(map(np.dtype, SOURCE_DTYPES))
DOUBLE = np.dtype(np.float64)
FEW = 1 << 14  # A check of more numbers makes no array of as many.


def is_whole_number(value) -> bool:
    """Whether `value` is one whole number, Python's or NumPy's. True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value) -> bool:
    """Whether `value` is one real number, Python's or NumPy's. True and False are none."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def whole_number(name: str, value, least: int = 1, error: type[ValueError] = ValueError) -> int:
    """`value` as an int; TypeError if it is no whole number, `error` if it is below `least`."""
    if type(value) is int and value >= least:  # a training assigns its epoch thousands of times a second
        return value
    number = any_whole_number(name, value)
    if number < least:
        raise error(f"{name} is {number}, expected at least {least}")
    return number


def any_whole_number(name: str, value) -> int:
    """`value` as an int, of whatever sign; TypeError if it is no whole number."""
    value = plain(value)
    if not is_whole_number(value):
        raise TypeError(f"{name} is {in_line(value)}, expected a whole number")
    return int(value)


def real_number(name: str, value) -> float:
    """`value` as a float; TypeError if it is no real number."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {in_line(value)}, expected a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large, expected a number that float64 can hold") from None


def not_negative(name: str, value) -> float:
    """`value` as a float; TypeError if it is no real number, ValueError unless it is finite and ≥ 0."""
    number = real_number(name, value)
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} is {value}, expected a finite number ≥ 0")
    return number


@ieee
def above_zero_in(dtype: np.dtype, name: str, value: float) -> None:
    """ValueError if a number above 0 becomes 0 or infinite in `dtype`."""
    if not 0 < dtype.type(value) < np.inf:
        info = np.finfo(dtype)
        raise ValueError(
            f"{name} is {value}, expected {info.smallest_subnormal:.2g} to {info.max:.2g}, which {dtype.name} can "
            "hold; or give the model dtype='float64'"
        )


def path_of(name: str, value) -> Path:
    """`value` as a path; TypeError if it is none, ValueError if it has a character that no path may have."""
    if not isinstance(value, str | bytes | os.PathLike):
        raise TypeError(f"{name} is {in_line(value)}, expected a path: text, or a pathlib.Path")
    text = os.fsdecode(value)
    if "\0" in text:
        raise ValueError(f"{name} is {in_line(text)}, expected a path without null characters")
    return Path(text)


def truth(name: str, value) -> bool:
    """`value` as a bool; TypeError unless it is True, False, 1 or 0."""
    if value is True or value is False:  # a model that predicts is asked thousands of times a second
        return value
    value = plain(value)
    if not (isinstance(value, int) and value in (0, 1)):
        raise TypeError(f"{name} is {in_line(value)}, expected True or False")
    return bool(value)


def _numeric(array, name: str) -> np.ndarray:
    array = as_array(array, name)
    check_numbers(array, name)
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def _source(array: np.ndarray) -> np.ndarray:
    """`array` as kernels gather from it: C-contiguous, aligned, in native byte order, of one of SOURCE_DTYPES.

    uint64 becomes float64, as half of its numbers are beyond int64: always, so that chunks of a stream are alike.
    """
    if type(array) is np.ndarray and array.dtype in SOURCES and array.flags.carray:
        return array
    if array.dtype.newbyteorder("=") not in SOURCES:
        kind = np.float64 if array.dtype.kind == "f" or _is_uint64(array) else np.int64
        array = ieee(array.astype)(kind)  # a long double beyond float64 becomes infinite
    return np.require(array, array.dtype.newbyteorder("="), ["C", "ALIGNED", "ENSUREARRAY"])


def whole_numbers(array, name: str, count: int, meaning: str) -> np.ndarray:
    """`array` as integers; DataError names the first number that is not whole or not in [0, count), and its index.

    meaning : says in messages what the numbers stand for, such as "labels of 10 classes"
    """
    array = _numeric(array, name)
    if array.dtype.kind == "f" and (bad := first_index(array, ~_is_whole(array))) is not None:
        raise DataError(f"{name}{list(bad)} is {array[bad]}, expected whole numbers ({meaning})")
    if array.size and (array.min() < 0 or array.max() >= count):
        if (bad := first_index(array, (array < 0) | (array >= count))) is None:
            raise DataError(f"{name} changed while it was checked: something else writes to it meanwhile; pass a copy")
        raise DataError(f"{name}{list(bad)} is {array[bad]}, expected 0 to {count - 1} ({meaning})")
    return _source(array.astype(np.int64) if array.dtype.kind == "f" or _is_uint64(array) else array)


def _is_uint64(array: np.ndarray) -> bool:
    return array.dtype.kind == "u" and array.dtype.itemsize == 8


@ieee
def _is_whole(array: np.ndarray) -> np.ndarray:
    return np.equal(np.floor(array), array) & np.isfinite(array)


def finite(array, name: str, dtype: np.dtype = DOUBLE, missing: str = "") -> np.ndarray:
    """`array` as numbers; DataError names one that is NaN or infinite, or would become infinite in `dtype`.

    missing : what the message adds where a number is NaN, as where one is missing
    """
    array = _source(_numeric(array, name))
    if array.size and not all_finite(array, dtype):
        if (bad := first_index(array, ~np.isfinite(array))) is not None:
            hint = missing if np.isnan(array[bad]) else ""
            raise DataError(f"{name}{list(bad)} is {array[bad]}, expected finite numbers{hint}")
        representable(array, name, dtype)
    return array


def all_finite(array: np.ndarray, dtype: np.dtype) -> bool:
    """Whether all numbers of an array, not empty, are finite in `dtype`. False, too, if the sum of many is not."""
    if array.dtype.kind != "f":
        return True
    if array.dtype.itemsize > dtype.itemsize:
        return _within(array, dtype)
    return bool(np.isfinite(array).all()) if array.size <= FEW else _has_finite_sum(array)


@ieee
def _has_finite_sum(array: np.ndarray) -> bool:
    """A look at many numbers that allocates nothing."""
    return bool(np.isfinite(array.sum()))


@ieee
def _within(array: np.ndarray, dtype: np.dtype) -> bool:
    """Whether all numbers are finite in a smaller dtype than that of `array`."""
    largest = np.finfo(dtype).max
    return bool(array.min() >= -largest and array.max() <= largest)  # NaN is neither


def representable(array: np.ndarray, name: str, dtype: np.dtype) -> np.ndarray:
    """`array` unchanged; DataError names the first finite number that would become infinite in `dtype`."""
    if array.dtype.kind != "f" or array.dtype.itemsize <= dtype.itemsize or not array.size or _within(array, dtype):
        return array
    largest = float(np.finfo(dtype).max)
    if (bad := first_index(array, np.isfinite(array) & _larger(array, largest))) is not None:
        raise DataError(
            f"{name}{list(bad)} is {array[bad]}, expected at most {largest:.8g}, the largest {dtype.name}: scale the "
            "numbers, or use dtype='float64'"
        )
    return array


@ieee
def _larger(array: np.ndarray, largest: float) -> np.ndarray:
    return np.abs(array) > largest


def table(array, name: str, numbers: Iterable[int], categories: Mapping[int, int]) -> np.ndarray:
    """The table `array` (N, C) as kernels gather from it. Columns that are named in neither may hold anything.

    numbers    : columns that must hold finite numbers
    categories : column -> how many ids it may hold

    Raises DataError, which names the first entry that is wrong and its row and column.
    """
    array = _numeric(array, name)
    for column in numbers:
        _refuse(array, name, column, ~np.isfinite(array[:, column]), "finite numbers")
    for column, count in categories.items():
        ids, meaning = array[:, column], f"(categories of column {column})"
        _refuse(array, name, column, ~_is_whole(ids), f"whole numbers {meaning}")
        _refuse(array, name, column, (ids < 0) | (ids >= count), f"0 to {count - 1} {meaning}")
    return _source(array)


def _refuse(array: np.ndarray, name: str, column: int, bad, expected: str) -> None:
    """DataError if an entry of a column is bad."""
    if np.any(bad):
        row = int(np.argmax(bad))
        value = array[row, column]
        shown = int(value) if np.isfinite(value) and value == np.floor(value) else value
        raise DataError(f"{name}[{row}, {column}] is {shown}, expected {expected}")


def samples(x, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """`x` as an array (N, *shape), N ≥ 1; ShapeError for other shapes, DataError if it is empty.

    TypeError for texts of another shape: a list of sentences is no array of the wrong shape.
    """
    x = as_array(x, name)
    if x.shape[1:] != shape:
        check_numbers(x, name)
    check_sample_shape(x.shape, name, shape)
    return x


def check_sample_shape(given: tuple[int, ...], name: str, shape: tuple[int, ...]) -> None:
    """ShapeError unless the shape `given` is (N, *shape), DataError if N is 0."""
    if given[1:] != shape or not given:
        wanted = f"({', '.join(map(str, ('N', *shape)))}{'' if shape else ','})"
        raise ShapeError(
            f"{name} has shape {given}, expected {wanted}: N samples of shape {shape}{_meant(given, name, shape)}"
        )
    if not given[0]:
        raise DataError(f"{name} is empty, expected at least one sample")


def _meant(given: tuple[int, ...], name: str, shape: tuple[int, ...]) -> str:
    """The end of a message where the samples have another shape, and what was meant can be seen."""
    array = name.split()[-1]
    if given == shape:
        return f"; one sample alone is np.reshape({array}, {(1, *shape)})"
    if len(shape) > 1 and given[1:] == (shape[-1], *shape[:-1]):
        axes = ", ".join(map(str, (0, *range(2, len(given)), 1)))
        return f"; channels go last: {array}.transpose({axes})"
    if given and math.prod(given[1:]) == math.prod(shape):
        return f"; the same numbers in that shape: np.reshape({array}, {(-1, *shape)})"
    return ""


def check_same_length(x, y, names: tuple[str, str]) -> None:
    """ShapeError unless x and y have the same number of samples; `names` is what messages call the two."""
    if len(x) != len(y):
        raise ShapeError(f"{names[0]} has {len(x)} samples but {names[1]} has {len(y)}; expected as many")


def training_count(samples: int, fraction: float, validation_given: bool) -> int:
    """The number of samples that train when the given fraction of them validates.

    Raises ValueError if one of the two sets would be empty, or if the user gave validation data as well.
    """
    if validation_given:
        raise ValueError("validation_split and validation_data were both given, expected one of them")
    fraction = real_number("validation_split", fraction)
    kept = samples - round(samples * fraction) if 0 < fraction < 1 else 0
    if not 0 < kept < samples:
        raise ValueError(
            f"validation_split is {fraction}, expected a fraction that leaves some of {samples} on both sides"
        )
    return kept
