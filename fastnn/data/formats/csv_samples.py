"""Samples from a CSV file: one a line, a column for each number."""

import csv
import io
import math

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.text import plural
from fastnn.data.formats.numerals import number_of


def read_csv(text: str, name: str, columns: int, separator: str = ",") -> tuple[list[int], NDArray[np.float64]]:
    """The line of each sample, from 1, and the samples (N, columns) of a text; a first line of names is passed over.

    name : what messages call the file. separator : what stands between cells

    FileFormatError for what is no CSV, DataError for another number of columns, or what is no finite number.
    """
    lines: list[int] = []
    rows: list[list[float]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            are_names = not lines and all(number_of(cell) is None for cell in cells)
            if are_names or not any(cell.strip() for cell in cells):
                continue
            lines.append(reader.line_num)
            rows.append(_numbers(cells, f"{name}, line {reader.line_num}", columns))
    except csv.Error as error:
        raise FileFormatError(f"{name}, line {reader.line_num}: no CSV: {error}") from error
    if not rows:
        raise DataError(f"{name} holds no samples, expected lines of {plural(columns, 'number')}")
    return lines, np.array(rows)


def _numbers(cells: list[str], where: str, columns: int) -> list[float]:
    if len(cells) != columns:
        raise DataError(f"{where} has {plural(len(cells), 'column')}, this model takes {columns}")
    numbers = []
    for place, cell in enumerate(cells, 1):
        number = number_of(cell)
        if number is None or not math.isfinite(number):
            raise DataError(f"{where}, column {place} is {cell.strip()!r:.40}, expected a finite number")
        numbers.append(number)
    return numbers
