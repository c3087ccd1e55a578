"""What users hand over as an array, as an array of NumPy's: lists, masked arrays, tables of columns, or a refusal.

Only NumPy is imported: tables (pandas, polars) and sparse matrices (SciPy) are known by their methods.
"""

from typing import Any

import numpy as np

from fastnn.common.errors import DataError, ShapeError
from fastnn.common.shown import in_line

NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)
MISSING = ("NAType", "NaTType")  # the types of the values that pandas has in the place of missing ones

# What to give instead of an array that holds no numbers, by the kind of its dtype.
HINTS = {
    "c": "give the real and the imaginary parts as columns of their own",
    "M": "give numbers instead of dates, such as the days since one of them",
    "m": "give numbers instead of durations: divide them by np.timedelta64(1, 's')",
    "S": "texts must become numbers first",
    "U": "texts must become numbers first: x.astype(float) reads them, np.unique(y, return_inverse=True) counts labels",
    "V": "give the fields of the records as columns of one array",
}

RAGGED = "its parts have different lengths, expected one length; put zeros before shorter sequences"
NO_VALUE = ", a missing value: fill it, or leave its sample out"


def as_array(value: Any, name: str) -> np.ndarray:
    """`value` as an array. Of objects that are all numbers, and of tables of such columns, it is an array of numbers.

    Raises ShapeError for nested lists of unequal lengths; TypeError for a sparse matrix, for what is no array, such as
    a text or a generator, and for objects that are no numbers; DataError for masked and missing values.
    """
    if type(value) is np.ndarray and value.dtype != object:
        return value
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        given = name.split()[-1]
        raise TypeError(f"{name} is a sparse {type(value).__name__}, expected an array: give {given}.toarray()")
    if all(hasattr(value, method) for method in ("to_numpy", "columns", "dtypes")):
        return _of_table(value, name)
    refuse_lazy(value, name)
    if value is None:
        raise TypeError(f"{name} is None, expected an array")
    check_unmasked(value, name)
    try:
        array = np.asarray(value)
    except ValueError as error:
        if "inhomogeneous" in str(error):
            raise ShapeError(f"{name} is no array: {RAGGED}") from None
        raise ShapeError(f"{name} is no array: {error}") from None
    except TypeError as error:
        reason = "its columns have no dtype in common" if "promote" in str(error) else error
        raise TypeError(f"{name} is a {type(value).__name__} that is no array of numbers: {reason}") from None
    if not array.ndim and array.dtype.kind in "OSU" and not isinstance(value, np.ndarray):
        raise TypeError(f"{name} is {_told(value)}, expected an array, or lists of numbers")
    return _of_objects(array, name) if array.dtype == object and array.ndim else array


def _told(value: Any) -> str:
    """What messages call an object that is no array: a text itself, of anything else its type."""
    return in_line(value) if isinstance(value, str | bytes) else type(value).__name__


def refuse_lazy(value: Any, name: str) -> None:
    """TypeError for a query that has not been run, such as polars' LazyFrame."""
    if hasattr(value, "collect"):
        raise TypeError(f"{name} is a {type(value).__name__}, expected its values: give {name.split()[-1]}.collect()")


def check_numbers(array: np.ndarray, name: str) -> None:
    """TypeError, with a hint at what to give instead, unless the array holds real numbers or truth values."""
    kind = array.dtype.kind
    if kind not in "biuf":
        is_extension = kind == "V" and array.dtype.names is None and array.dtype.type is not np.void  # such as bfloat16
        hint = "give x.astype('float32')" if is_extension else HINTS.get(kind, "")
        hint = f"; {hint}" if hint else ""
        raise TypeError(f"{name} has dtype {array.dtype}, expected numbers{hint}")


def first_index(array: np.ndarray, bad: Any) -> tuple[int, ...] | None:
    """The index of the first True of `bad`, a mask of array's shape; None if there is none."""
    if not np.any(bad):
        return None
    flat = int(np.argmax(bad))
    return tuple(int(i) for i in np.unravel_index(flat, array.shape))


def check_unmasked(value: Any, name: str) -> None:
    """DataError if a number is masked, in an array or in a list of them: its owner does not want it used."""
    items = enumerate(value) if isinstance(value, list | tuple) else [((), value)]
    for place, item in items:
        if isinstance(item, np.ma.MaskedArray):
            bad = first_index(item, np.ma.getmaskarray(item))
            if bad is not None:
                index = [*np.atleast_1d(place).astype(int).tolist(), *bad]
                raise DataError(
                    f"{name}{index} is masked, expected a number: fill the masked ones, with .filled(0) say, "
                    "or leave these samples out"
                )


def _of_objects(array: np.ndarray, name: str) -> np.ndarray:
    """Numbers from an array of objects that are numbers, each Python's or NumPy's."""
    objects = array.ravel().tolist()
    place = next((i for i, item in enumerate(objects) if not isinstance(item, NUMBERS)), None)
    if place is not None:
        bad, item = [int(i) for i in np.unravel_index(place, array.shape)], objects[place]
        if type(item).__name__ in MISSING:
            raise DataError(f"{name}{bad} is {item}, a missing value, expected a number")
        if isinstance(item, np.ndarray | list | tuple):
            hint = f"give np.stack({name.split()[-1]}) of arrays of one shape, with zeros before shorter sequences"
            raise TypeError(f"{name} has dtype object, expected numbers: {name}{bad} is {in_line(item)}; {hint}")
        hint = f"; {HINTS['U']}" if isinstance(item, str) else NO_VALUE if item is None else ""
        raise TypeError(f"{name} has dtype object, expected numbers: {name}{bad} is {in_line(item)}{hint}")
    try:
        numbers = np.array(objects)
        # Whole numbers beyond 64 bits stay objects.
        return (np.array([float(item) for item in objects]) if numbers.dtype == object else numbers).reshape(
            array.shape
        )
    except OverflowError:
        raise DataError(f"{name} holds a whole number of more than 308 digits, expected numbers of float64") from None


def _of_table(table: Any, name: str) -> np.ndarray:
    """The numbers of a table of columns. DataError or TypeError names the first column that holds something else."""
    array = np.asarray(table.to_numpy())
    if array.dtype.kind in "biuf":
        return array
    objects = array.astype(object)
    for i, (column, dtype) in enumerate(zip(table.columns, table.dtypes, strict=True)):
        told = f"{name}: column {column!r} has dtype {dtype}"
        for row, item in enumerate(objects[:, i].tolist()):
            if type(item).__name__ in MISSING:
                raise DataError(f"{told} and no value in row {row}, expected a number: fill it, or leave the row out")
            if not isinstance(item, NUMBERS):
                raise TypeError(
                    f"{told}, expected numbers: row {row} holds {in_line(item)}; fn.Table.of(frame) makes numbers of "
                    "texts and categories, as preprocessing= of a model"
                )
    return _of_objects(objects, name)
