"""What is known of an array of an HDF5 file before its numbers are read, and reading bytes of a file by place."""

import math
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO

import numpy as np

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_seeking = threading.Lock()  # where a place cannot be given with the read


@dataclass(frozen=True)
class Described:
    """An array of a file.

    dtype     of its numbers or texts of fixed length, as they are in the file; None for all others
    what      what messages call its type
    is_text   whether it holds texts
    offset    where in the file its bytes stand, one after the other; None if they do not
    chunks    the shape of the parts that the file keeps it in; None if it keeps it whole
    is_packed whether these are compressed
    """

    shape: tuple[int, ...]
    dtype: np.dtype | None
    what: str
    is_text: bool = False
    offset: int | None = None
    chunks: tuple[int, ...] | None = None
    is_packed: bool = False

    @property
    def itemsize(self) -> int:
        """In bytes; a text of any length counts as the 16 bytes by which the file finds it."""
        return self.dtype.itemsize if self.dtype is not None else 16

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.itemsize

    @property
    def chunk_bytes(self) -> int:
        """The bytes of a chunk, 0 if the array is kept whole."""
        return math.prod(self.chunks) * self.itemsize if self.chunks else 0


def claimed(shape: Iterable[int]) -> int:
    """How many numbers a shape claims, each 0 counted as 1: NumPy's arrays without numbers have such limits, too."""
    return math.prod(max(int(length), 1) for length in shape)


def read_at(file: FileIO, offset: int, out: memoryview) -> None:
    """Fill `out`, bytes, from this place of the file; threads may read at once. OSError if the file ends before."""
    done = 0
    while done < len(out):
        count = _read_some(file, offset + done, out[done:])
        if not count:
            raise OSError(f"it ends {len(out) - done:,} bytes too early")
        done += count


def _read_some(file: FileIO, offset: int, out: memoryview) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(file.fileno(), [out], offset)
    with _seeking:
        file.seek(offset)
        return file.readinto(out) or 0
