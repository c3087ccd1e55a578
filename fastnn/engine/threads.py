"""How many threads kernels use, and when a kernel may use more than one."""

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

from fastnn.common.arithmetic import ieee
from fastnn.common.validation import is_whole_number
from fastnn_kernels import _tuning
from fastnn_kernels._jit import JIT, Kernel

P = ParamSpec("P")
R = TypeVar("R")

_in_forked_child = False
_one_at_a_time = threading.RLock()
_chosen = threading.local()


def _after_fork() -> None:
    # The child of a process that ran an OpenMP region is killed when it runs its first parallel kernel.
    global _in_forked_child, _one_at_a_time
    _in_forked_child = True
    _one_at_a_time = threading.RLock()  # another thread may have had it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class threads:  # noqa: N801  (users call it as a function)
    """From now on, kernels that this thread of Python calls use at most `count` threads; in a `with`, until its end.

    It may also decorate a function: then it counts within each call. As `threadpool_limits` of threadpoolctl, it acts
    where it is made, so a call without `with` is enough for a whole program.

    Args:
        count: From 1 to the number of threads this process may use.

    Raises:
        ValueError: If `count` is not between 1 and the number of threads this process may use.

    Examples:
        >>> with fn.threads(1):
        ...     probabilities = model.predict(x)
        >>> limit = fn.threads(1)  # from here on
    """

    def __init__(self, count: int):
        limit = numba.config.NUMBA_NUM_THREADS
        if not is_whole_number(count) or not 1 <= count <= limit:
            raise ValueError(
                f"threads: got {count!r}, expected a whole number from 1 to {limit}, the threads that this process may "
                "use"
            )
        self.count = int(count)
        self._before: tuple[int | None, int] = _use(self.count, self.count)
        self._blocks = threading.local()  # `found`: what each `with` of a thread of Python found, the innermost last

    def __enter__(self) -> None:
        found = _use(self.count, self.count)  # another may have been made since this one
        self._blocks.__dict__.setdefault("found", []).append(found)

    def __exit__(self, *error: object) -> None:
        blocks = self._blocks.__dict__.get("found", [])
        found = blocks.pop() if blocks else self._before
        _use(*found if blocks else self._before)  # the outermost ends what began where it was made

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        _use(*self._before)

        @functools.wraps(function)
        def limited(*positional: P.args, **keywords: P.kwargs) -> R:
            with threads(self.count):
                return function(*positional, **keywords)

        return limited

    def __repr__(self) -> str:
        return f"threads({self.count})"


def _use(chosen: int | None, numba_threads: int) -> tuple[int | None, int]:
    """What this thread of Python has chosen, None if nothing, and Numba's number. Returns those before."""
    before = getattr(_chosen, "count", None), numba.get_num_threads()
    _chosen.count = chosen
    numba.set_num_threads(numba_threads)
    return before


def processors() -> int:
    """How many processors this process may use, by its affinity and a container's quota."""
    return max(1, min(numba.config.NUMBA_NUM_THREADS, _quota(Path("/")) or numba.config.NUMBA_NUM_THREADS))


@functools.cache
def threads_at_hand() -> int:
    """How many threads this process should use: its processors, less where OMP_NUM_THREADS says so."""
    return min(processors(), _omp_threads() or processors())


def _omp_threads() -> int | None:
    """OMP_NUM_THREADS; of a list for nested regions the first."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) else None


def _quota(root: Path) -> int | None:
    """Processors that a container's quota grants, rounded up; None without one (Linux control groups 1 and 2)."""
    try:
        group = (root / "proc/self/cgroup").read_text("utf-8").strip().rpartition(":")[2].lstrip("/")
        for folder in (root / "sys/fs/cgroup" / group, root / "sys/fs/cgroup"):
            if (folder / "cpu.max").exists():
                quota, period = (folder / "cpu.max").read_text("utf-8").split()
                return None if quota == "max" else -(-int(quota) // int(period))
        folder = root / "sys/fs/cgroup/cpu"
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text("utf-8") for name in ("quota", "period"))
        return -(-int(quota) // int(period)) if int(quota) > 0 else None
    except (OSError, ValueError):
        return None


def usable_threads() -> int:
    """How many threads kernels may use now: what `threads` says, else those at hand; one in a forked child."""
    if _in_forked_child:
        return 1
    chosen = getattr(_chosen, "count", None)
    return chosen or min(numba.get_num_threads(), threads_at_hand())


def parallel_allowed() -> bool:
    """Whether the parallel versions of kernels may run now."""
    return usable_threads() > 1


def pays_for_threads(kernel: Kernel, args: tuple) -> bool:
    """Whether a call is enough work to pay for a parallel region."""
    return kernel.work is not None and kernel.work(*args) >= _tuning.PARALLEL_FROM


def use_parallel(kernel: Kernel, args: tuple) -> bool:
    """Whether this call should run the kernel's parallel version."""
    return parallel_allowed() and pays_for_threads(kernel, args)


@contextlib.contextmanager
def guard(count: int) -> Iterator[None]:
    """Within the block, parallel versions of kernels run on `count` threads; with one, nothing needs guarding.

    Numba's `workqueue` layer aborts the process when two threads enter it at once: there, a lock.
    """
    if count == 1:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        with _turn():
            yield
    finally:
        numba.set_num_threads(before)


def call(kernel: Kernel, *args) -> None:
    """Run a kernel on ordinary arrays: its parallel version if that may run and pays, else the serial one."""
    parallel = use_parallel(kernel, args)
    run = kernel.twin(parallel) if JIT else ieee(kernel.twin(parallel))
    with guard(usable_threads() if parallel else 1):
        run(*args)


def _turn() -> contextlib.AbstractContextManager:
    return _one_at_a_time if numba.threading_layer() == "workqueue" else contextlib.nullcontext()
