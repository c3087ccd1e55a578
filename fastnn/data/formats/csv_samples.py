"""Samples from a CSV file: one a line, a column for each number."""

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.text import plural
from fastnn.data.column_names import lacking
from fastnn.data.formats.numerals import number_of


class CsvSamples(NamedTuple):
    """The line of each sample, from 1; the samples (N, columns); the names of columns that were passed over."""

    lines: list[int]
    x: NDArray[np.float64]
    unused: list[str]


def read_csv(text: str, name: str, columns: int, separator: str = ",", names: Sequence[str] = ()) -> CsvSamples:
    """The samples of a text, whose first line may hold the names of the columns.

    name      : what messages call the file
    separator : what stands between cells
    names     : of the columns, if they are known. Where the first line holds names, columns are found by them

    FileFormatError for what is no CSV, DataError for another number of columns, or what is no finite number.
    """
    lines: list[int] = []
    rows: list[list[float]] = []
    unused: list[str] = []
    places: list[int] = []  # of the columns that are wanted, in their order; [] where these are all
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not lines and not places and _are_names(cells, names):
                header = [cell.strip() for cell in cells]
                places, unused = _places(header, names, name)
                continue
            where = f"{name}, line {reader.line_num}"
            lines.append(reader.line_num)
            rows.append(_numbers(_at(places, cells, where), where, names) if places else _all(cells, where, columns))
    except csv.Error as error:
        raise FileFormatError(f"{name}, line {reader.line_num}: no CSV: {error}") from error
    if not rows:
        raise DataError(f"{name} holds no samples, expected lines of {plural(columns, 'number')}")
    return CsvSamples(lines, np.array(rows), unused)


def _are_names(cells: list[str], names: Sequence[str]) -> bool:
    """Whether these are the names that are known, which may be such as 2026, or else no numbers."""
    if names and not lacking([cell.strip() for cell in cells], names):
        return True
    return all(number_of(cell) is None for cell in cells)


def _places(header: list[str], names: Sequence[str], name: str) -> tuple[list[int], list[str]]:
    """Where the columns of these names stand, and the other names; ([], []) where none are known.

    DataError if a column is missing, or there twice.
    """
    if not names:
        return [], []
    counts = Counter(header)
    if twice := next((one for one in names if counts[one] > 1), None):
        raise DataError(f"{name} has two columns {twice!r:.60}, expected a name for each")
    if missing := lacking(header, names):
        raise DataError(f"{name} {missing}")
    place_of, wanted = {one: place for place, one in enumerate(header)}, set(names)
    return [place_of[one] for one in names], [one for one in header if one not in wanted]


def _at(places: list[int], cells: list[str], where: str) -> list[str]:
    if max(places) >= len(cells):
        raise DataError(f"{where} has {plural(len(cells), 'column')}, the line of names has more")
    return [cells[place] for place in places]


def _all(cells: list[str], where: str, columns: int) -> list[float]:
    if len(cells) != columns:
        raise DataError(f"{where} has {plural(len(cells), 'column')}, this model takes {columns}")
    return _numbers(cells, where, range(1, columns + 1))


def _numbers(cells: list[str], where: str, called: Sequence[str | int]) -> list[float]:
    """called : the name or the place of each column"""
    numbers = []
    for one, cell in zip(called, cells, strict=True):
        number = number_of(cell)
        if number is None or not math.isfinite(number):
            raise DataError(f"{where}, column {one!r} is {cell.strip()!r:.40}, expected a finite number")
        numbers.append(number)
    return numbers
