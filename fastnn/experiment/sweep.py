"""A sweep: every combination of given settings is a trial, which is trained once.

sweep.csv in the sweep's folder has a row for each trial that has ended: id, data, all settings, status ("finished",
"failed" or "crashed"), reason, metrics, epochs_run, best_epoch, threads, seconds. A trial whose settings have a row is
not trained again, unless its process crashed.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.csv_file import write_rows
from fastnn.common.errors import FileFormatError
from fastnn.common.text import SPLITS
from fastnn.data import Dataset
from fastnn.experiment.executors import Executor, TrialRow, Trials, trial_key
from fastnn.experiment.recipe import Recipe
from fastnn.search.folder import TABLE
from fastnn.search.space import Axis, combinations, draw

METRICS = tuple(f"{split}_{name}" for split in SPLITS for name in ("loss", "accuracy", "r2"))
RETRIED = ("crashed",)  # statuses of trials that are trained again


@dataclass(frozen=True)
class Grid:
    """The settings of a sweep.

    axes   name of a setting -> its values, in the order given, or a range
    base   the settings that the user gave for all trials
    count  trials that are drawn at random; 0: all combinations, and no axis is a range
    """

    recipe: Recipe
    axes: Mapping[str, Axis]
    base: dict[str, Any]
    quick: bool = False
    count: int = 0

    def trials(self) -> list[Any]:
        """The settings of each trial; the last axis changes fastest. ValueError for a value out of range."""
        chosen = draw(self.axes, self.count, self.base.get("seed", 0)) if self.count else combinations(self.axes)
        return [self.recipe.with_settings(self.base | changes, self.quick) for changes in chosen]


def read_rows(path: Path, recipe: Recipe) -> list[TrialRow]:
    """The rows of an earlier sweep, as texts; [] if there is no file. FileFormatError for a file of anything else."""
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows: list[TrialRow] = list(reader)
            found = reader.fieldnames or ()
            columns = set(found) if found or rows else {"id", "status"}  # an empty file is a sweep's, too
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path}: cannot be read as a sweep's table ({error})") from None
    if not columns >= {"id", "status"} or any(row["id"] != recipe.id for row in rows):
        raise FileFormatError(f"{path}: is no sweep of {recipe.id}; choose another --out")
    for line, row in enumerate(rows, 2):
        _check_figures(row, f"{path}: line {line}")
    return rows


def _check_figures(row: TrialRow, where: str) -> None:
    """FileFormatError unless the metrics of a finished trial are numbers."""
    for name in METRICS if row["status"] == "finished" else ():
        try:
            float(row.get(name) or 0)
        except ValueError:
            raise FileFormatError(
                f"{where} holds {name} {row[name]!r}, expected a number; mend or remove the line, or give --fresh"
            ) from None


class Sweep:
    """The trials of a grid and their rows: `rows[i]` belongs to `trials[i]`, None until that has ended.

    folder  for the table, which is `held`
    data    as loaded, from `path` if one was given
    fresh   whether to forget an earlier table

    Raises ValueError for settings out of range, FileFormatError if the table is not a sweep's.
    """

    def __init__(self, grid: Grid, folder: Path, data: Dataset, path: Path | None, *, fresh: bool = False):
        self.grid, self.folder, self.path = grid, folder, path
        self.data, self.source = data, str(data.meta["source"])
        self.trials = grid.trials()
        earlier = [] if fresh else read_rows(folder / TABLE, grid.recipe)
        kept = [row for row in earlier if row["status"] not in RETRIED]
        self.rows = [self._find(kept, settings) for settings in self.trials]
        found = [id(row) for row in self.rows]
        self._other_rows = [row for row in kept if id(row) not in found]

    def _find(self, rows: list[TrialRow], settings: Any) -> TrialRow | None:
        key = trial_key(self.grid.recipe, settings, self.source).items()
        return next((row for row in rows if key <= row.items()), None)

    @property
    def waiting(self) -> list[int]:
        """The numbers of the trials that have not been trained yet."""
        return [number for number, row in enumerate(self.rows) if row is None]

    def run(self, executor: Executor, on_trial_end: Callable[[int], None]) -> None:
        """Train the waiting trials with an executor of `fastnn.experiment.executors`.

        After each trial the table is written and `on_trial_end(number)` called: an interruption loses only the trials
        that are being trained.
        """
        waiting = {number: self.trials[number] for number in self.waiting}
        for number, row in executor(Trials(self.grid.recipe, self.grid.quick, self.path, self.data, waiting)):
            self.rows[number] = row
            self._write()
            on_trial_end(number)

    def _write(self) -> None:
        write_rows(self.folder / TABLE, [*self._other_rows, *(row for row in self.rows if row is not None)])
