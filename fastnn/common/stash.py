"""Copies of arrays that are put aside: where they are large, in a temporary file, which takes no memory of the process.

The file has no name, so that the system frees it with the process, however that ends. It is written by plain writes:
what the system keeps of it in memory is cache, which it gives up where somebody needs the memory.
"""

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common.file_pieces import fill, write_all

LARGE = 48 << 20  # bytes of copies from which on they go to a file
SHARE_OF_FREE = 4  # a file takes at most a fourth of what the disk has left
IN_MEMORY = ("tmpfs", "ramfs")  # file systems


class Stash:
    """Copies of arrays, one set at a time. Where no file can be had, or a write fails, they are in memory.

    is_filed  whether they are in a file
    """

    def __init__(self) -> None:
        self._file: FileIO | None = None
        self._copies: list[np.ndarray] = []
        self.is_filed = self._has_failed = False

    def memory_of(self, size: int) -> int:
        """The bytes of memory that copies of `size` bytes take: 0 if they go to a file."""
        return size if self._file_for(size) is None else 0

    @property
    def is_empty(self) -> bool:
        return not self.is_filed and not self._copies

    def clear(self) -> None:
        """Forget the copies. A file stays, for the next ones."""
        self._copies, self.is_filed = [], False

    def keep(self, arrays: Sequence[np.ndarray]) -> None:
        """Copy these, instead of what was kept before."""
        file = self._file_for(sum(array.nbytes for array in arrays))
        if file is not None:
            self.clear()
            with contextlib.suppress(OSError):  # as of a disk that has become full: there is memory, too
                _write(file, arrays)
                self.is_filed = True
                return
            self._give_up()
        self.is_filed = False
        if [(one.shape, one.dtype) for one in self._copies] != [(one.shape, one.dtype) for one in arrays]:
            self._copies = [array.copy() for array in arrays]
        else:  # new ones beside the old ones would take twice the memory
            for copy, array in zip(self._copies, arrays, strict=True):
                copy[...] = array

    def put_back(self, arrays: Sequence[np.ndarray]) -> None:
        """Overwrite these, of the shapes and dtypes of those that were kept. OSError if the file cannot be read."""
        if self.is_filed:
            assert self._file is not None
            self._file.seek(0)
            for part in _bytes_of(arrays):
                fill(self._file, part)
        else:
            for array, copy in zip(arrays, self._copies, strict=True):
                array[...] = copy

    def _file_for(self, size: int) -> FileIO | None:
        """The file for copies of `size` bytes, opened where there is none yet; None where they stay in memory."""
        if size < LARGE or self._has_failed:
            return None
        if self._file is None:
            self._file = _opened(size)
            self._has_failed = self._file is None
            if self._file is not None:
                weakref.finalize(self, self._file.close)
        return self._file

    def _give_up(self) -> None:
        """From now on copies are in memory."""
        if self._file is not None:
            self._file.close()
        self._file, self._has_failed = None, True


def _opened(size: int) -> FileIO | None:
    """A file without a name on a disk that has much more than `size` bytes left; None if there is none."""
    for folder in _folders():
        try:
            if not _is_in_memory(folder) and shutil.disk_usage(folder).free >= SHARE_OF_FREE * size:
                found: Any = tempfile.TemporaryFile(dir=folder, prefix="fastnn-", buffering=0)  # noqa: SIM115
                return found  # under Windows it is wrapped, and closed with what wraps it
        except OSError:  # it is not there, or read-only
            continue
    return None


def _folders() -> Iterator[str]:
    """Where temporary files may stand. The usual folder is in memory on some systems, /var/tmp is not."""
    with contextlib.suppress(OSError):  # no folder can be written
        yield tempfile.gettempdir()
    if os.name == "posix":
        yield "/var/tmp"


def _is_in_memory(folder: str, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether files of a folder take memory, as far as the system says where it is."""
    try:
        lines = [line.split() for line in mounts.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return False
    place = Path(os.path.realpath(folder))
    found = [(len(of), at) for at, (_, of, *_) in enumerate(lines) if place.is_relative_to(of)]
    return bool(found) and lines[max(found)[1]][2] in IN_MEMORY


def _write(file: FileIO, arrays: Sequence[np.ndarray]) -> None:
    file.seek(0)
    for part in _bytes_of(arrays):
        write_all(file.fileno(), part)


def _bytes_of(arrays: Sequence[np.ndarray]) -> Iterator[memoryview]:
    """The bytes of arrays, which must be contiguous: views."""
    for array in arrays:
        assert array.flags.c_contiguous
        if array.size:
            yield array.reshape(-1).view(np.uint8).data
