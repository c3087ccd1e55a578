"""Writing a file whole or not at all, and letting one process at a time run a block."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastnn.common.errors import FileFormatError

TEMPORARY = re.compile(r"\.(?P<stem>.+)\.[0-9a-f]{8}\.tmp(?P<suffix>(\.[^.]*)?)")  # the names that `atomic_path` gives


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`. When the block ends, the file written there is renamed to `path`.

    The file is synchronised to the disk before it is renamed, so a crash leaves the old file or the new one, never half
    a file. The temporary name keeps the extension, because some writers choose the format by it. If the block raises,
    the temporary file is removed and `path` stays as it was. Raises FileFormatError if `path` cannot be written.

        with atomic_path("table.csv") as temporary:
            temporary.write_text(text)
    """
    # A symbolic link stays: the file that it points to is replaced.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.tmp{target.suffix}")
    _create(temporary, target, path)
    try:
        yield temporary
        _synchronise(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    synchronise_folder(target.parent)


def name_of_temporary(name: str) -> str | None:
    """The name of the file for which `atomic_path` gave a temporary one this name; None if it gave it to none."""
    found = TEMPORARY.fullmatch(name)
    return found["stem"] + found["suffix"] if found else None


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Only one process at a time runs the block; others wait. The lock file is not removed.

    On a system without such locks (Windows) no process waits.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(lock, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the lock ends when the file is closed, also by a crash
        yield


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
    digest = hashlib.sha256()
    with open(path, "rb") as raw:
        while piece := raw.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _create(temporary: Path, target: Path, given: str | os.PathLike[str]) -> None:
    """Create the temporary file, so that a path that cannot be written is reported before any work is done."""
    if target.is_dir():
        raise FileFormatError(f"cannot write {os.fspath(given)!r}: it is a folder, a file name was expected")
    check_target(target)
    try:
        # Not by `tempfile`: after the rename, only the owner could read its files.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise FileFormatError(
            f"cannot write {os.fspath(given)!r} in folder {str(target.parent)!r}: {error.strerror}"
        ) from error


def _synchronise(path: Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def synchronise_folder(folder: Path) -> None:
    """Write renames in the folder to the disk. Windows cannot open a folder; its file system does this by itself."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # Some network file systems refuse this; the file is complete either way.
    finally:
        os.close(descriptor)
