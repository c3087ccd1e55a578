"""Compiles what a program needs and the cache does not have, in several processes where that pays.

Numba compiles one function at a time in a process. So helper processes compile some of the functions into the cache,
and this process loads them from there. It compiles as well; whatever a helper did not do, because it was killed or the
disk is full, it does itself. Where all is cached nothing is started.
"""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator

import fastnn_kernels
from fastnn_kernels._compile.cache import cache_folder
from fastnn_kernels._compile.claims import Job, Jobs, has_tiles
from fastnn_kernels._products.block import Block
from fastnn_kernels._run.adapter import Adapter
from fastnn_kernels._run.driver import Loop

logger = logging.getLogger("fastnn_kernels")

# A helper process imports and warms up for the time of about four functions.
FUNCTIONS_PER_PROCESS = 6
# Not -m, which looks into the working directory first: a helper finds modules where this process does.
PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.stdin.readline())
from fastnn_kernels._compile import worker
worker.main()
"""


def compile_missing(what: Iterable[Adapter | Loop], processes: int) -> None:
    """Load adapters and loops or compile them, in at most `processes` processes. What is being compiled is logged."""
    wanted = [one for one in dict.fromkeys(what) if not one.address]
    missing = [one for one in wanted if _has_name(one) and not one.on_disk()]
    if missing:
        _compile(_jobs(missing), min(processes, len(missing) // FUNCTIONS_PER_PROCESS))
    for one in wanted:
        one.make()


def _has_name(one: Adapter | Loop) -> bool:
    """Whether another process can find it: its kernel is none made around a user's own function."""
    return isinstance(one, Loop) or getattr(fastnn_kernels, one.kernel.name, None) is one.kernel


def _jobs(missing: list[Adapter | Loop]) -> list[Job]:
    """What is to be compiled, in such an order that no two processes need the same thing at the same time.

    Products have blocks of tiles in common, which take as long as several kernels. So each end of the queue begins with
    a block, products come next to the left one, and whoever comes to them later finds the blocks in the cache. Towards
    the right end kernels are ever longer, and the driver's loop is the longest: what is left at the end is short.
    """
    adapters = sorted((one for one in missing if isinstance(one, Adapter)), key=lambda one: length(one.kernel.body))
    loops = [one for one in missing if isinstance(one, Loop)]
    products = [one for one in adapters if has_tiles(one)]
    blocks = [Block(dtype, tall) for dtype in sorted({_dtype(one) for one in products}) for tall in (True, False)]
    blocks = [one for one in blocks if not one.on_disk()]
    others = [one for one in adapters if not has_tiles(one)]
    return [*blocks[::2], *reversed(products), *others, *loops, *blocks[1::2]]


def length(function) -> int:
    """Bytes of byte code of a function and of the helpers that it names: a guess at the time of its compilation."""
    found, waiting = {}, [function]
    while waiting:
        one = waiting.pop()
        found[one] = len(one.__code__.co_code)
        named = (one.__globals__.get(name) for name in one.__code__.co_names)
        helpers = (getattr(each, "py_func", None) for each in named)
        waiting += [helper for helper in helpers if helper is not None and helper not in found]
    return sum(found.values())


def _dtype(one: Adapter) -> str:
    """The dtype of the first operand, which a kernel with tiles writes."""
    return str(one.kinds[0].dtype)


def _compile(wanted: list[Job], processes: int) -> None:
    """Compile all jobs: this process from the left, the helpers from the right."""
    total, own, jobs = len(wanted), 0, Jobs(wanted)
    logger.info("compiling %d kernel%s, once for this version and processor", total, "s"[: total > 1])
    with contextlib.closing(jobs), _helpers(jobs, processes - 1) as helpers:
        while True:
            busy = [helper for helper in helpers if helper.is_alive()]  # first: a helper that ends may return a job
            one = jobs.take()
            if one is None:
                if not busy:
                    break
                busy[0].join(0.1)  # not for ever: Ctrl-C is to take effect
                continue
            done = own + sum(helper.done for helper in helpers)
            logger.info("compiling kernels, %d of %d done: %s", done, total, one.title)
            one.make()
            jobs.done(one)
            own += 1


@contextlib.contextmanager
def _helpers(jobs: Jobs, count: int) -> "Iterator[list[_Helper]]":
    """Helpers at work on `jobs`; after the block, however it ends, none of them is left."""
    helpers: list[_Helper] = []
    try:
        if _may_start_processes():
            for _ in range(count):
                with contextlib.suppress(OSError):  # no memory, or too many processes
                    helpers.append(_Helper(jobs))
        yield helpers
    finally:
        jobs.end()
        for helper in helpers:
            helper.end()


def _may_start_processes() -> bool:
    """Whether helpers have a cache to write to, and this is not one of several processes that work side by side."""
    if not sys.executable or getattr(sys, "frozen", False) or cache_folder() is None:
        return False
    processes = sys.modules.get("multiprocessing.process")
    return processes is None or processes.parent_process() is None


class _Helper(threading.Thread):
    """A process that compiles into the cache, and the thread that hands it one job after the other.

    done  the number of jobs that it has done
    """

    def __init__(self, jobs: Jobs):
        super().__init__(name="fastnn-compile", daemon=True)
        self.done = 0
        self._jobs = jobs
        self._process = _started()
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the process, or its end of the pipe, is gone
            self._write(sys.path)
            while self._do_next():
                self.done += 1

    def _do_next(self) -> bool:
        """Have a job done; False if there is none. A job that the process fails at is for the others."""
        one = self._jobs.take(last=True)
        if one is None:
            return False
        done = False
        try:
            self._write(one.description())
            done = self._process.stdout.readline() == "done\n"
        finally:
            (self._jobs.done if done else self._jobs.failed)(one)
        return done

    def _write(self, line) -> None:
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """End the process, and with it the thread. What it has written is whole: files are moved into the cache."""
        self._process.kill()
        self._process.wait()
        self.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


def _started() -> subprocess.Popen:
    """A helper process; it ends when its input does, so that none outlives this process by more than one function."""
    environment = os.environ | {"FASTNN_CACHE_DIR": str(cache_folder().parent)}
    return subprocess.Popen(
        [sys.executable, "-I", "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # an error is raised where the job is done instead
        env=environment,
        text=True,
    )
