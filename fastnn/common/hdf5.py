"""The errors of h5py, translated in one place: a file that is damaged or in use gives a FileFormatError of one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastnn.common.errors import FastnnError, FileFormatError
from fastnn.common.framed.opening import IN_USE

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
