"""Writing a file so that it is there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastnn.common.errors import FileFormatError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well the file takes the place of `path`.

    The file is synchronised to the disk before it is renamed, so a crash leaves the old file or the new one, never a
    half. The temporary name keeps the extension, because some writers choose the format by it. If the block raises,
    the temporary file is removed and `path` stays as it was. Raises FileFormatError if `path` cannot be written.
    """
    # A symbolic link stays a link: the file that it points to is replaced.
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
    _synchronise_folder(target.parent)


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Within the block no other process is in a block with the same lock file, which stays; it waits until then.

    Where the system knows no such locks (Windows) nobody waits.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(lock, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed, also by a crash
        yield


def check_target(path: str | os.PathLike[str]) -> None:
    """FileFormatError if what is to be written would take the place of a pipe or a device."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise FileFormatError(f"cannot write {os.fspath(path)!r}: it is a pipe or a device, a file name was expected")


def _create(temporary: Path, target: Path, given: str | os.PathLike[str]) -> None:
    """Claim the temporary name, so that an unwritable place is reported before any work is done."""
    if target.is_dir():
        raise FileFormatError(f"cannot write {os.fspath(given)!r}: it is a folder, a file name was expected")
    check_target(target)
    try:
        # Opened this way and not by `tempfile`, whose files nobody but the owner could read after the rename.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise FileFormatError(
            f"cannot write {os.fspath(given)!r} in folder {str(target.parent)!r}: {error.strerror}"
        ) from error


def _synchronise(path: Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def _synchronise_folder(folder: Path) -> None:
    """Make the rename itself last; where a folder cannot be opened (Windows) the system takes care of it."""
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
