"""The errors of h5py, translated in one place: a file that is damaged or in use gives a FileFormatError of one line.

h5py is imported when a file is opened, so `import fastnn` does not load it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastnn.common.errors import FastnnError, FileFormatError
from fastnn.common.framed.opening import IN_USE

if TYPE_CHECKING:
    import h5py

# h5py has no exception of its own for a damaged file: the damaged byte decides which of these it raises.
DAMAGE = (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError, OverflowError)


@contextmanager
def hdf5_errors(problem: str, passing: type[FastnnError] = FastnnError) -> Iterator[None]:
    """Turn the exceptions that a damaged file causes in the block into FileFormatError: "`problem`: reason".

    problem : names the file and says what is wrong with it, such as "'a.h5' is damaged or cut short"
    passing : the errors of fastnn that leave the block as they are
    """
    try:
        yield
    except passing:
        raise
    except DAMAGE as error:
        raise FileFormatError(f"{problem}: {_reason(error)}") from error


@contextmanager
def open_hdf5(path: str | os.PathLike[str], problem: str) -> Iterator["h5py.File"]:
    """Open a file for reading within the block; errors become FileFormatError as in `hdf5_errors`."""
    with hdf5_errors(problem), opened(path, problem) as file:
        yield file


def opened(path: str | os.PathLike[str], problem: str) -> "h5py.File":
    """The file, open for reading. FileFormatError if another process writes it; other errors as in `hdf5_errors`."""
    import h5py

    with hdf5_errors(problem):
        try:
            return h5py.File(path, "r")
        except OSError as error:
            if in_use := how_in_use(error):
                raise FileFormatError(f"{os.fspath(path)!r} {in_use}") from error
            raise


def how_in_use(error: OSError) -> str:
    """How the file is in use, and what to do; "" for another error. HDF5 locks files that are open."""
    text = str(error)
    if isinstance(error, BlockingIOError):
        return IN_USE
    if "unable to lock file" in text:
        return (
            "cannot be locked on this file system; if nobody writes it, set the environment variable "
            "HDF5_USE_FILE_LOCKING=FALSE"
        )
    if "already open for write" in text:
        return (
            "is marked as being written: another process holds it open, or ended before it had closed it; in the "
            "second case `h5clear --status` removes the mark"
        )
    return ""


def _reason(error: Exception) -> str:
    """What the exception says, in one line. Other messages than those of OSError need their type to be understood."""
    text = " ".join(str(error).split())
    return text if isinstance(error, OSError) else f"{type(error).__name__}: {text}"
