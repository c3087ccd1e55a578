"""Tables with numbers and categories as numbers for a network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.names import near
from fastnn.data import frames
from fastnn.data.dataset import Dataset, Split
from fastnn.data.frames import Name
from fastnn.data.preprocessing.base import Preprocessing
from fastnn.data.preprocessing.table_columns import CategoryColumn, NumberColumn, column_of

FROM_DTYPE = "from_dtype"


@dataclass(frozen=True, eq=False)
class Table(Preprocessing):
    """A table of numbers and categories as rows (N, D) for a network that begins with `fn.Columns`.

    The rows hold the numbers, standardised, then for each column in which numbers were missing 1 where they are, then
    the id of each category. Categories that are missing have an id of their own, those that training data lack another.
    A missing number counts as the mean.

    Tables may come as a frame of pandas or polars, a table of pyarrow or a mapping of columns by name, from which the
    columns are taken by their names, or as an array or list of rows (N, C), from which they are taken by position.

    Args:
        columns: The columns that are used, in their order: what `Table.of` finds in training data.

    Raises:
        TypeError: For something else.
        ValueError: For two columns of one name.

    Examples:
        >>> frame = {"age": [25, 31, 47, 52], "city": ["Bonn", "Rome", "Bonn", "Oslo"]}
        >>> table = fn.Table.of(frame)
        >>> layers = [fn.Columns(**table.layout), fn.Dense(32, "relu"), fn.Dense(2)]
        >>> model = fn.Sequential(layers, input_shape=table.made_shape, preprocessing=table)
        >>> history = model.fit(frame, [0, 1, 1, 0])
        >>> table.fill_untrained(model.parameters["columns.w"])
    """

    columns: Sequence[NumberColumn | CategoryColumn]
    kind: ClassVar[str] = "table"
    takes_mapping: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.columns, list | tuple) or not self.columns:
            raise TypeError(f"Table: columns is {self.columns!r:.60}, expected what fn.Table.of(frame) makes")
        columns = tuple(map(column_of, self.columns))
        names = [column.name for column in columns]
        if len(set(names)) < len(names):
            raise ValueError(f"Table: columns are called {names}, expected a name for each")
        object.__setattr__(self, "columns", columns)

    @classmethod
    def of(cls, data: Any, *, categories: Any = FROM_DTYPE, least: int = 1) -> "Table":
        """The description of training data.

        Args:
            data: A frame of pandas or polars, a table of pyarrow, a mapping of columns by name, or an array or list of
                rows (N, C).
            categories: The columns of categories. "from_dtype": those of text, truth values, pandas' categories and
                polars' Categorical and Enum, and those of objects that are not all numbers. Or their names, their
                positions, or a mask (C,); None: there are none.
            least: Categories that occur less often count as unseen ones, so that these learn something.

        Raises:
            DataError: For data that hold no usable values.
            ShapeError: For data without columns.
            TypeError: For data that are no table.
            ValueError: For categories that are not in it.

        Examples:
            >>> table = fn.Table.of([[25, 0], [31, 1], [47, 0]], categories=[1])
            >>> len(table.numbers), len(table.categories)
            (1, 1)
        """
        found = frames.columns_of(data, "the table")
        if not found:
            raise ShapeError("the table has no columns")
        chosen = _chosen(categories, found)
        return cls(
            [
                CategoryColumn.of(name, column.coded(), validation.whole_number("least", least))
                if name in chosen
                else NumberColumn.of(name, column.numbers(f"column {name!r}"))
                for name, column in found.items()
            ]
        )

    @property
    def numbers(self) -> list[NumberColumn]:
        """The columns of numbers."""
        return [column for column in self.columns if isinstance(column, NumberColumn)]

    @property
    def categories(self) -> list[CategoryColumn]:
        """The columns of categories."""
        return [column for column in self.columns if isinstance(column, CategoryColumn)]

    @property
    def made_names(self) -> list[str]:
        """What each column of the made rows is."""
        missing = [f"{column.name} is missing" for column in self.numbers if column.missing]
        return [*(str(column.name) for column in self.numbers), *missing, *(str(one.name) for one in self.categories)]

    @property
    def made_shape(self) -> tuple[int]:
        """The shape (D,) of a sample as the network takes it."""
        return (len(self.made_names),)

    @property
    def layout(self) -> dict[str, Any]:
        """The arguments of an `fn.Columns` that takes the made rows."""
        count = self.made_shape[0] - len(self.categories)
        categories = {count + i: column.rows for i, column in enumerate(self.categories)}
        return {"numbers": list(range(count)), "categories": categories, "standardise": False}

    def encoded(self, x: Any, what: str = "x", dtype: Any = np.float32) -> np.ndarray:
        """The rows (N, D) of a user's table.

        Args:
            x: The table.
            what: What messages call it.
            dtype: Of the rows.

        Raises:
            DataError: For values that cannot be used, or a frame that lacks a column.
            TypeError: For data that are no table.
            ShapeError: For rows of another width.
        """
        given = self._taken(x, what)
        numbers = [(column, given[column.name].numbers(f"{what}[{column.name!r}]")) for column in self.numbers]
        rows = [column.standardised(array) for column, array in numbers]
        rows += [np.isnan(array).astype(np.float64) for column, array in numbers if column.missing]
        rows += [column.ids(given[column.name].coded()).astype(np.float64) for column in self.categories]
        made = np.stack(rows, axis=1)
        return validation.representable(made, f"{what}, standardised,", np.dtype(dtype)).astype(dtype)

    def _taken(self, x: Any, what: str) -> Mapping[Name, frames.Column]:
        """The columns of a user's table that are used, by their names here."""
        given, names = frames.columns_of(x, what), [column.name for column in self.columns]
        if not frames.is_frame(x):
            if len(given) != len(names):
                raise ShapeError(f"{what} has {len(given)} columns, expected {len(names)}: {_listed(names)}")
            return dict(zip(names, given.values(), strict=True))
        if missing := [name for name in names if name not in given]:
            raise DataError(f"{what} has no column {missing[0]!r}; {near(missing[0], map(str, given))}")
        return given

    def fill_untrained(self, w: np.ndarray) -> None:
        """Give rows of the table of vectors w (rows, width) that no training sample used what is neutral, in place.

        These are the rows of missing and of unseen categories where training data had none. They become the mean of the
        other rows of their column, each weighted by how often it occurred; random numbers stood there before.

        Args:
            w: The table of vectors, (rows, width).
        """
        begin = 0
        for column in self.categories:
            counts, rows = np.array(column.counts), w[begin : begin + column.rows]
            if counts.any():
                rows[counts == 0] = (counts @ rows.astype(np.float64)) / counts.sum()
            begin += column.rows

    def check(self, shape: tuple[int, ...], ids: int | None) -> None:
        if ids is not None or shape != self.made_shape:
            raise ShapeError(
                f"Table makes rows of shape {self.made_shape}, this model takes {'ids' if ids else shape}; expected "
                "fn.Columns(**table.layout) as the first layer and input_shape=table.made_shape"
            )

    def check_shape(self, given: tuple[int, ...], what: str, shape: tuple[int, ...]) -> None:
        validation.check_sample_shape(given, what, (len(self.columns),))

    def converted(self, x: Any, what: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        return self.encoded(x, what, dtype)

    def prepared(self, data: Dataset, dtype: str) -> Dataset:
        parts: dict[str, Any] = {
            name: Split(self.encoded(split.x, "x", dtype), split.y) for name, split in data.splits().items()
        }
        return replace(data, **parts)

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind, "columns": [asdict(column) for column in self.columns]}


def _chosen(categories: Any, found: Mapping[Name, frames.Column]) -> set[Name]:
    """The names of the columns of categories, as a user chooses them."""
    names = list(found)
    if categories is None:
        return set()
    if isinstance(categories, str):
        if categories != FROM_DTYPE:
            raise ValueError(f"categories is {categories!r}, expected 'from_dtype', names, positions or a mask")
        return {name for name, column in found.items() if column.is_category}
    given = np.asarray(categories)
    if given.dtype == bool:
        if given.shape != (len(names),):
            raise ValueError(f"categories is a mask of shape {given.shape}, expected ({len(names)},): one each column")
        return {name for name, is_one in zip(names, given, strict=True) if is_one}
    return {_chosen_one(one, names) for one in given.ravel().tolist()}


def _chosen_one(one: Any, names: list[Name]) -> Name:
    if isinstance(one, str) and one in names:
        return one
    if isinstance(one, int) and 0 <= one < len(names):
        return names[one]
    raise ValueError(f"categories names {one!r}, expected columns of {_listed(names)}, or positions from 0 on")


def _listed(names: Sequence[Name]) -> str:
    return ", ".join(map(str, names[:20])) + (", …" if len(names) > 20 else "")
