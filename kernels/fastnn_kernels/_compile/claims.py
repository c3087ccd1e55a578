"""Which of several processes compiles what: each function is compiled by one of them, and the others load it."""

import contextlib
import json
import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable

from fastnn_kernels._compile.cache import cache_folder
from fastnn_kernels._products.block import Block
from fastnn_kernels._run.adapter import Adapter
from fastnn_kernels._run.driver import Loop

try:
    import fcntl
except ImportError:  # Windows: there each process compiles what it needs
    fcntl = None  # type: ignore[assignment]

Job = Adapter | Block | Loop

LOCK = ".compiling"  # a file of the cache's folder, without content
# Families of kernels that call the blocks of `_products.block`, whose first operand is what they write: one process
# begins with them, and compiles the helpers that they share once.
WITH_TILES = (
    *("matmul", "outer_product", "sparse", "narrow", "recurrent"),
    *("conv", "few_channels", "col2im", "sparse_conv"),
)
PAUSE = 0.05  # seconds between two looks at what others compile
# Seconds without any news after which this process compiles what another one has in hand. Many processes on few
# processors are slow: each that gave up would make it worse.
PATIENCE = 300.0


class Claims:
    """Claims of this process on functions: a byte of a file in the cache's folder is locked for each.

    The system takes the locks back when the process ends, however it does. Without a folder, or locks, all is free.
    """

    def __init__(self) -> None:
        self._descriptor = None
        folder = cache_folder()
        if fcntl is not None and folder is not None:
            with contextlib.suppress(OSError):
                self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, job: Job) -> bool:
        """Claim a function; False if another process has it."""
        if self._descriptor is None:
            return True
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte_of(job))
        except (BlockingIOError, PermissionError):
            return False
        except OSError:  # a file system without locks
            return True
        return True

    def give_back(self, job: Job) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _byte_of(job))

    def close(self) -> None:
        """Give all back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _byte_of(job: Job) -> int:
    """Its place in the file. Two functions of one place only wait for each other."""
    return zlib.crc32(json.dumps(job.description()).encode())


class Jobs:
    """What is to be compiled, taken from both ends; what another process compiles comes last, and is loaded then."""

    def __init__(self, jobs: Iterable[Job]):
        self._waiting = deque(jobs)
        self._claims, self._lock = Claims(), threading.Lock()
        self._of_others: list[Block] = []
        self._news, self._ended = time.monotonic(), False

    def take(self, *, last: bool = False) -> Job | None:
        """The first job that no other process has, or the last one; None if all are taken.

        Waits while only such are left that other processes compile.
        """
        while not self._ended:
            with self._lock:
                one = self._free(last)
                if one is not None or not self._waiting:
                    return one
            time.sleep(PAUSE)
        return None

    def done(self, job: Job) -> None:
        self._claims.give_back(job)
        self._news = time.monotonic()

    def failed(self, job: Job) -> None:
        """Put a job back that a helper could not do."""
        self._claims.give_back(job)
        with self._lock:
            self._waiting.appendleft(job)

    def end(self) -> None:
        """Nothing is taken any more, also by whoever waits."""
        self._ended = True

    def close(self) -> None:
        self._claims.close()

    def _free(self, last: bool) -> Job | None:
        for _ in range(len(self._waiting)):
            one = self._waiting.pop() if last else self._waiting.popleft()
            if self._is_free(one):
                return one
            (self._waiting.appendleft if last else self._waiting.append)(one)
        return None

    def _is_free(self, one: Job) -> bool:
        """Whether to do it now: it is there already, or nobody has it, or whoever has it gives no sign of life."""
        if one.on_disk():
            self._news = time.monotonic()
            return True
        if time.monotonic() - self._news > PATIENCE:
            return True
        if isinstance(one, Adapter) and has_tiles(one) and not all(block.on_disk() for block in self._of_others):
            return False  # it would compile the block of tiles itself
        if self._claims.take(one):
            return True
        if isinstance(one, Block) and one not in self._of_others:
            self._of_others.append(one)
        return False


def has_tiles(one: Adapter) -> bool:
    """Whether its kernel calls a block of tiles."""
    return one.kernel.body.__module__.rpartition(".")[2] in WITH_TILES
