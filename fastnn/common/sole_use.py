"""A lock that refuses a second process and ends with the first, however that ends."""

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastnn.common.errors import DataError, FileFormatError

logger = logging.getLogger(__name__)

HELD = (errno.EAGAIN, errno.EACCES)  # what `flock` answers where another process has the lock
OPEN = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def sole_use(lock: Path, what: str) -> Iterator[None]:
    """Within the block no other process is in a block of the same lock file; the file is removed at its end.

    what : is in use, for messages: "runs/mine"

    Raises DataError at once if another process is in such a block, FileFormatError if the file cannot be made. The
    system ends the lock with the process: what a killed one leaves, a file without a lock, is in nobody's way. A file
    system without locks, and Windows, is told in one line of the log, and the block runs without.
    """
    descriptor = _acquired(lock, what)
    try:
        yield
    finally:
        try:
            lock.unlink()  # before it is closed: who opened it meanwhile sees that it is gone, and tries again
        except OSError:
            pass  # a system that removes no open file (Windows): a file without a lock stays
        finally:
            os.close(descriptor)


def refuse_in_use(lock: Path, what: str) -> None:
    """DataError if a process is in a `sole_use` of the lock file."""
    try:
        descriptor = os.open(lock, OPEN)
    except OSError:
        return  # there is none, or `sole_use` will say what is wrong with it
    try:
        _lock(descriptor, lock, what)
    finally:
        os.close(descriptor)


def _acquired(lock: Path, what: str) -> int:
    """The descriptor of the locked file, which is the one that has the name now."""
    while True:
        try:
            descriptor = os.open(lock, OPEN | os.O_CREAT, 0o666)
        except OSError as error:
            where = f"cannot write into {lock.parent}: {error.strerror}"
            raise FileFormatError(f"{where}; choose another --out") from None
        try:
            is_locked = _lock(descriptor, lock, what)
            if not is_locked:
                logger.warning("%s: no locks on this file system: no second command may use the folder", what)
            if not is_locked or _is_named(descriptor, lock):
                _sign(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, lock: Path, what: str) -> bool:
    """Lock the file; False where the system has no locks, DataError if another process has this one."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return False
    except OSError as error:
        if error.errno not in HELD:
            return False
        who = os.read(descriptor, 200).decode(errors="replace") or "another process"
        raise DataError(f"{what} is in use by {who}; wait for its end, or choose another --out") from None
    return True


def _sign(descriptor: int) -> None:
    """Write into the file who holds the lock, for the message to others; a full disk is no reason to fail."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())


def _is_named(descriptor: int, lock: Path) -> bool:
    """Whether the open file still has its name: the process before may have removed it after it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock))
    except FileNotFoundError:
        return False
