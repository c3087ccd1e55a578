"""CSV files of rows that need not all have the same columns."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fastnn.common.files import atomic_path


def write_rows(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a header and one line a row; columns stand in the order in which they first appear.

    A row leaves the columns that it lacks empty. The file is there whole or not at all. FileFormatError if it cannot be
    written.
    """
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
