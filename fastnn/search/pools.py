"""Where trials run: in this process, in several processes of this machine, or by the workers of a Dask cluster.

All have the interface of `concurrent.futures`: `submit` gives a future, which ends with a result or an error. So the
loop over trials (`running.py`) is one for all places. (joblib.Parallel is not used: it gives up all trials as soon as
one process is killed, and cannot say which. Its processes are: they take functions of scripts and notebooks by value.)
"""

import concurrent.futures
import contextlib
import functools
import math
import multiprocessing
import os
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from fastnn.common.errors import FastnnError
from fastnn.common.packages import package
from fastnn.engine.threads import threads
from fastnn.search.cluster_threads import shares_of, with_share
from fastnn.search.packing import packed

TIMEOUT = "10s"  # for a scheduler to answer
SMALL = 1 << 20  # bytes that go with each call


class Pool(Protocol):
    """Runs functions.

    width  how many calls it is given at once
    slots  how many of them run at once, as far as that is known
    """

    width: float
    slots: float

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Call a function, now or later."""

    def shared(self, thing: Any) -> Any:
        """Something that many calls take, as their argument: `packing.opened` gives the thing itself."""

    def renew(self) -> None:
        """Make new processes, where one that died has ended all."""


class Here:
    """This process: calls are over when `submit` returns."""

    width, slots = 1.0, 1.0

    def __init__(self, thread_count: int):
        self.thread_count = thread_count

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Call it at once; Ctrl-C is raised, other errors are the future's."""
        future: Future[Any] = Future()
        try:
            with threads(self.thread_count):
                future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shared(self, thing: Any) -> Any:
        return thing

    def renew(self) -> None:
        """There is nothing to renew."""


class Processes:
    """Processes of this machine, started anew: compiled threads do not survive a fork."""

    def __init__(self, jobs: int, threads_each: int, folder: Path):
        self.width = self.slots = float(jobs)
        self._threads_each, self._folder = threads_each, folder
        self.by_joblib = True
        self._pool = self._started()
        self._counted = 0

    def _started(self) -> Any:
        """joblib's processes take functions by value and do not import the script again; else Python's own."""
        jobs, begun = int(self.width), (_set_up_process, (self._threads_each,))
        try:
            from joblib.externals.loky import ProcessPoolExecutor
        except ImportError:
            self.by_joblib = False
            pool = concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), *begun)
            _check_start(pool)
            return pool
        return ProcessPoolExecutor(jobs, initializer=begun[0], initargs=begun[1])

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self._pool.submit(function, *arguments)

    def shared(self, thing: Any) -> Any:
        """The path of a file, which each process reads once."""
        self._counted += 1
        path = self._folder / f"shared-{self._counted}"
        path.write_bytes(packed(thing))
        return path

    def renew(self) -> None:
        self.close(kill=True)
        self._pool = self._started()

    def close(self, *, kill: bool) -> None:
        """End the processes; `kill`: now, as to wait for their trials could take minutes."""
        if self.by_joblib:
            self._pool.shutdown(wait=True, kill_workers=kill)
            return
        ended = list((self._pool._processes or {}).values()) if kill else []
        self._pool.shutdown(wait=not kill, cancel_futures=kill)
        for process in ended:
            process.terminate()


GUARD = (
    "a process ended as it began: in a script, the call that starts processes must stand under "
    "`if __name__ == '__main__':`, as each of them imports the script again; with joblib installed it need not: "
    'pip install "fastnn[sweep]"'
)


def refuse_in_import() -> None:
    """End a process that Python started for a pool, and that imports a script which would start the next pool."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)  # without a word: `_check_start` says it, once


def _check_start(pool: Any) -> None:
    try:
        pool.submit(os.getpid).result()
    except concurrent.futures.BrokenExecutor:
        raise FastnnError(GUARD) from None


def _set_up_process(threads_each: int) -> None:
    import numba

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the first one ends the others
    numba.set_num_threads(threads_each)


@contextlib.contextmanager
def processes(jobs: int, threads_each: int) -> Iterator[Processes]:
    """A pool of `jobs` processes on `threads_each` threads each, for the block."""
    with tempfile.TemporaryDirectory(prefix="fastnn-") as folder:
        pool = Processes(jobs, threads_each, Path(folder))
        try:
            yield pool
        except BaseException:
            pool.close(kill=True)
            raise
        pool.close(kill=False)


class Cluster:
    """The workers of a Dask cluster, each of which needs fastnn. A trial whose worker dies goes to another one."""

    def __init__(self, client: Any):
        self._client, self._workers = client, client.get_executor()
        self._shares = shares_of(client)
        self.width, self.slots = math.inf, float(sum(client.nthreads().values()))

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self._workers.submit(functools.partial(with_share, self._shares, function), *arguments)

    def shared(self, thing: Any) -> Any:
        """Sent with each call if it is small, else to each worker that asks for it, once.

        It is the result of a task, whose arguments the scheduler keeps: if all workers that have it die, it is made
        again. What `scatter` sends is of the workers alone: trials would wait for it for ever.
        """
        data = packed(thing)
        if len(data) <= SMALL:
            return data
        with warnings.catch_warnings():  # of a large graph: it is one large argument, sent once
            warnings.simplefilter("ignore", UserWarning)
            return self._client.submit(_itself, data, pure=False, priority=1)

    def renew(self) -> None:
        """Dask does so."""


def _itself(thing: Any) -> Any:
    return thing


@contextlib.contextmanager
def cluster(address: Any) -> Iterator[Cluster]:
    """The workers of the Dask scheduler at an address, or of a `distributed.Client`, for the block.

    The trials that the workers of a machine train at once share its processors, whatever OMP_NUM_THREADS says there.
    MissingPackageError without the extra `cluster`; OSError or ValueError if no scheduler answers.
    """
    client_of = package("distributed", "scheduler", "cluster").Client
    own = not isinstance(address, client_of)
    client = client_of(os.fspath(address), timeout=TIMEOUT, set_as_default=False) if own else address
    with client if own else contextlib.nullcontext():
        pool = Cluster(client)
        try:
            yield pool
        finally:  # all trials have ended, unless there was an error
            pool._workers.shutdown(wait=False)
