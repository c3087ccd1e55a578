"""Opening a file that may be anything: only regular files are read, and none for which reading would wait."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO

from fastnn.common.errors import FileFormatError
from fastnn.common.files import BINARY, check_readable

IN_USE = "is being written by another process, which holds it open: close it there, or wait, and read it again"
NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # a pipe that took the place of the file after it was looked at


@contextmanager
def opened_whole(path: str | os.PathLike[str], expected: str) -> Iterator[tuple[FileIO, int]]:
    """Yield a regular file, open for reading and not buffered, and its size in bytes.

    FileFormatError if it is missing, a folder, a pipe, a device, or held open by a process that writes HDF5 to it, or
    if the disk fails as it is opened.
    """
    check_readable(path, expected)
    with _opened(path) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FileFormatError(f"{os.fspath(path)!r} is a pipe or a device, expected {expected}")
        _check_unlocked(file, path)
        yield file, status.st_size


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[FileIO]:
    try:
        descriptor = os.open(path, os.O_RDONLY | BINARY | NO_WAIT)
    except OSError as error:
        raise FileFormatError(f"{os.fspath(path)!r} cannot be read: {error.strerror}") from error
    file = FileIO(descriptor, "rb")
    try:
        yield file
    finally:
        with suppress(OSError):  # nothing was written that could be lost
            file.close()


def _check_unlocked(file: FileIO, path: str | os.PathLike[str]) -> None:
    """FileFormatError if another process holds the lock that HDF5 takes of a file that it writes."""
    try:
        import fcntl  # not filelock: readers share this lock, and a file that is read-only can be locked so
    except ImportError:  # Windows: what a process has locked there cannot be read, which says so by itself
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # it ends when the file is closed
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise FileFormatError(f"{os.fspath(path)!r} {IN_USE}") from error
