"""What is predicted from a table: how a user says it, and the column as labels or as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.data.column_hints import hint_of
from fastnn.data.dataset import id_dtype
from fastnn.data.formats.numerals import PLAIN, Numerals, flags_for, number_of
from fastnn.data.formats.table_file import Cell, TextTable

TASKS = ("auto", "classification", "regression")
LEAST_ROWS = 20  # with fewer there is nothing to validate and to test on
MOST_CLASSES = 100
# A column of whole numbers is taken for classes if at most FEW_CLASSES differ, each in ROWS_OF_A_CLASS rows on average.
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
