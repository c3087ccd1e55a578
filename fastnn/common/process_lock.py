"""Locks between processes, which end with the process: one that refuses a second process, and one that lets it wait."""

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastnn.common.errors import DataError, FileFormatError

logger = logging.getLogger(__name__)

OPEN = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)  # what file systems answer that have none
LOCKED = 1  # how many bytes at its start Windows lets nobody else read: who holds the lock is written behind them


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Only one process at a time runs the block; others wait. The lock file is not removed.

    On a file system without locks no process waits.
    """
    from filelock import lock_descriptor  # here: to import it takes 23 ms, and few commands lock

    with open(lock, "ab") as file:
        try:
            lock_descriptor(file.fileno())  # the lock ends when the file is closed, also by a crash
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield


@contextmanager
def sole_use(lock: Path, what: str) -> Iterator[None]:
    """Within the block no other process is in a block of the same lock file; the file is removed at its end.

    Its folder is made if it is not there. what : is in use, for messages: "runs/mine"

    Raises DataError at once if another process is in such a block, FileFormatError if the file cannot be made. The
    system ends the lock with the process: what a killed one leaves, a file without a lock, is in nobody's way. A file
    system without locks is told in one line of the log, and the block runs without.
    """
    descriptor = _acquired(lock, what)
    try:
        yield
    finally:
        _remove(descriptor, lock)


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """An error of the system in the block is a FileFormatError: nothing can be written into the folder."""
    try:
        yield
    except OSError as error:
        raise FileFormatError(f"cannot write into {folder}: {error.strerror or error}; choose another --out") from None


def refuse_in_use(lock: Path, what: str) -> None:
    """DataError if a process is in a `sole_use` of the lock file."""
    try:
        descriptor = os.open(lock, OPEN)
    except OSError:
        return  # there is none, or `sole_use` will say what is wrong with it
    try:
        _lock(descriptor, what)
    finally:
        os.close(descriptor)


def _remove(descriptor: int, lock: Path) -> None:
    """Remove the file and end the lock. What cannot be removed stays, without a lock."""
    try:
        if os.name != "nt":
            lock.unlink()  # before it is closed: who opened it meanwhile sees that it is gone, and tries again
    except OSError:
        pass
    finally:
        os.close(descriptor)
    if os.name == "nt":  # no file is removed there that somebody has open: so it cannot be another's
        with suppress(OSError):
            lock.unlink()


def _acquired(lock: Path, what: str) -> int:
    """The descriptor of the locked file, which is the one that has the name now."""
    while True:
        with writing_into(lock.parent):
            lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, OPEN | os.O_CREAT, 0o666)
        try:
            is_locked = _lock(descriptor, what)
            if not is_locked:
                logger.warning("%s: no locks on this file system: no second command may use the folder", what)
            if not is_locked or _is_named(descriptor, lock):
                _sign(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, what: str) -> bool:
    """Lock the file; False where the system has no locks, DataError if another process has this one."""
    from filelock import lock_descriptor

    try:
        if lock_descriptor(descriptor, blocking=False):
            return True
    except OSError:
        return False
    raise DataError(f"{what} is in use by {_signature(descriptor)}; wait for its end, or choose another --out")


def _sign(descriptor: int) -> None:
    """Write into the file who holds the lock, for the message to others; a full disk is no reason to fail."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b" " * LOCKED + f"process {os.getpid()} on {socket.gethostname()}".encode())


def _signature(descriptor: int) -> str:
    """Who holds the lock, as `_sign` wrote it."""
    with suppress(OSError):
        os.lseek(descriptor, LOCKED, os.SEEK_SET)
        if name := os.read(descriptor, 200).decode(errors="replace"):
            return name
    return "another process"


def _is_named(descriptor: int, lock: Path) -> bool:
    """Whether the open file still has its name: the process before may have removed it after it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock))
    except FileNotFoundError:
        return False
