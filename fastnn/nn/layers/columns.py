"""A first layer for tables: columns of numbers beside embedded columns of categories."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common import validation
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import ShapeError
from fastnn.common.validation import whole_number
from fastnn.engine.builder import Builder
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName, Ones, Zeros
from fastnn.nn.layers.base import Layer, Parameter, expect_rank
from fastnn.nn.layers.embedding import emit_table_gradient
from fastnn.nn.layers.penalties import Penalised

MOST_IDS = 2**24  # float32 holds every whole number up to here


@dataclass(frozen=True)
class Columns(Penalised, Layer):
    """The columns of a table (N, C) as inputs: (N, numbers + categories · width).

    The output holds the numbers in the order given, then the vector of each category. Columns that are named in neither
    are left out. All vectors are rows of one table w (sum of the counts, width), those of the first category first.

    The table comes as one array of floats or whole numbers. It is cast to the model's dtype before anything else: of
    numbers that lie close together far away from 0, such as times in seconds since 1970, subtract a near one yourself.

    Args:
        numbers: Columns that hold numbers.
        categories: The column, and how many categories it has: it holds ids, whole numbers from 0 on.
        width: How long the vector of a category is.
        standardise: Whether numbers become (x − mean) / std, by the mean and the deviation that each column has in the
            training data; a column of one value becomes 0.
        initializer: Of w.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.

    Raises:
        TypeError: For columns that are no whole numbers.
        ValueError: If no column is named, one is named twice, or a number is out of range.
        ShapeError: In a network: if rows lack a column.
        DataError: When data hold other ids.

    Examples:
        >>> table = fn.Columns(numbers=[0, 3], categories={1: 12, 2: 7})  # (N, 4) to (N, 2 + 2 · 8)
        >>> fn.Sequential([table, fn.Dense(3)], input_shape=4).predict([[0.5, 11, 6, -2.0]]).shape
        (1, 3)
    """

    numbers: Sequence[int] = ()
    categories: Mapping[int, int] = field(default_factory=dict, hash=False)
    width: int = 8
    standardise: bool = True
    initializer: InitializerName | Initializer = "normal"
    kind: ClassVar[str] = "columns"
    takes_data: ClassVar[bool] = True

    def __post_init__(self):
        self.check_penalties("Columns")
        if isinstance(self.numbers, Mapping | str) or not np.iterable(self.numbers):
            raise TypeError(f"Columns: numbers is {self.numbers!r}, expected columns, such as [0, 3]")
        numbers = tuple(whole_number("Columns: a column of numbers", column, 0) for column in self.numbers)
        try:
            categories = dict(self.categories)  # a file holds pairs, whose order JSON keeps
        except (TypeError, ValueError):
            raise TypeError(
                f"Columns: categories is {self.categories!r}, expected how many each column has, such as {{1: 12}}"
            ) from None
        categories = _checked_categories(categories)
        named = [*numbers, *categories]
        if not named:
            raise ValueError("Columns names no column, expected numbers=[…] or categories={…}")
        for column in named:
            if named.count(column) > 1:
                raise ValueError(f"Columns names column {column} twice, expected each once")
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "categories", categories)
        object.__setattr__(self, "width", whole_number("Columns: width", self.width))
        object.__setattr__(self, "weights", ("w",) if categories else ())
        initializers.get(self.initializer)

    def output_shape(self, shape):
        expect_rank("Columns", shape, 1, "rows of a table (columns,)")
        if (last := max([*self.numbers, *self.categories])) >= shape[0]:
            raise ShapeError(f"Columns names column {last}, but rows have {shape[0]}, expected columns below that")
        return (len(self.numbers) + len(self.categories) * self.width,)

    def parameters(self, shape):
        if not self.categories:
            return {}
        return {"w": Parameter((self._rows, self.width), initializers.get(self.initializer))}

    def buffers(self, shape):
        if not self.standardise or not self.numbers:
            return {}
        count = (len(self.numbers),)
        return {"mean": Parameter(count, Zeros()), "std": Parameter(count, Ones())}

    @property
    def _rows(self) -> int:
        """Rows of the table of vectors."""
        return sum(self.categories.values())

    @ieee  # squares of small differences may become 0
    def fitted(self, chunks: Callable[[], Iterator[np.ndarray]]) -> dict[str, np.ndarray]:
        """The buffers by short name from training data, float64: mean and deviation of each number column.

        The deviation is that of the samples as a population, √(Σ (x − mean)² / N); 1 for a column of one value.

        Args:
            chunks: Gives the rows (n, C) of the data, part by part; it is called three times.
        """
        if not self.standardise or not self.numbers:
            return {}
        first = next(chunks())[:1, self.numbers].astype(np.float64)
        # Sums of differences from one of the rows: those of numbers far away from 0 would lose digits.
        mean = first + _mean(chunks(), self.numbers, lambda rows: rows - first)
        std = np.sqrt(_mean(chunks(), self.numbers, lambda rows: (rows - mean) ** 2))
        return {"mean": mean[0], "std": np.where(std > 0, std, 1.0)[0]}

    def checked_input(self, x, what, owner):
        return validation.table(x, what, self.numbers, self.categories)

    def forward(self, build, x, p):
        out = build.value("columns", self.output_shape(x.shape))
        at, count = len(self.numbers), len(self.categories)
        if self.numbers:
            mean, std = (p[name].array for name in ("mean", "std")) if "mean" in p else _unchanged(build, at)
            build.emit(k.standardise_columns, out.buffer, x.buffer, np.array(self.numbers, np.int64), mean, std)
        if not count:
            return out, lambda dout, grads, wanted: None
        rows = build.array("rows", (build.batch, count), np.int32, batched=True)
        begins = np.cumsum([0, *self.categories.values()], dtype=np.int64)
        build.emit(k.category_rows, rows, x.buffer, np.array(list(self.categories), np.int64), begins)
        build.emit(k.embedding_forward, out.buffer, p["w"].array, rows, self.width, at)

        def backward(dout, grads, wanted):
            emit_table_gradient(build, grads["w"], dout, rows, self._rows, self.width, at)
            # Returns no gradient of the table: its ids have none, and this is always the first layer.

        return out, backward

    def config(self) -> dict[str, Any]:
        return super().config() | {"categories": [list(pair) for pair in self.categories.items()]}


def _checked_categories(given: dict[int, int]) -> dict[int, int]:
    checked = {}
    for column, count in given.items():
        column = whole_number("Columns: a column of categories", column, 0)
        checked[column] = whole_number(f"Columns: categories of column {column}", count)
        if count > MOST_IDS:
            raise ValueError(f"Columns: column {column} has {count:,} categories, expected at most {MOST_IDS:,}")
    return checked


def _mean(
    chunks: Iterator[np.ndarray], columns: Sequence[int], measure: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """The mean over all rows of what `measure` makes of the given columns, (1, columns)."""
    total, samples = np.zeros((1, len(columns))), 0
    for rows in chunks:
        total += measure(rows[:, columns].astype(np.float64)).sum(axis=0)
        samples += len(rows)
    return total / samples


def _unchanged(build: Builder, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A mean and a deviation that change nothing."""
    return build.constant([0.0] * count), build.constant([1.0] * count)
