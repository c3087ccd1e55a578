"""How many threads an estimator may use, beside others that joblib runs at the same time."""

import contextlib
import threading
from typing import Any

import numba
from joblib.parallel import get_active_backend

import fastnn as fn


def threads(n_threads: Any) -> contextlib.AbstractContextManager[None]:
    """Within the block, kernels use at most `n_threads` threads; None: all at hand, of a thread of joblib's one.

    joblib tells its worker processes by environment variables how many threads are theirs, and fastnn reads them. Of
    its worker threads each would take all threads of the process, so there each has itself alone.
    """
    if n_threads is None:
        return fn.threads(1) if _in_thread_of_joblib() else contextlib.nullcontext()
    return fn.threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))


def _in_thread_of_joblib() -> bool:
    backend, _ = get_active_backend()
    nested = getattr(backend, "nesting_level", 0)
    return bool(nested) and threading.current_thread() is not threading.main_thread()
