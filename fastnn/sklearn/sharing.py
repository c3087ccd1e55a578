"""How many threads an estimator may use, beside others that joblib runs at the same time."""

import contextlib
import sys
import threading
from typing import Any

import numba
from joblib.parallel import get_active_backend

import fastnn as fn
from fastnn.engine.threads import usable_threads


def threads(n_threads: Any) -> contextlib.AbstractContextManager[None]:
    """Within the block, kernels use at most `n_threads` threads; None: all at hand, of a thread of joblib's one.

    joblib tells its worker processes by environment variables how many threads are theirs, and fastnn reads them. Of
    its worker threads each would take all threads of the process, so there each has itself alone. In a worker of Dask,
    whose threads take tasks, each task has its share.
    """
    if n_threads is None:
        if _in_thread_of_joblib():
            return fn.threads(1)
        tasks = _tasks_beside()
        return fn.threads(max(usable_threads() // tasks, 1)) if tasks > 1 else contextlib.nullcontext()
    return fn.threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))


def _in_thread_of_joblib() -> bool:
    backend, _ = get_active_backend()
    nested = getattr(backend, "nesting_level", 0)
    return bool(nested) and threading.current_thread() is not threading.main_thread()


def _tasks_beside() -> int:
    """How many tasks this worker of Dask runs at a time; 1 where this is no task of Dask."""
    dask: Any = sys.modules.get("distributed")
    if dask is None:
        return 1
    try:
        return int(dask.get_worker().state.nthreads)
    except (ValueError, AttributeError):  # this is no task; an earlier version
        return 1
