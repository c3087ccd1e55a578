"""Who trains the trials of a sweep: this process, several processes of this machine, or a Dask cluster.

Each executor yields (number of the trial, its row of the table) as trials end.
"""

import concurrent.futures
import functools
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.errors import FastnnError, MissingPackageError
from fastnn.data import Dataset
from fastnn.engine.threads import threads, usable_threads
from fastnn.experiment.cluster_threads import shares_of, train_with_share
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import plain
from fastnn.experiment.train_one import train_one

TIMEOUT = "10s"  # for a scheduler to answer

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
    return {name: str(value) for name, value in ({"id": recipe.id, "data": source} | plain(settings)).items()}


def train_trial(recipe: Recipe, settings: Any, data: Dataset, source: str) -> TrialRow:
    """Train a trial on prepared data and return its row; an error in its settings, or divergence, is noted in it."""
    begin = time.monotonic()
    row = trial_key(recipe, settings, source) | {"threads": usable_threads()}
    try:
        run = train_one(recipe, "trial", settings, data)
    except (FastnnError, ValueError, TypeError, MemoryError) as error:
        return row | {"status": "failed", "reason": _reason(error), "seconds": time.monotonic() - begin}
    figures = run.metrics | {"epochs_run": len(run.epochs), "best_epoch": run.best_epoch}
    return row | {"status": "finished", "reason": ""} | figures | {"seconds": time.monotonic() - begin}


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


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
    """In `jobs` processes with `threads_each` threads, started anew: compiled threads do not survive a fork."""
    spawn = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(jobs, spawn, _set_up_process, (threads_each,))
    others = set(multiprocessing.active_children())
    try:
        yield from _submitted(pool, trials, train)
    except BaseException:  # An interruption ends the processes: to wait for their trials could take minutes.
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    pool.shutdown()


def _set_up_process(threads_each: int) -> None:
    import numba

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the first one ends the others
    numba.set_num_threads(threads_each)


def on_cluster(trials: Trials, *, train: TrainTrial, address: str) -> NumberedRows:
    """By the workers of a Dask cluster. Each needs fastnn and, under the same path, the data.

    The trials that the workers of a machine train at once share its processors, whatever OMP_NUM_THREADS says there.
    MissingPackageError without the extra `cluster`; OSError or ValueError if no scheduler answers at `address`.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MissingPackageError(
            '--scheduler: the package distributed is not installed; install it with: pip install "fastnn[cluster]"'
        ) from None
    with Client(address, timeout=TIMEOUT, set_as_default=False) as client:
        workers = client.get_executor()
        try:
            yield from _submitted(workers, trials, functools.partial(train_with_share, train, shares_of(client)))
        finally:  # all trials have ended, unless there was an error
            workers.shutdown(wait=False)


def _submitted(workers: concurrent.futures.Executor, trials: Trials, train: TrainTrial) -> NumberedRows:
    path = None if trials.path is None else trials.path.resolve()
    where = trials.recipe.id, path, trials.quick, trials.source
    futures = {workers.submit(train, *where, settings): number for number, settings in trials.settings.items()}
    for future in concurrent.futures.as_completed(futures):
        number = futures[future]
        yield number, _row_of(future, trials.key(number))


def _row_of(future: "concurrent.futures.Future[TrialRow]", key: TrialRow) -> TrialRow:
    """The trial's row; "crashed" if the worker died or could not load the data, which says nothing of the settings."""
    try:
        return future.result()
    except Exception as error:
        return key | {"status": "crashed", "reason": _reason(error)}
