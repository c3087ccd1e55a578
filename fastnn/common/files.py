"""Writing a file whole or not at all, and looking at one before it is read."""

import errno
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fastnn.common.errors import FileFormatError
from fastnn.common.file_pieces import READ_BYTES, write_all, write_head, write_sections

TEMPORARY = re.compile(r"\.(?P<stem>.+)\.[0-9a-f]{8}\.tmp(?P<suffix>(\.[^.]*)?)")  # the names that `atomic_path` gives
LARGE = 1 << 24  # bytes from which on it pays to free a file in a thread
BINARY = getattr(os, "O_BINARY", 0)  # Windows alone has this flag, and would else change ends of lines.
# What file systems answer that cannot synchronise a folder, and folders that may be written but not read.
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`. When the block ends, the file written there is renamed to `path`.

    The file is synchronised to the disk before it is renamed, so a crash leaves the old file or the new one, never half
    a file. The temporary name keeps the extension, because some writers choose the format by it. If the block raises,
    the temporary file is removed and `path` stays as it was. Raises FileFormatError if `path` cannot be written: the
    folder is missing, the disk is full or fails, also where the block is told so by an OSError.

        with atomic_path("table.csv") as temporary:
            temporary.write_text(text)
    """
    # A symbolic link stays: the file that it points to is replaced.
    with _told(path, Path(os.curdir)):  # where the working folder has been removed
        target = Path(os.path.realpath(path))
    _check_place(target, path)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.tmp{target.suffix}")
    with _told(path, target):
        try:
            # Not by `tempfile`: after the rename, only the owner could read its files.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield temporary
            _synchronise(temporary)
            _replace(temporary, target)
        except BaseException:
            _remove(temporary)
            raise
        synchronise_folder(target.parent)


def name_of_temporary(name: str) -> str | None:
    """The name of the file for which `atomic_path` gave a temporary one this name; None if it gave it to none."""
    found = TEMPORARY.fullmatch(name)
    return found["stem"] + found["suffix"] if found else None


def write_whole(
    path: str | os.PathLike[str],
    pieces: Sequence[Any],
    head: Callable[[list[bytes]], bytes] | None = None,
    head_size: int = 0,
) -> None:
    """Write these bytes, one after the other, to `path`: all of them, or the old file stays.

    They are read back, compared and synchronised to the disk before the old file is replaced. FileFormatError, in one
    line, if anything of this fails, also if the bytes changed meanwhile.

    pieces : bytes, or arrays, which need not be contiguous: no copy of a whole one is made
    head   : makes the first `head_size` bytes of the file from the SHA-256 of each section of the others (`pieces`)
    """
    with atomic_path(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | BINARY)
        try:
            write_all(descriptor, bytes(head_size))
            digests = write_sections(descriptor, temporary, pieces, head_size, hashed=head is not None)
            if head:
                write_head(descriptor, temporary, head(digests))
        finally:
            os.close(descriptor)


def check_target(path: str | os.PathLike[str]) -> None:
    """FileFormatError if `path` is a pipe or a device, which a written file would replace."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise FileFormatError(f"cannot write {os.fspath(path)!r}: it is a pipe or a device, a file name was expected")


def check_readable(path: str | os.PathLike[str], expected: str = "a file") -> None:
    """FileFormatError unless `path` is a file that can be opened for reading; the message says what was `expected`."""
    name = os.fspath(path)
    if not os.path.exists(name):
        raise FileFormatError(f"{name!r} does not exist, expected {expected}")
    if os.path.isdir(name):
        raise FileFormatError(f"{name!r} is a folder, expected {expected}")
    if not os.path.isfile(name):  # Opening a pipe would wait, and a device such as /dev/zero has no end.
        raise FileFormatError(f"{name!r} is a pipe or a device, expected {expected}")
    try:
        with open(name, "rb"):
            pass
    except OSError as error:
        raise FileFormatError(f"{name!r} cannot be read: {error.strerror}") from error


def size_of(path: Path) -> int:
    """The size of a file in bytes, −1 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest, buffer = hashlib.sha256(), memoryview(bytearray(READ_BYTES))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


@contextmanager
def _told(given: str | os.PathLike[str], target: Path) -> Iterator[None]:
    """FileFormatError, in one line, for an OSError in the block."""
    try:
        yield
    except OSError as error:
        reason = " ".join((error.strerror or str(error)).split())
        raise FileFormatError(
            f"cannot write {os.fspath(given)!r} in folder {str(target.parent)!r}: {reason}"
        ) from error


def _replace(temporary: Path, target: Path) -> None:
    """Rename; a large file that stood there is freed by a thread beside, for which nobody waits.

    Measured for 120 MB on ext4: 25 ms, in which the system mostly waits for the disk. The thread closes a descriptor,
    which keeps the old file until then. Not on Windows, which does not rename to a file that is open.
    """
    kept = None
    if os.name == "posix" and size_of(target) >= LARGE:
        with suppress(OSError):  # It may not be read, or the disk fails: then the rename frees it.
            kept = os.open(target, os.O_RDONLY)
    try:
        os.replace(temporary, target)
    finally:
        if kept is not None:
            try:
                threading.Thread(target=_close, args=[kept], name="fastnn frees a file").start()
            except RuntimeError:  # no thread can be had, as while the interpreter ends
                _close(kept)


def _close(descriptor: int) -> None:
    with suppress(OSError):  # nothing was written that could be lost
        os.close(descriptor)


def _remove(temporary: Path) -> None:
    with suppress(OSError):  # It is gone, or cannot be removed: what was wrong before that is what is told.
        temporary.unlink()


def _check_place(target: Path, given: str | os.PathLike[str]) -> None:
    if os.path.isdir(target):  # Path.is_dir fails for a name that is too long, which the writing tells
        raise FileFormatError(f"cannot write {os.fspath(given)!r}: it is a folder, a file name was expected")
    check_target(target)


def _synchronise(path: Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def synchronise_folder(folder: Path) -> None:
    """Write renames in the folder to the disk. Windows cannot open a folder; its file system does this by itself."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
