"""How many threads kernels use, and when a kernel may use more than one."""

import contextlib
import os
import threading
from collections.abc import Iterator

import numba
import numpy as np

from fastnn_kernels import _tuning
from fastnn_kernels._jit import Kernel

_in_forked_child = False
_one_at_a_time = threading.RLock()


def _after_fork() -> None:
    # A child of a process that ran an OpenMP region is killed at its first parallel kernel.
    global _in_forked_child
    _in_forked_child = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Within the block, kernels use at most `count` threads.

    Raises ValueError if `count` is not between 1 and the number of threads this process may use.
    """
    limit = numba.config.NUMBA_NUM_THREADS
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= limit:
        raise ValueError(f"threads: got {count!r}, expected a whole number from 1 to {limit}, the threads at hand")
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def parallel_allowed() -> bool:
    """Whether parallel twins may run now: more than one thread, and not in a forked child."""
    return not _in_forked_child and numba.get_num_threads() > 1


def usable_threads() -> int:
    """How many threads a plan may use now."""
    return numba.get_num_threads() if parallel_allowed() else 1


def worth_sharing(kernel: Kernel, args: tuple) -> bool:
    """Whether a call is enough work to pay for a parallel region."""
    return kernel.work is not None and kernel.work(*args) >= _tuning.PARALLEL_FROM


def use_parallel(kernel: Kernel, args: tuple) -> bool:
    """Whether this call should run the kernel's parallel twin."""
    return parallel_allowed() and worth_sharing(kernel, args)


def guard(parallel: bool):
    """Numba's `workqueue` layer aborts the process when two threads enter it at once: there, a lock."""
    if parallel and numba.threading_layer() == "workqueue":
        return _one_at_a_time
    return contextlib.nullcontext()
