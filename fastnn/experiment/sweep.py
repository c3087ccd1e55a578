"""A sweep: the cross product of settings, each cell trained once, in this process or in several.

sweep.csv in the sweep's folder has a line for each cell that has ended: id, data, all settings, status ("finished",
"failed" or "crashed"), reason, metrics, epochs_run, seconds. A cell that is there with the same settings is not run
again, unless its process crashed.
"""

import csv
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.csv_file import write_rows
from fastnn.common.errors import FileFormatError
from fastnn.common.text import SPLITS
from fastnn.data import Dataset
from fastnn.experiment.executors import Cells, Place, Row, identity
from fastnn.experiment.recipe import Recipe

TABLE = "sweep.csv"
METRICS = tuple(f"{part}_{name}" for part in SPLITS for name in ("loss", "accuracy"))
REPEATED = ("crashed",)  # the statuses that say nothing of the settings


@dataclass(frozen=True)
class Grid:
    """What to sweep over.

    axes   name of a setting -> its values, in the order given
    base   the settings that the user gave for all cells
    """

    recipe: Recipe
    axes: dict[str, list[Any]]
    base: dict[str, Any]
    quick: bool = False

    def cells(self) -> list[Any]:
        """The settings of each cell, the last axis fastest. ValueError for a value out of range."""
        names = list(self.axes)
        return [
            self.recipe.with_settings(self.base | dict(zip(names, values, strict=True)), self.quick)
            for values in itertools.product(*self.axes.values())
        ]


def read_rows(path: Path, recipe: Recipe) -> list[Row]:
    """The lines of an earlier sweep, as texts; FileFormatError if the file is none of this system's."""
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows: list[Row] = list(reader)
            columns = set(reader.fieldnames or ("id", "status"))  # an empty file is a sweep's, too
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path}: cannot be read as a sweep's table ({error})") from None
    if not columns >= {"id", "status"} or any(row["id"] != recipe.id for row in rows):
        raise FileFormatError(f"{path}: is no sweep of {recipe.id}; choose another --out")
    for row in rows:
        _check_figures(row, f"{path}: line {rows.index(row) + 2}")
    return rows


def _check_figures(row: Row, where: str) -> None:
    """FileFormatError unless the metrics of a cell that finished are numbers."""
    for name in METRICS if row["status"] == "finished" else ():
        try:
            float(row.get(name) or 0)
        except ValueError:
            raise FileFormatError(
                f"{where} holds {name} {row[name]!r}, expected a number; mend or remove the line, or give --fresh"
            ) from None


class Sweep:
    """The cells of a grid and what is known of each: `rows[i]` is the line of `cells[i]`, or None."""

    def __init__(self, grid: Grid, folder: Path, data: Dataset, path: Path | None, *, fresh: bool = False):
        self.grid, self.folder, self.path = grid, folder, path
        self.data, self.source = data, str(data.meta["source"])
        self.cells = grid.cells()
        _make(folder)
        earlier = [] if fresh else read_rows(folder / TABLE, grid.recipe)
        self.rows = [self._find(earlier, settings) for settings in self.cells]
        found = [id(row) for row in self.rows]
        self.others = [row for row in earlier if id(row) not in found and row["status"] not in REPEATED]

    def _find(self, earlier: list[Row], settings: Any) -> Row | None:
        wanted = identity(self.grid.recipe, settings, self.source).items()
        return next((row for row in earlier if wanted <= row.items() and row["status"] not in REPEATED), None)

    @property
    def waiting(self) -> list[int]:
        """Numbers of the cells that are still to be trained."""
        return [number for number, row in enumerate(self.rows) if row is None]

    def run(self, place: Place, tell: Callable[[int], None]) -> None:
        """Train what is waiting, at `place`, one of `fastnn.experiment.executors`.

        After each cell the table is written and `tell(number)` called: an interruption loses only cells that run.
        """
        waiting = {number: self.cells[number] for number in self.waiting}
        for number, row in place(Cells(self.grid.recipe, self.grid.quick, self.path, self.data, waiting)):
            self.rows[number] = row
            self._write()
            tell(number)

    def _write(self) -> None:
        write_rows(self.folder / TABLE, [*self.others, *(row for row in self.rows if row is not None)])


def _make(folder: Path) -> None:
    """The folder, made if need be; FileFormatError where it cannot be, or holds what no sweep wrote."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / TABLE).exists():
        raise FileFormatError(f"{folder} is a folder that no sweep made (it has no {TABLE}); choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(f"cannot write into {folder}: {error.strerror}; choose another --out") from None
