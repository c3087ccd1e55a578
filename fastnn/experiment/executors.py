"""Where the cells of a sweep are trained: here, one after the other; in processes of this machine; on a Dask cluster.

Each way yields (number of the cell, its line of the table) as cells end.
"""

import concurrent.futures
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.errors import FastnnError, MissingPackageError
from fastnn.data import Dataset
from fastnn.engine.threads import threads
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import plain
from fastnn.experiment.train_one import train_one

TIMEOUT = "10s"  # for a scheduler to answer

Row = dict[str, Any]
Ended = Iterator[tuple[int, Row]]


@dataclass(frozen=True)
class Cells:
    """Cells to be trained.

    recipe, quick     of the sweep
    path, data        the data's file if one was given, and what was found
    settings          of each cell, by its number
    """

    recipe: Recipe
    quick: bool
    path: Path | None
    data: Dataset
    settings: dict[int, Any]

    @property
    def source(self) -> str:
        return str(self.data.meta["source"])

    def identity(self, number: int) -> Row:
        return identity(self.recipe, self.settings[number], self.source)


# A way to train: from cells to their lines.
Place = Callable[[Cells], Ended]

# What another process calls for a cell: (recipe's id, data's file, quick, data's source, settings) -> its line.
Train = Callable[[str, Path | None, bool, str, Any], Row]


def identity(recipe: Recipe, settings: Any, source: str) -> Row:
    """What makes a cell that cell, as texts, which is what a CSV file gives back."""
    return {name: str(value) for name, value in ({"id": recipe.id, "data": source} | plain(settings)).items()}


def train_cell(recipe: Recipe, settings: Any, data: Dataset, source: str) -> Row:
    """The line of a cell, trained now; what is wrong with its settings, or divergence, becomes its reason."""
    begin = time.monotonic()
    row = identity(recipe, settings, source)
    try:
        trained = train_one(recipe, "cell", settings, data)
    except (FastnnError, ValueError, TypeError, MemoryError) as error:
        return row | {"status": "failed", "reason": _reason(error), "seconds": time.monotonic() - begin}
    figures = trained.metrics | {"epochs_run": len(trained.epochs), "best_epoch": trained.best_epoch}
    return row | {"status": "finished", "reason": ""} | figures | {"seconds": time.monotonic() - begin}


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def in_turn(cells: Cells, *, share: int) -> Ended:
    """In this process, on `share` threads, cells of one dtype after those of another: data are prepared once each."""
    with threads(share):
        for dtype in dict.fromkeys(settings.dtype for settings in cells.settings.values()):
            data = cells.recipe.prepare(cells.data, dtype)
            for number, settings in cells.settings.items():
                if settings.dtype == dtype:
                    yield number, train_cell(cells.recipe, settings, data, cells.source)


def in_processes(cells: Cells, *, train: Train, jobs: int, share: int) -> Ended:
    """In `jobs` processes, begun anew: a forked one could not use compiled threads. Each has `share` threads."""
    pool = concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _set_up, (share,))
    others = set(multiprocessing.active_children())
    try:
        yield from _submitted(pool, cells, train)
    except BaseException:  # an interruption: cells that run are given up, or it would take effect minutes later
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    pool.shutdown()


def _set_up(share: int) -> None:
    import numba

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the first one ends the others
    numba.set_num_threads(share)


def on_cluster(cells: Cells, *, train: Train, address: str) -> Ended:
    """By the workers of a Dask cluster, each with fastnn and, under the same path, the data; a worker uses its threads.

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
            yield from _submitted(workers, cells, train)
        finally:  # nothing is left to wait for, unless something went wrong
            workers.shutdown(wait=False)


def _submitted(workers: concurrent.futures.Executor, cells: Cells, train: Train) -> Ended:
    path = None if cells.path is None else cells.path.resolve()
    where = cells.recipe.id, path, cells.quick, cells.source
    futures = {workers.submit(train, *where, settings): number for number, settings in cells.settings.items()}
    for future in concurrent.futures.as_completed(futures):
        number = futures[future]
        yield number, _row_of(future, cells.identity(number))


def _row_of(future: "concurrent.futures.Future[Row]", row: Row) -> Row:
    try:
        return future.result()
    except Exception as error:  # not of the settings, `train_cell` notes those: a worker died, or has no such data
        return row | {"status": "crashed", "reason": _reason(error)}
