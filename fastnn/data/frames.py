"""Tables as users have them: frames of pandas and polars, tables of pyarrow, columns by name, arrays; as columns of
numbers or of values.

None of these packages is imported: what they make is known by its methods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from fastnn.common.errors import DataError, ShapeError
from fastnn.common.user_arrays import MISSING, refuse_lazy

Name = str | int
Value = str | int | float | bool
OF_NUMBERS, OF_VALUES = "biuf", "OUT"  # kinds of dtypes
PLAIN_NUMBERS = frozenset((float, int, type(None)))


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers (N,) of any real dtype; NaN where one is missing."""

    array: np.ndarray
    is_category = False

    def numbers(self, what: str) -> np.ndarray:
        """As float64; DataError for infinite ones."""
        found = self.array.astype(np.float64)
        if np.isinf(found).any():
            raise DataError(f"{what}: row {int(np.isinf(found).argmax())} is infinite, expected finite numbers")
        return found

    def coded(self) -> "Coded":
        """Each number that occurs as a value."""
        missing = np.isnan(self.array) if self.array.dtype.kind == "f" else np.zeros(len(self.array), bool)
        values, codes = np.unique(self.array[~missing], return_inverse=True)
        all_codes = np.full(len(self.array), -1)
        all_codes[~missing] = codes.ravel()
        return Coded(values.tolist(), all_codes)


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of values, such as texts: row i holds values[codes[i]], codes (N,), -1 where one is missing."""

    values: list[Value]
    codes: np.ndarray
    is_category = True

    def numbers(self, what: str) -> np.ndarray:
        """The numbers that the values are, or that texts say; DataError for others."""
        of_values = [_number(value, what) for value in self.values]
        return np.array([*of_values, np.nan])[self.codes]

    def coded(self) -> "Coded":
        return self


Column = Numbers | Coded


def _number(value: Value, what: str) -> float:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = np.inf
    if np.isinf(number):
        raise DataError(f"{what} holds {value!r:.60}, expected finite numbers")
    return number


def is_frame(table: Any) -> bool:
    """Whether it is a frame of pandas or polars, a table of pyarrow, or a mapping of columns by name."""
    if hasattr(table, "nnz"):  # SciPy has sparse matrices that are mappings
        return False
    of_frame = all(hasattr(table, name) for name in ("columns", "to_numpy", "dtypes"))
    return isinstance(table, Mapping) or of_frame or _is_arrow(table)


def _is_arrow(table: Any) -> bool:
    return hasattr(table, "column_names") and hasattr(table, "to_pydict")


def names_of(frame: Any) -> list[Any]:
    """The names of the columns of a frame that is no mapping, as they are there."""
    return list(frame.column_names if _is_arrow(frame) else frame.columns)


def columns_of(table: Any, what: str) -> dict[Name, Column]:
    """The columns of a user's table by their names; those of an array (N, C) are called 0 to C - 1.

    Raises ShapeError for what has no rows and columns, TypeError or DataError for columns of other things than numbers,
    texts, truth values and categories; `what` messages call the table.
    """
    given = list(_named(table, what))
    found: dict[Name, Column] = {}
    for name, column in given:
        if name in found:
            raise DataError(f"{what} has two columns {name!r}, expected a name for each")
        found[name] = _column(column, f"{what}[{name!r}]")
    lengths = {name: len(_rows(column)) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeError(f"{what} has columns of different lengths: {lengths}")
    return found


def _rows(column: Column) -> np.ndarray:
    return column.array if isinstance(column, Numbers) else column.codes


def _named(table: Any, what: str) -> Iterable[tuple[Name, Any]]:
    """Names and columns of a table, as they come."""
    refuse_lazy(table, what)
    if hasattr(table, "nnz") or isinstance(table, str):
        raise TypeError(f"{what} is a {type(table).__name__}, expected a frame, columns by name, or an array (N, C)")
    if isinstance(table, Mapping):
        return [(_name(name), column) for name, column in table.items()]
    if is_frame(table):
        if hasattr(table, "iloc"):
            return [(_name(name), table.iloc[:, i]) for i, name in enumerate(table.columns)]
        names = names_of(table)
        return [(name, table.column(i) if _is_arrow(table) else table[name]) for i, name in enumerate(names)]
    try:
        array = _plain_array(table) if isinstance(table, np.ndarray) else np.array(list(table), dtype=object)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{what} is no table: {error}") from None
    if array.ndim != 2:
        raise ShapeError(f"{what} has shape {array.shape}, expected a table (N, C)")
    return list(enumerate(array.T))


def _plain_array(array: np.ndarray) -> np.ndarray:
    """The same without what NumPy's subclasses do otherwise, but for masked arrays: a column of np.matrix is none."""
    return array if isinstance(array, np.ma.MaskedArray) else np.asarray(array)


def _name(name: Any) -> Name:
    return int(name) if isinstance(name, int | np.integer) and not isinstance(name, bool) else str(name)


def _column(column: Any, what: str) -> Column:
    dtype: Any = getattr(column, "dtype", None)
    if hasattr(column, "cat") and hasattr(column, "iloc"):  # pandas' categories: they may be thousands, or of numbers
        categories = column.cat.categories.tolist()
        return _values((categories[code] if code >= 0 else None for code in column.cat.codes.tolist()), True, what)
    if hasattr(column, "to_pylist"):  # of pyarrow
        is_category = str(column.type).startswith("dictionary")
        return _values(column.to_pylist(), True, what) if is_category else _column(np.asarray(column), what)
    if hasattr(dtype, "is_numeric"):  # of polars
        if dtype.is_numeric() and not dtype.is_decimal():
            return Numbers(column.to_numpy())
        if dtype.is_temporal() or dtype.is_nested():
            raise _unusable(what, dtype)
        return _values(column.to_list(), not dtype.is_decimal(), what)
    if isinstance(column, np.ma.MaskedArray):
        objects = np.asarray(column).astype(object)
        objects[np.ma.getmaskarray(column)] = None
        return _column(objects, what)
    if dtype is None:
        return _values(column, False, what)
    kind = getattr(dtype, "kind", "O")
    if kind == "b" or kind in OF_VALUES:
        return _values(column.tolist(), kind == "b", what)
    if kind not in OF_NUMBERS:
        raise _unusable(what, dtype)
    # An extension dtype of pandas has missing values of its own.
    return Numbers(column if isinstance(column, np.ndarray) else _of_pandas(column))


def _of_pandas(column: Any) -> np.ndarray:
    array: np.ndarray = column.to_numpy(np.float64, na_value=np.nan) if column.isna().any() else column.to_numpy()
    return array.astype(np.float64) if array.dtype == object else array


def _unusable(what: str, dtype: Any) -> TypeError:
    return TypeError(
        f"{what} has dtype {dtype}, expected numbers, texts, truth values or categories: give numbers, such as days "
        "since a date, or categories, such as the day of the week"
    )


def _values(items: Iterable[Any], is_category: bool, what: str) -> Column:
    """A column of objects; unless its dtype says that these are categories, it is one of numbers if all are numbers."""
    if not is_category and isinstance(items, list) and PLAIN_NUMBERS.issuperset(map(type, items)):
        return Numbers(_doubles(items, what))  # NumPy makes NaN of None; the loop below gives the same, slowly
    codes_of: dict[Any, int] = {}
    try:
        codes = np.array([-1 if is_missing(item) else codes_of.setdefault(item, len(codes_of)) for item in items], int)
    except TypeError as error:
        raise TypeError(f"{what} holds no single values: {error}") from None
    values = list(map(_plain, codes_of))
    if not is_category and not any(isinstance(value, bool | str) for value in values):
        return Numbers(_doubles([*values, np.nan], what)[codes])
    return _merged(values, codes)


def _doubles(items: list[Any], what: str) -> np.ndarray:
    try:
        return np.array(items, np.float64)
    except OverflowError:
        raise DataError(f"{what} holds a whole number of more than 308 digits, expected numbers of float64") from None


def _merged(values: list[Value], codes: np.ndarray) -> Coded:
    """Values that are the same when they are plain, such as two objects of the same text, are one."""
    unique: dict[Value, int] = {}
    to = np.array([*(unique.setdefault(value, len(unique)) for value in values), -1], int)
    return Coded(list(unique), to[codes])


def is_missing(item: Any) -> bool:
    """Whether a value stands for none: None, NaN, and what pandas has in their place."""
    return item is None or type(item).__name__ in MISSING or (isinstance(item, float | np.floating) and item != item)


def _plain(value: Any) -> Value:
    """A value as JSON can hold it; what is neither text nor number, such as an interval, as its text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | str):
        return value
    return float(value) if isinstance(value, Real) or type(value).__name__ == "Decimal" else str(value)
