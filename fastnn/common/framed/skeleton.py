"""The file that HDF5 writes to while it lays out an HDF5 file: in memory, and of arrays only the places."""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np

PAGE = 4096
SMALL = 1 << 16  # bytes: smaller pieces are joined, because each costs a call of the system


class Skeleton(io.RawIOBase):
    """A file of `size` bytes that keeps the pages which were written; others are zeros."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.size = self.at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def truncate(self, size: int | None = None) -> int:
        self.size = self.at if size is None else size
        return self.size

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        for low, high, start in _on_pages(self.at, len(view)):
            page = self.pages.setdefault((self.at + low) // PAGE, bytearray(PAGE))
            page[start : start + high - low] = view[low:high]
        self.at += len(view)
        self.size = max(self.size, self.at)
        return len(view)

    def readinto(self, out: Any) -> int:
        view = memoryview(out).cast("B")
        count = max(0, min(len(view), self.size - self.at))
        view[:count] = self.between(self.at, self.at + count)
        self.at += count
        return count

    def between(self, low: int, high: int) -> bytes:
        """The bytes from `low` up to `high`."""
        empty = bytes(PAGE)
        return b"".join(
            self.pages.get((low + begin) // PAGE, empty)[start : start + end - begin]
            for begin, end, start in _on_pages(low, high - low)
        )

    def with_arrays(self, placed: Iterable[tuple[int, np.ndarray]]) -> list[Any]:
        """The content in pieces, with the bytes of these arrays at these offsets, which rise."""
        pieces, small, at = [], bytearray(), 0
        for offset, array in placed:
            if not array.size:
                continue
            small += self.between(at, offset)
            if array.nbytes < SMALL:
                small += array.tobytes()
            else:
                pieces += [bytes(small), array]
                small = bytearray()
            at = offset + array.nbytes
        return [*pieces, bytes(small + self.between(at, self.size))]


def _on_pages(start: int, count: int) -> Iterable[tuple[int, int, int]]:
    """The parts of `count` bytes from `start` by page: begin and end within them, and where on the page they begin."""
    low = 0
    while low < count:
        within = (start + low) % PAGE
        high = min(count, low + PAGE - within)
        yield low, high, within
        low = high
