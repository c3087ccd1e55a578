"""Who trains the trials of a sweep: this process, several processes of this machine, or a Dask cluster.

Each executor yields (number of the trial, its row of the table) as trials end.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastnn.common.errors import FastnnError
from fastnn.data import Dataset
from fastnn.engine.threads import threads, usable_threads
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.train_one import train_one
from fastnn.search import pools
from fastnn.search.pools import Pool
from fastnn.search.running import error_of, reason_of, run

TrialRow = dict[str, Any]  # a row of the sweep's table: column -> value
NumberedRows = Iterator[tuple[int, TrialRow]]


@dataclass(frozen=True)
class Trials:
    """Trials that are to be trained.

    recipe, quick  the sweep's
    path           the data's file, or None if none was given
    data           as loaded
    settings       number of the trial -> its settings
    """

    recipe: Recipe
    quick: bool
    path: Path | None
    data: Dataset
    settings: dict[int, Any]

    @property
    def source(self) -> str:
        """Where the data come from, as the table says it."""
        return str(self.data.meta["source"])

    def key(self, number: int) -> TrialRow:
        """The columns that identify a trial."""
        return trial_key(self.recipe, self.settings[number], self.source)


# Trains trials and yields their rows.
Executor = Callable[[Trials], NumberedRows]

# Trains one trial in another process: (recipe's id, data's file, quick, data's source, settings) -> its row.
TrainTrial = Callable[[str, Path | None, bool, str, Any], TrialRow]


def trial_key(recipe: Recipe, settings: Any, source: str) -> TrialRow:
    """The columns that identify a trial, as texts, because a CSV file gives back texts."""
    return {name: str(value) for name, value in ({"id": recipe.id, "data": source} | asdict(settings)).items()}


def train_trial(recipe: Recipe, settings: Any, data: Dataset, source: str) -> TrialRow:
    """Train a trial on prepared data and return its row; an error in its settings, or divergence, is noted in it."""
    begin = time.monotonic()
    row = trial_key(recipe, settings, source) | {"threads": usable_threads()}
    try:
        trained = train_one(recipe, "trial", settings, data)
    except (FastnnError, ValueError, TypeError, MemoryError) as error:
        return row | {"status": "failed", "reason": reason_of(error), "seconds": time.monotonic() - begin}
    figures = trained.metrics | {"epochs_run": len(trained.epochs), "best_epoch": trained.best_epoch}
    return row | {"status": "finished", "reason": ""} | figures | {"seconds": time.monotonic() - begin}


def in_this_process(trials: Trials, *, thread_count: int) -> NumberedRows:
    """One trial after the other on `thread_count` threads; those of one dtype together, so that it is prepared once."""
    with threads(thread_count):
        for dtype in dict.fromkeys(settings.dtype for settings in trials.settings.values()):
            first = next(settings for settings in trials.settings.values() if settings.dtype == dtype)
            data = trials.recipe.prepare(trials.data, dtype, first)
            for number, settings in trials.settings.items():
                if settings.dtype == dtype:
                    yield number, train_trial(trials.recipe, settings, data, trials.source)


def in_processes(trials: Trials, *, train: TrainTrial, jobs: int, threads_each: int) -> NumberedRows:
    """In `jobs` processes with `threads_each` threads; a trial whose process is killed is trained once more."""
    with pools.processes(jobs, threads_each) as pool:
        yield from _trained_in(pool, trials, train)


def on_cluster(trials: Trials, *, train: TrainTrial, address: str) -> NumberedRows:
    """By the workers of a Dask cluster. Each needs fastnn and, under the same path, the data."""
    with pools.cluster(address, "--scheduler") as pool:
        yield from _trained_in(pool, trials, train)


def _trained_in(pool: Pool, trials: Trials, train: TrainTrial) -> NumberedRows:
    path = None if trials.path is None else trials.path.resolve()
    where = trials.recipe.id, path, trials.quick, trials.source
    waiting = iter(trials.settings.items())

    def submit(trial: tuple[int, Any]) -> "Future[TrialRow]":
        return pool.submit(train, *where, trial[1])

    for (number, _), future in run(pool, lambda: next(waiting, None), submit):
        yield number, _row_of(future, trials.key(number))


def _row_of(future: "Future[TrialRow]", key: TrialRow) -> TrialRow:
    """The trial's row; "crashed" if the worker died or could not load the data, which says nothing of the settings."""
    error = error_of(future)
    return future.result() if error is None else key | {"status": "crashed", "reason": reason_of(error)}
