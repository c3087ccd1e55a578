"""Memory: the buffers of a program are declared first, then cut from one aligned, zeroed block."""

import ctypes
import functools
import math
import mmap
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from fastnn.engine.available_memory import check_available
from fastnn_kernels._tuning import ALIGNMENT

LARGE = 1 << 20  # bytes of a buffer from which on its memory is given back: to get it again takes some 0.1 ms a MB


def padded(count: int, dtype) -> int:
    """`count` rounded up so that a row of `dtype` fills whole cache lines."""
    lane = ALIGNMENT // np.dtype(dtype).itemsize
    return -(-count // lane) * lane


def row_length(columns: int, dtype) -> int:
    """The stored length of a matrix row in numbers: whole cache lines, and never a whole number of pages.

    Rows that lie whole pages apart compete for the same sets of the first cache: a product ran at 0.7 of its speed.
    """
    page = 4096 // np.dtype(dtype).itemsize
    length = padded(columns, dtype)
    return length if length % page or not length else length + ALIGNMENT // np.dtype(dtype).itemsize


def aligned_bytes(size: int, what: str = "an array", advice: str = "") -> np.ndarray:
    """`size` zeroed bytes (uint8) that start on a cache line. OutOfMemoryError if `what` needs more than there is.

    Pages that nobody writes to take no memory. advice: what takes less.
    """
    check_available(size, what, advice)
    block = np.zeros(size + ALIGNMENT, np.uint8)
    start = -block.ctypes.data % ALIGNMENT
    return block[start : start + size]


@dataclass(frozen=True, eq=False)
class Buffer:
    """An array that a program will own.

    name     for messages
    shape    as stored, with the padding
    batched  whether it has rows for each sample of the batch, or for each block of them
    block    how many samples share a row, if it is batched
    rows     how many rows each sample has, if it is batched: one, or one for each step of a sequence
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    batched: bool = False
    block: int = 1
    rows: int = 1

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def of_samples(self, array: np.ndarray, first: int, last: int) -> np.ndarray:
        """The rows of the samples first ≤ i < last of the array of a batched buffer: a view."""
        return array[first * self.rows // self.block : -(-last * self.rows // self.block)]


class Arena:
    """One block that holds every buffer of a program, each on a cache line of its own."""

    def __init__(self, buffers: list[Buffer]):
        offsets = [0]
        for buffer in buffers:
            offsets.append(offsets[-1] + padded(buffer.nbytes, np.uint8))
        largest = max(buffers, key=lambda buffer: buffer.nbytes, default=None)
        named = f"a step ({largest.name} {largest.shape} and others)" if largest else "a step"
        self.bytes = aligned_bytes(offsets[-1], named, "a smaller batch")
        self._arrays = {
            buffer: self.bytes[start : start + buffer.nbytes].view(buffer.dtype).reshape(buffer.shape)
            for buffer, start in zip(buffers, offsets, strict=False)
        }

    def __getitem__(self, buffer: Buffer) -> np.ndarray:
        return self._arrays[buffer]

    @property
    def nbytes(self) -> int:
        return self.bytes.nbytes

    def give_back(self, kept: Collection[Buffer] = ()) -> None:
        """Let the system have the memory of large batched buffers but for those kept: they are 0 from then on.

        Their addresses stay: who writes to them gets memory again. Where the system cannot do that, nothing happens.
        """
        for buffer, array in self._arrays.items():
            if buffer.batched and buffer.nbytes >= LARGE and buffer not in kept:
                _advised(array, "MADV_DONTNEED")


def take_small_pages(array: np.ndarray) -> None:
    """Ask the system for small pages for a contiguous array of which little will be written.

    NumPy asks for pages of 2 MB, one of which a single number takes.
    """
    if array.nbytes >= LARGE:
        _advised(array, "MADV_NOHUGEPAGE")


def _advised(array: np.ndarray, advice: str) -> None:
    """Tell Linux how the pages are used that a contiguous array fills."""
    advise = _advise()
    first = -(-array.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
    last = (array.ctypes.data + array.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if advise is not None and last > first:
        advise(first, last - first, getattr(mmap, advice))


@functools.cache
def _advise() -> Callable[[int, int, int], int] | None:
    """The system's madvise; None but under Linux: elsewhere such pages are not 0 afterwards."""
    if not sys.platform.startswith("linux"):
        return None
    found = ctypes.CDLL(None).madvise
    found.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    return found
