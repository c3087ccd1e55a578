"""A file's table as samples: which column is predicted and how, which columns it is predicted from, and the splits.

data = load_table("people.csv", "income")
data.train.x   # (N, C) objects: numbers, texts, None where one is missing
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.common.text import plural
from fastnn.data.column_hints import hint_of, hint_of_ids, why_useless
from fastnn.data.dataset import Dataset, Split, id_dtype
from fastnn.data.formats.numerals import PLAIN, Numerals, flags_for, number_of
from fastnn.data.formats.table_file import Cell, TextTable, read_table

TASKS = ("auto", "classification", "regression")
LEAST_ROWS = 20  # with fewer there is nothing to validate and to test on
HELD_OUT = 0.15  # of the rows, for validation, and as many for the test
MOST_CLASSES = 100
# A column of whole numbers is taken for classes if there are so few of them, each in so many rows on average.
FEW_CLASSES, ROWS_OF_A_CLASS = 20, 10


@dataclass(frozen=True)
class TableUse:
    """How a table is read.

    target      the column to predict; "" is refused
    task        "classification" or "regression"; "auto": as the column suggests
    header      whether the first line holds the names of the columns
    categories  columns of numbers that are categories, such as codes
    drop        columns to leave out
    numerals    how numbers are written
    """

    target: str
    task: str = "auto"
    header: bool = True
    categories: Sequence[str] = ()
    drop: Sequence[str] = ()
    numerals: Numerals = PLAIN


def load_table(path: str | os.PathLike[str], use: TableUse) -> Dataset:
    """The samples of a table, divided at random but always alike: 70 % for training, 15 % each to validate and to test.

    x (N, C) objects: float for numbers, str for categories, None where one is missing. y (N,): labels of the smallest
    dtype; of a regression float64. meta: `source`, `target`, `task`, `classes` (labels' names; of a regression absent),
    `columns` (names of x), `dropped` (column -> why it is left out), `hints` (column -> what its texts may mean),
    `rows_left_out` (those without a target), and `lines` (split -> the line of the file of each sample).

    FileFormatError for what is no table. DataError for a column that is not there, a target that does not suit the
    task, or too few rows.
    """
    table = read_table(path, header=use.header, numerals=use.numerals)
    target, rows = target_of(table, use)
    if len(rows) < LEAST_ROWS:
        raise DataError(f"{table.where} has {plural(len(rows), 'row')} with {use.target!r}, expected {LEAST_ROWS}")
    inputs, dropped = _inputs(table, use, rows)
    x = objects_of(inputs, rows)
    meta: dict[str, Any] = {
        "source": os.fspath(path),
        "target": use.target,
        "columns": list(inputs),
        "dropped": dropped,
        "hints": _hints(table, use, inputs),
    }
    meta |= {"rows_left_out": len(table) - len(rows)} | target.meta()
    return _divided(x, target.y, meta, np.array(table.lines)[rows])


@dataclass(frozen=True, eq=False)
class Target:
    """The numbers that a column means: labels, with the names of their classes, or the numbers themselves."""

    y: np.ndarray
    classes: Sequence[str] | None = None

    def meta(self) -> dict[str, Any]:
        """Keys of a data set's `meta`."""
        return {"task": "regression"} if self.classes is None else {"task": "classification", "classes": self.classes}


def target_of(table: TextTable, use: TableUse, classes: Sequence[str] | None = None) -> tuple[Target, np.ndarray]:
    """The target of the rows that have one, and which rows these are.

    classes : of a trained model, whose labels the rows get; None: those that occur
    """
    cells = column_of(table, use.target, "--target")
    rows = np.array([i for i, cell in enumerate(cells) if cell is not None], np.int64)
    there = [cell for cell in cells if cell is not None]
    if not there:
        raise DataError(f"{table.where}: every cell of the target {use.target!r} is missing")
    numbers = [table.numerals.number_of(cell) for cell in there]
    task = use.task if use.task != "auto" else _task(numbers)
    if task == "classification":
        names = class_names(there, numbers)
        if classes:  # those that were texts among others may be numbers alone in these rows
            names = [cell if cell in classes else name for cell, name in zip(there, names, strict=True)]
        known = list(classes) if classes else _classes(names, table, use)
        return Target(_labels(names, known, table, rows), known), rows
    for i, number in zip(rows, numbers, strict=True):
        if number is None or not np.isfinite(number):
            where, flags = f"{table.where}, line {table.lines[i]}", flags_for([str(cells[i])])
            raise DataError(
                f"{where}: {use.target} is {cells[i]!r:.40}, expected a number (regression)"
                f"{f'; add {flags}' if flags and number is None else ''}"
            )
    y = np.array(numbers, np.float64)
    if y.min() == y.max() and classes is None and len(y) >= LEAST_ROWS:
        raise DataError(f"{table.where}: {use.target} is {there[0]} in every row: there is nothing to predict")
    return Target(y), rows


def column_of(table: TextTable, name: str, flag: str) -> list[Cell]:
    """The cells of a column; DataError, which says what columns there are, if there is none of that name."""
    names = list(table.columns)
    if not name:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise DataError(f"{flag} is missing, expected the column to predict, one of {shown}")
    if name not in table.columns:
        raise DataError(f"{table.where} has no column {name!r:.60} ({flag}); {near(name, names)}")
    return table.columns[name]


def _task(numbers: Sequence[float | None]) -> str:
    """Regression for numbers, unless they are two, or few whole ones."""
    found = {number for number in numbers if number is not None}
    if None in numbers or len(found) <= 2:
        return "classification"
    is_whole = all(float(number).is_integer() for number in found)
    are_few = len(found) <= min(FEW_CLASSES, len(numbers) / ROWS_OF_A_CLASS)
    return "classification" if is_whole and are_few else "regression"


def class_names(cells: Sequence[str], numbers: Sequence[float | None]) -> list[str]:
    """The class of each cell: its text; of numbers one text however they are written: 1 for 1.0."""
    if None in numbers:
        return list(cells)
    return [f"{number:.15g}" for number in numbers]


def _classes(names: Sequence[str], table: TextTable, use: TableUse) -> list[str]:
    """The classes, sorted: by number where all are numbers. DataError for one class, or too many."""
    found = sorted(set(names))
    if len(found) == 1:
        raise DataError(f"{table.where}: {use.target} is {found[0]!r:.40} in every row: there is nothing to predict")
    if len(found) > min(MOST_CLASSES, len(names) / 2):
        hint = hint_of(names, table.numerals)
        raise DataError(
            f"{table.where}: {use.target} has {len(found):,} different values in {len(names):,} rows, expected at most "
            f"{MOST_CLASSES} classes, or numbers and --task regression{f'; it holds {hint}' if hint else ''}"
        )
    if all(number_of(name) is not None for name in found):
        found.sort(key=float)
    return found


def _labels(names: Sequence[str], classes: Sequence[str], table: TextTable, rows: np.ndarray) -> np.ndarray:
    label_of = {name: label for label, name in enumerate(classes)}
    for i, name in zip(rows, names, strict=True):
        if name not in label_of:
            shown = ", ".join(classes[:8]) + (", …" if len(classes) > 8 else "")
            raise DataError(f"{table.where}, line {table.lines[i]}: {name!r:.40} is no class of the model: {shown}")
    return np.array([label_of[name] for name in names], id_dtype(len(classes)))


def _inputs(table: TextTable, use: TableUse, rows: np.ndarray) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """The columns to predict from, as values, and why others are left out. DataError if none is left."""
    for name in (*use.drop, *use.categories):
        flag = "--drop" if name in use.drop else "--categories"
        column_of(table, name, flag)
        if name == use.target:
            hint = "" if flag == "--drop" else ": --task classification makes classes of its numbers"
            raise DataError(f"{flag} has {name!r:.60}, which is the target{hint}")
    inputs: dict[str, list[Any]] = {}
    dropped: dict[str, str] = {}
    for name, cells in table.columns.items():
        if name == use.target:
            continue
        values = valued(cells, name in use.categories, table.numerals)
        why = "--drop" if name in use.drop else why_useless(values, rows, name in use.categories, table.numerals)
        if why:
            dropped[name] = why
        else:
            _check_finite(values, rows, name, table)
            inputs[name] = values
    if not inputs:
        told = "; ".join(f"{name}: {why}" for name, why in dropped.items()) or "it is the only one"
        raise DataError(f"{table.where} has no column to predict {use.target!r} from ({told})")
    return inputs, dropped


def _check_finite(values: Sequence[Any], rows: np.ndarray, name: str, table: TextTable) -> None:
    """DataError, which says where it is, for an infinite number in these rows."""
    for i in rows:
        if isinstance(values[i], float) and math.isinf(values[i]):
            where = f"{table.where}, line {table.lines[i]}"
            raise DataError(f"{where}: {name} is infinite, expected a finite number or an empty cell")


def _hints(table: TextTable, use: TableUse, inputs: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """What to know of columns that are used as texts, the target among them, unless the user says what they are.

    Of those of numbers, whether they may be ids.
    """
    columns = {**inputs, use.target: valued(table.columns[use.target], False, table.numerals)}
    texts = [name for name, values in columns.items() if name not in use.categories and _is_texts(values)]
    found = {name: hint_of(table.columns[name], table.numerals) for name in texts}
    found |= {name: hint_of_ids(values) for name, values in inputs.items() if name not in texts}
    return {name: hint for name, hint in found.items() if hint}


def _is_texts(values: Sequence[Any]) -> bool:
    """Whether a column that `valued` made holds other than numbers."""
    return isinstance(next((value for value in values if value is not None), None), str)


def valued(cells: Sequence[Cell], is_category: bool, numerals: Numerals) -> list[Any]:
    """Numbers if all cells that are there say numbers and they are no categories; else texts."""
    if is_category:
        return list(cells)
    numbers: list[float | None] = []
    for cell in cells:
        number = None if cell is None else numerals.number_of(cell)
        if number is None and cell is not None:
            return list(cells)
        numbers.append(number)
    return numbers


def objects_of(columns: Mapping[str, Sequence[Any]], rows: np.ndarray) -> np.ndarray:
    """The columns side by side, (N, C) objects, with these rows alone."""
    x = np.empty((len(rows), len(columns)), object)
    for place, values in enumerate(columns.values()):
        x[:, place] = np.array([*values, None], object)[rows]  # None: else numbers alone would not stay objects
    return x


def _divided(x: np.ndarray, y: np.ndarray, meta: dict[str, Any], lines: np.ndarray) -> Dataset:
    order = np.argsort(random.generator(0, "splits of a table").random(len(x)), kind="stable")
    held = max(1, round(HELD_OUT * len(x)))
    parts = {"train": order[: -2 * held], "val": order[-2 * held : -held], "test": order[-held:]}
    splits = {name: Split(x[part], y[part]) for name, part in parts.items()}
    return Dataset(**splits, meta=meta | {"lines": {name: lines[part] for name, part in parts.items()}})
