"""A file's bytes in pieces, which are written, hashed and read back in small parts."""

import errno
import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from typing import Any

import numpy as np

PART_BYTES = 1 << 20
READ_BYTES = 1 << 17  # at a time; they stay in a core's cache
MOST_WAITING = 64  # parts that are written, but not yet hashed


class Hasher:
    """SHA-256 of what it is given, computed by a thread beside: hashlib and the system's calls run at once."""

    def __enter__(self) -> "Hasher":
        self._digest, self._waiting = hashlib.sha256(), deque[Future[None]]()
        self._thread = ThreadPoolExecutor(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def add(self, content: bytes) -> None:
        """Hash these bytes too, soon."""
        self._waiting.append(self._thread.submit(self._digest.update, content))
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft().result()

    def digest(self) -> bytes:
        while self._waiting:
            self._waiting.popleft().result()
        return self._digest.digest()


def write_pieces(descriptor: int, pieces: Iterable[Any], start: int, hasher: Hasher | None) -> None:
    """Write bytes or arrays, one after the other, from `start` on in the file, where it stands; and hash them.

    What is hashed is what is written, also if an array changes meanwhile: both are given one copy of each part.
    """
    for part in _parts(pieces):
        own = part.tobytes()
        if hasher is not None:
            hasher.add(own)
        write_all(descriptor, own)
        _begin_writing(descriptor, start, len(own))
        start += len(own)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of these bytes: a write may take a part only, of more than 2 GB, or where a disk has become full."""
    rest = memoryview(content)
    while rest:
        written = os.write(descriptor, rest)
        if written <= 0:
            raise OSError(errno.EIO, "a write took no bytes")
        rest = rest[written:]


def check_same(file: FileIO, pieces: Iterable[Any], *, to_end: bool = True) -> None:
    """OSError unless a file goes on with these bytes, and then, `to_end`, with nothing more."""
    buffer = np.empty(READ_BYTES, np.uint8)
    for rest in _parts(pieces):
        while len(rest):
            count = file.readinto(buffer[: len(rest)].data)
            if not count or not np.array_equal(buffer[:count], rest[:count]):
                raise OSError(errno.EIO, "what was read back is not what was to be written")
            rest = rest[count:]
    if to_end and file.read(1):
        raise OSError(errno.EIO, "more was read back than was written")


def _parts(pieces: Iterable[Any]) -> Iterator[np.ndarray]:
    """The bytes in parts of at most PART_BYTES, uint8: views where the memory is contiguous."""
    for piece in pieces:
        yield from _of_array(piece if isinstance(piece, np.ndarray) else np.frombuffer(piece, np.uint8))


def _of_array(array: np.ndarray) -> Iterator[np.ndarray]:
    if array.flags.c_contiguous:
        flat = array.reshape(-1).view(np.uint8)
        yield from (flat[first : first + PART_BYTES] for first in range(0, flat.size, PART_BYTES))
        return
    rows = max(PART_BYTES // array[:1].nbytes, 1)
    for first in range(0, len(array), rows):
        yield from _of_array(np.ascontiguousarray(array[first : first + rows]))


def _begin_writing(descriptor: int, start: int, count: int) -> None:
    """Ask the system to write this part to the disk already now, where it can be asked: there is more to do meanwhile.

    Measured for 120 MB on a virtual disk, in an earlier order of the work: 1.5 times as long as an fsync of the same
    bytes without it, 1.2 with it.
    """
    if count >= PART_BYTES and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, start, count, os.POSIX_FADV_DONTNEED)
