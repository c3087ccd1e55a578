"""The table of a sweep, as a file: whose it is, and what its rows hold."""

import contextlib
import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.errors import FileFormatError

TEXTS = ("status", "reason")
FIGURES = ("epochs_run", "seconds")  # of every trial that finished


@dataclass(frozen=True)
class Owner:
    """Whose table it is, and which of its rows are a sweep's own: rows of other trials are kept, and not looked at.

    what     the table is, for messages
    columns  column -> the text that the sweep's own rows have there
    common   those of the columns in which all rows of the table have that text
    figures  columns in which rows of finished trials hold numbers, beside the usual ones
    """

    what: str
    columns: Mapping[str, str]
    common: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()

    def owns(self, row: Mapping[str, str]) -> bool:
        """Whether a row of the table is the sweep's own."""
        return all(row[name] == text for name, text in self.columns.items())


def read_table(path: Path, owner: Owner) -> list[dict[str, str]]:
    """The rows of an earlier call, as texts; [] if there is no file. FileFormatError for a table of anything else."""
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            found = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path}: cannot be read as a sweep's table ({error})") from None
    is_empty = not (found or rows)  # a sweep of which no trial has ended
    if not (is_empty or {*owner.columns, "status"} <= {*found}) or not all(_fits(row, owner) for row in rows):
        raise FileFormatError(f"{path}: is no {owner.what}; choose another --out")
    for line, row in enumerate(rows, 2):
        if owner.owns(row) and row["status"] == "finished":
            _check_figures(row, owner, f"{path}: line {line}")
    return rows


def _fits(row: Mapping[Any, Any], owner: Owner) -> bool:
    """Whether a row has a text in each column and no more, and those that all rows have in common."""
    is_whole = None not in row and None not in row.values()
    return is_whole and all(row[name] == owner.columns[name] for name in owner.common)


def _check_figures(row: Mapping[str, str], owner: Owner, where: str) -> None:
    """FileFormatError unless the figures of a trial that finished are numbers."""
    for name in (*owner.figures, *FIGURES):
        if isinstance(value_of(name, row.get(name) or "0"), str):
            hint = "mend or remove the line, or give --fresh"
            raise FileFormatError(f"{where} holds {name} {row[name]!r}, expected a number; {hint}")


def value_of(name: str, text: str) -> Any:
    """A figure of the table as a number; texts as they are."""
    if name in TEXTS:
        return text
    with contextlib.suppress(ValueError):
        return int(text)
    with contextlib.suppress(ValueError):
        return float(text)
    return text
