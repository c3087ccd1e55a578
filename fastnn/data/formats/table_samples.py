"""Rows of a table for a model that has `fn.Table`: columns found by their names, whatever else the file holds."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.common.text import plural
from fastnn.data.formats.numerals import flags_for
from fastnn.data.formats.table_file import Cell, TextTable
from fastnn.data.preprocessing import Table
from fastnn.data.preprocessing.table import CategoryColumn, NumberColumn


class Notes(NamedTuple):
    """What a user should know of a table that was read for a model.

    unseen : column -> how many of its cells hold a category that training data lacked
    extra  : columns that the model does not use
    """

    unseen: dict[str, int]
    extra: list[str]

    def lines(self, where: str) -> list[str]:
        """Sentences, none where there is nothing to say."""
        told = [
            f"{where}: {plural(count, 'cell')} of {name} with a category that is new to the model"
            for name, count in self.unseen.items()
        ]
        extra = ", ".join(self.extra[:8]) + (", …" if len(self.extra) > 8 else "")
        return told + ([f"{where}: not used by the model: {extra}"] if extra else [])


def columns_for(table: TextTable, preprocessing: Table) -> dict[str, np.ndarray]:
    """The columns that the model takes, as it takes them: numbers (N,) float64, NaN where missing; texts as objects.

    DataError for a column that is not there, and for a cell that is no finite number where one is expected.
    """
    found = {}
    missing = [str(column.name) for column in preprocessing.columns if str(column.name) not in table.columns]
    if missing:
        raise DataError(f"{table.where} has no {_listed(missing)}; {_hint(missing[0], table, preprocessing)}")
    for column in preprocessing.columns:
        name = str(column.name)
        cells = table.columns[name]
        found[name] = _numbers(cells, name, table) if isinstance(column, NumberColumn) else _texts(cells)
    return found


def notes_on(columns: dict[str, np.ndarray], table: TextTable, preprocessing: Table, passed: Sequence[str]) -> Notes:
    """What to tell of these columns; passed : columns that need no mention, such as the target."""
    unseen = {}
    for column in preprocessing.columns:
        if isinstance(column, CategoryColumn):
            known = {*map(str, column.values), None}
            if count := sum(cell not in known for cell in columns[str(column.name)]):
                unseen[str(column.name)] = count
    return Notes(unseen, [name for name in table.columns if name not in columns and name not in passed])


def _listed(missing: Sequence[str]) -> str:
    """Columns that are not there."""
    first, *others = (f"{name!r:.60}" for name in missing)
    if not others:
        return f"column {first}, which the model needs"
    more = f" and {len(others) - 5:,} more" if len(others) > 5 else ""
    return f"columns {', '.join([first, *others[:5]])}{more}, which the model needs"


def _hint(name: str, table: TextTable, preprocessing: Table) -> str:
    """Which column may be meant: one that the model does not need under its own name."""
    needed = {str(column.name) for column in preprocessing.columns}
    others = [other for other in table.columns if other not in needed][:20]
    hint = near(name, others) if others else "all columns that it has are needed under their own names"
    return f"{hint}; --no-header if it has no names" if set(map(str.isdigit, table.columns)) == {True} else hint


def _numbers(cells: Sequence[Cell], name: str, table: TextTable) -> np.ndarray:
    numbers = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if cell is None:
            continue
        number = table.numerals.number_of(cell)
        if number is None or not np.isfinite(number):
            where = f"{table.where}, line {table.lines[i]}"
            flags = flags_for([cell]) if number is None else ""
            raise DataError(
                f"{where}: {name} is {cell!r:.40}, expected a finite number{f'; add {flags}' if flags else ''}"
            )
        numbers[i] = number
    return numbers


def _texts(cells: Sequence[Cell]) -> np.ndarray:
    return np.array([*cells, None], object)[:-1]  # None: an array of objects whatever the cells hold


def has_header(meta: Any) -> bool:
    """Whether files of a model have a line of names, by its `meta`, which comes from a file."""
    return not isinstance(meta, dict) or meta.get("header") is not False


def row_names(table: TextTable, given: str) -> list[str]:
    """What each row is called: the file's name and the line."""
    return [f"{os.fspath(given)}:{line}" for line in table.lines]
