"""An HDF5 file that may be anything, and its arrays. This process parses nothing but the plainest descriptions.

The bytes of arrays that stand in one piece are read from the file as they are; all others come from a process that may
crash or hang (`child_process`).
"""

import itertools
import math
import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import FileFormatError
from fastnn.common.framed.opening import opened_whole
from fastnn.common.names import nearest
from fastnn.data.hdf5.child_process import Child
from fastnn.data.hdf5.described import SIGNATURE, Described, claimed, read_at
from fastnn.data.hdf5.plain_layout import plain_arrays

# The largest chunk of a file that is accepted, unless the whole array is one: HDF5 unpacks a chunk as a whole.
LARGEST_CHUNK_BYTES = 64 << 20
DEFLATE_RATIO = 1032  # One byte of a deflate stream unpacks to at most this number of bytes.


def damaged(name: str) -> str:
    """How the message about a damaged HDF5 file begins."""
    return f"{name!r} is damaged or cut short"


class HDF5File:
    """An open file. FileFormatError if it is missing, no HDF5 file, or being written.

    name : its path
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.name = os.fspath(path)
        with ExitStack() as until_checked:
            self.file, self.size = until_checked.enter_context(opened_whole(path, "an HDF5 file"))
            if not has_signature(self.file, self.size):
                raise FileFormatError(f"{self.name!r} is not an HDF5 file: it does not begin with the HDF5 signature")
            self.plain = plain_arrays(self.file, self.size)
            self.child = Child(self.file, self.name, damaged(self.name))
            # Closed when nobody holds it any more, also where it is part of a cycle of references.
            self._end = weakref.finalize(self, until_checked.pop_all().close)

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        self.child.close()
        self._end()

    def __bool__(self) -> bool:
        """Whether it is open."""
        return not self.file.closed

    def array(self, key: str, known: Sequence[str] = ()) -> "HDF5Array":
        """The array under `key`.

        FileFormatError if there is none; it lists the keys of the file, and offers the nearest that is not `known`.
        """
        return HDF5Array(self, key, self.plain.get(key) or self._described(key, known))

    def _described(self, key: str, known: Sequence[str]) -> Described:
        found, _ = self.child.ask(ask="describe", key=key)
        match found.pop("kind", None):
            case "array":
                return self._checked(key, found)
            case "missing":
                keys = found["keys"]
                told = f"has no key {key!r}, it has {', '.join(sorted(keys)) or 'none'}"
                meant = nearest(key, [other for other in keys if other not in known])
                raise FileFormatError(f"{self.name!r} {told}{meant and f'; {meant}'}")
            case "broken":
                raise FileFormatError(f"{self.name!r}: {key!r} cannot be opened: {found['reason']}")
            case kind:
                raise FileFormatError(f"{self.name!r}: {key!r} is a {kind}, expected an array")

    def _checked(self, key: str, found: dict[str, Any]) -> Described:
        """What the other process found, if it can be true."""
        shape, chunks = tuple(found.pop("shape")), found.pop("chunks")
        dtype = found.pop("dtype")
        array = Described(shape, dtype and np.dtype(dtype), chunks=chunks and tuple(chunks), **found)
        if array.offset is not None and array.offset + array.nbytes > self.size:
            raise FileFormatError(f"{damaged(self.name)}: {key!r} goes on after the end of the file")
        if array.chunk_bytes > max(LARGEST_CHUNK_BYTES, array.nbytes):
            raise FileFormatError(f"{self.name!r}: {key!r} is kept in chunks larger than itself, {array.chunks}")
        return array


class HDF5Array:
    """One array of an open file."""

    def __init__(self, file: HDF5File, key: str, described: Described):
        self.file, self.key, self.described = file, key, described
        self.shape, self.ndim = described.shape, len(described.shape)
        self.dtype, self.what = described.dtype, described.what

    def __len__(self) -> int:
        return self.shape[0]

    def check_written(self) -> None:
        """FileFormatError if the array has more bytes than the file can hold: it was declared but never written."""
        self._check_fits(self.described.nbytes, f"declares shape {self.shape}")

    def check_row_written(self) -> None:
        """The same of one row: an array of which little was written is read row by row."""
        self._check_fits(claimed(self.shape[1:]) * self.described.itemsize, f"has rows of shape {self.shape[1:]}")

    def _check_fits(self, count: int, told: str) -> None:
        if count > DEFLATE_RATIO * self.file.size:
            raise FileFormatError(
                f"{self.file.name!r}: {self.key!r} {told}, {count:,} bytes, in a file of {self.file.size:,}; "
                "most of it was never written"
            )

    def read(self, first: int = 0, last: int | None = None) -> NDArray[Any]:
        """Rows first ≤ i < last, numbers or texts of fixed length, as a new array in native byte order.

        FileFormatError if the file is damaged there.
        """
        assert self.dtype is not None, "checked by who calls it"
        low, high = int(first), len(self) if last is None else int(last)
        rows = np.empty((high - low, *self.shape[1:]), self.dtype)
        if rows.size:
            self._fill(rows.reshape(-1).view(np.uint8).data, low, high)
        if rows.dtype.kind == "b":  # a byte in a file may be neither 0 nor 1
            return rows.view(np.uint8) != 0
        return rows.astype(rows.dtype.newbyteorder("="), copy=False)

    def _fill(self, out: memoryview, first: int, last: int) -> None:
        offset = self.described.offset
        if offset is None:
            count = len(out) + self.described.chunk_bytes
            self.file.child.ask(out, count, ask="rows", key=self.key, first=first, last=last)
            return
        try:
            read_at(self.file.file, offset + first * (len(out) // (last - first)), out)
        except OSError as error:
            raise FileFormatError(f"{damaged(self.file.name)}: {error}") from error

    def texts(self) -> list[bytes]:
        """All texts of an array of one axis, or of two of which one has length 1."""
        if self.dtype is not None:
            return self.read().ravel().tolist()
        head, content = self.file.child.ask(ask="texts", key=self.key, count=self.described.nbytes)
        lengths = head["lengths"]
        if len(lengths) != math.prod(self.shape) or sum(lengths) != len(content):
            raise FileFormatError(f"{damaged(self.file.name)}: {self.key!r} has other texts than it declares")
        ends = np.cumsum([0, *lengths]).tolist()
        return [content[low:high] for low, high in itertools.pairwise(ends)]


def has_signature(file: FileIO, size: int) -> bool:
    """Whether HDF5's mark stands where it may: at the beginning, or after a user block of 512, 1024, 2048 … bytes."""
    found, place = bytearray(len(SIGNATURE)), 0
    while place + len(SIGNATURE) <= size:
        read_at(file, place, memoryview(found))
        if found == SIGNATURE:
            return True
        place = max(512, 2 * place)
    return False


def is_hdf5(path: str) -> bool:
    """Whether the path is a file that has HDF5's mark."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb", buffering=0) as file:
        return has_signature(file, os.path.getsize(path))


@contextmanager
def open_hdf5(name: str) -> Iterator[HDF5File]:
    """Open the HDF5 file for reading within the block. FileFormatError as of `HDF5File`."""
    file = HDF5File(name)
    try:
        yield file
    finally:
        file.close()
