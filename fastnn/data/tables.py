"""A file's table as samples: which columns a target is predicted from, and the splits.

data = load_table("people.csv", TableUse("income"))
data.train.x   # (N, C) objects: numbers, texts, None where one is missing
"""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.text import plural
from fastnn.data.column_hints import hint_of, hint_of_ids, why_useless
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats.numerals import Numerals
from fastnn.data.formats.table_file import Cell, TextTable, read_table
from fastnn.data.table_target import LEAST_ROWS, TableUse, column_of, target_of

HELD_OUT = 0.15  # of the rows, for validation, and as many for the test


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
