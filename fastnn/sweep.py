"""A sweep: the cross product of settings, each cell trained once, in this process or in several.

sweep.csv in the sweep's folder has a line for each cell that has ended: id, data, all settings, status ("finished",
"failed" or "crashed"), reason, metrics, epochs_run, seconds. A cell that is there with the same settings is not run
again, unless its process crashed.
"""

import concurrent.futures
import csv
import itertools
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.callbacks.csv_logger import write_history
from fastnn.data import Dataset
from fastnn.errors import FastnnError, FileFormatError
from fastnn.recipes.base import Recipe, plain
from fastnn.recipes.single import train_one
from fastnn.threads import threads

TABLE = "sweep.csv"
PARTS = ("train", "val", "test")
METRICS = tuple(f"{part}_{name}" for part in PARTS for name in ("loss", "accuracy"))
REPEATED = ("crashed",)  # the statuses that say nothing of the settings

Row = dict[str, Any]


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


def identity(recipe: Recipe, settings: Any, source: str) -> Row:
    """What makes a cell that cell, as texts, which is what a CSV file gives back."""
    return {name: str(value) for name, value in ({"id": recipe.id, "data": source} | plain(settings)).items()}


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


def train_cell(recipe: Recipe, settings: Any, data: Dataset, source: str) -> Row:
    """The line of a cell, trained now; what is wrong with its settings, or divergence, becomes its reason."""
    begin = time.monotonic()
    row = identity(recipe, settings, source)
    try:
        trained = train_one(recipe, "cell", settings, data)
    except (FastnnError, ValueError, TypeError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return row | {"status": "failed", "reason": reason, "seconds": time.monotonic() - begin}
    figures = trained.metrics | {"epochs_run": len(trained.epochs), "best_epoch": trained.best_epoch}
    return row | {"status": "finished", "reason": ""} | figures | {"seconds": time.monotonic() - begin}


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

    def run(self, jobs: int, thread_count: int, tell: Callable[[int], None]) -> None:
        """Train what is waiting, `jobs` cells at a time with as many threads each as there are for it.

        After each cell the table is written and `tell(number)` called: an interruption loses only cells that run.
        """
        share = max(1, thread_count // jobs)
        for number, row in self._in_turn(share) if jobs == 1 else self._at_once(jobs, share):
            self.rows[number] = row
            self._write()
            tell(number)

    def _in_turn(self, share: int) -> Iterator[tuple[int, Row]]:
        recipe = self.grid.recipe
        with threads(share):
            waiting = self.waiting
            for dtype in dict.fromkeys(self.cells[number].dtype for number in waiting):
                data = recipe.prepare(self.data, dtype)
                for number in [number for number in waiting if self.cells[number].dtype == dtype]:
                    yield number, train_cell(recipe, self.cells[number], data, self.source)

    def _at_once(self, jobs: int, share: int) -> Iterator[tuple[int, Row]]:
        """Cells in processes of their own, begun anew: a forked one could not use compiled threads."""
        recipe = self.grid.recipe
        pool = concurrent.futures.ProcessPoolExecutor(
            jobs, multiprocessing.get_context("spawn"), _set_up, (recipe.id, self.path, self.grid.quick, share)
        )
        others = set(multiprocessing.active_children())
        try:
            futures = {pool.submit(_cell, self.cells[number]): number for number in self.waiting}
            for future in concurrent.futures.as_completed(futures):
                number = futures[future]
                yield number, _row_of(future, identity(recipe, self.cells[number], self.source))
        except BaseException:  # an interruption: cells that run are given up, or it would take effect minutes later
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        pool.shutdown()

    def _write(self) -> None:
        write_history(self.folder / TABLE, [*self.others, *(row for row in self.rows if row is not None)])


def _make(folder: Path) -> None:
    """The folder, made if need be; FileFormatError where it cannot be, or holds what no sweep wrote."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / TABLE).exists():
        raise FileFormatError(f"{folder} is a folder that no sweep made (it has no {TABLE}); choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(f"cannot write into {folder}: {error.strerror}; choose another --out") from None


def _row_of(future: "concurrent.futures.Future[Row]", row: Row) -> Row:
    try:
        return future.result()
    except BrokenProcessPool as error:
        return row | {"status": "crashed", "reason": " ".join(str(error).split())}


# What each process of a pool holds: its recipe, the data by dtype, where they are from.
_mine: dict[str, Any] = {}


def _set_up(recipe_id: str, path: Path | None, quick: bool, share: int) -> None:
    """Load the data once a process, and take that many threads."""
    import numba

    from fastnn.recipes import RECIPES

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the first one ends the others
    recipe = RECIPES[recipe_id]
    numba.set_num_threads(share)
    data, _ = recipe.find(path, quick)
    _mine.update(recipe=recipe, data=data, prepared={}, source=str(data.meta["source"]))


def _cell(settings: Any) -> Row:
    recipe, prepared = _mine["recipe"], _mine["prepared"]
    if settings.dtype not in prepared:
        prepared[settings.dtype] = recipe.prepare(_mine["data"], settings.dtype)
    return train_cell(recipe, settings, prepared[settings.dtype], _mine["source"])
