"""Reading an HDF5 array a block of rows at a time: files larger than memory."""

import copy
import logging
import math
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.hints.habits import hinted_as
from fastnn.data.hdf5.file import LARGEST_CHUNK_BYTES, HDF5Array, HDF5File
from fastnn.data.stream import check_rows

log = logging.getLogger(__name__)

# The size of the blocks that `blocks` yields.
BLOCK_BYTES = 16 << 20


class H5Stream:
    """One array of an HDF5 file, whose rows are read when they are used.

    `fit`, `evaluate` and `predict` take a stream instead of an array.

    Args:
        path: The file.
        key: The array in it.
        change: A function from rows (n, …) as they are in the file to the n rows (n, …) to use; None: no change.

    Attributes:
        shape: Of all rows after the change.
        dtype: After the change.
        row_bytes: The memory that a row takes while it is read.
        chunk_rows: The number of rows that can only be read together.

    Raises:
        FileFormatError: If the file is missing, damaged or being written, has no such array, or stores it in chunks of
            more than 64 MB.
        DataError: If `change` returns another number of rows, or rows whose shape or dtype differs from the first's.

    Examples:
        >>> import h5py
        >>> with h5py.File("images.h5", "w") as file:
        ...     file["x"], file["labels"] = np.arange(120).reshape(30, 4), y
        >>> x = fn.H5Stream("images.h5", "x", lambda rows: rows / 255)
        >>> with x, fn.H5Stream("images.h5", "labels") as y:
        ...     history = model.fit(x, y, optimizer=fn.SGD(0.1))
    """

    @hinted_as("H5Stream")
    def __init__(
        self, path: str | os.PathLike[str], key: str, change: Callable[[NDArray[Any]], Any] | None = None
    ) -> None:
        self.path, self.key = os.fspath(path), key
        self._where = f"{self.path!r}: {key!r}"
        self._change = change
        self._file = HDF5File(self.path)
        try:
            self._array = self._checked(self._file.array(key))
            self._range = (0, len(self._array))
            self._describe()
        except BaseException:
            self._file.close()
            raise

    def sibling(self, key: str) -> "H5Stream":
        """Another array of the same open file, as it is there: `close` of either closes both.

        Args:
            key: The other array in the file.

        Raises:
            FileFormatError: As of the first stream.
        """
        stream = copy.copy(self)
        stream.key, stream._where, stream._change = key, f"{self.path!r}: {key!r}", None
        stream._array = stream._checked(self._file.array(key))
        stream._range = (0, len(stream._array))
        stream._describe()
        return stream

    def _describe(self) -> None:
        """Set shape and dtype after the change, the memory that reading a row takes, and the rows of a chunk."""
        raw = self._raw(0, min(1, len(self)))
        example = raw if self._change is None else self._changed(raw)
        self.shape: tuple[int, ...] = (len(self), *example.shape[1:])
        self.dtype: np.dtype[Any] = example.dtype
        self.row_bytes: int = max(math.prod(rows.shape[1:]) * rows.itemsize for rows in (raw, example))
        chunks = self._array.described.chunks
        self.chunk_rows: int = chunks[0] if chunks else 1
        if self._array.described.is_packed and self.chunk_rows * self.row_bytes > BLOCK_BYTES:
            log.warning(
                "%s is packed in chunks of %s: %d rows are unpacked to read one; chunks of whole rows, such as %s, "
                "are read many times faster",
                self._where,
                chunks,
                self.chunk_rows,
                (max((1 << 18) // self.row_bytes, 1), *self._array.shape[1:]),
            )

    def _checked(self, array: HDF5Array) -> HDF5Array:
        if array.ndim == 0 or array.dtype is None or array.dtype.kind not in "iufb":
            raise FileFormatError(
                f"{self._where} is {array.shape} {array.what}, expected numbers with at least one axis"
            )
        chunk = array.described.chunk_bytes
        if chunk > LARGEST_CHUNK_BYTES:
            raise FileFormatError(
                f"{self._where} is stored in chunks of {chunk:,} bytes, expected at most {LARGEST_CHUNK_BYTES:,}: "
                "a chunk is unpacked as a whole"
            )
        array.check_row_written()
        return array

    def __repr__(self) -> str:
        return f"<H5Stream {self._where}: {self.dtype} {self.shape}>"

    def __len__(self) -> int:
        """Number of rows."""
        return self._range[1] - self._range[0]

    def read(self, first: int, last: int) -> NDArray[Any]:
        """Rows first … last − 1 as a new array (last − first, …) in native byte order.

        Args:
            first: The number of the first row.
            last: The number after that of the last.

        Raises:
            DataError: Unless 0 ≤ first ≤ last ≤ len(stream), or if the stream is closed.
            FileFormatError: If the file is damaged there.
        """
        check_rows(first, last, len(self), self._where)
        rows = self._raw(first, last)
        if self._change is None:
            return rows
        changed = self._changed(rows)
        if (changed.dtype, changed.shape[1:]) != (self.dtype, self.shape[1:]):
            raise DataError(
                f"{self._where}: rows {first} to {last} were changed into {changed.dtype} rows of shape "
                f"{changed.shape[1:]}, expected {self.dtype} and {self.shape[1:]}, as its first row"
            )
        return changed

    def _raw(self, first: int, last: int) -> NDArray[Any]:
        """Rows as they are in the file, before the change."""
        if not self._file:
            raise DataError(f"{self._where} was closed, expected an open stream")
        return self._array.read(self._range[0] + first, self._range[0] + last)

    def _changed(self, rows: NDArray[Any]) -> NDArray[Any]:
        assert self._change is not None
        changed = np.asarray(self._change(rows))
        if changed.shape[:1] != rows.shape[:1]:
            raise DataError(f"{self._where}: {len(rows)} rows were changed into {changed.shape}, expected as many rows")
        return changed

    def part(self, first: int, last: int) -> "H5Stream":
        """Rows first … last − 1 as another stream of the same open file.

        Args:
            first: The number of the first row.
            last: The number after that of the last.

        Raises:
            DataError: If the stream has no such rows.
        """
        check_rows(first, last, len(self), self._where)
        stream = copy.copy(self)
        stream._range = (self._range[0] + first, self._range[0] + last)
        stream.shape = (last - first, *self.shape[1:])
        return stream

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
        """All rows in order, `rows` at a time.

        Args:
            rows: None: as many rows as 16 MB hold, rounded down to whole chunks of the file, so that no chunk is
                unpacked twice.

        Yields:
            The number of the first row, and the array of the rows.

        Raises:
            DataError: For fewer than 1 row at a time.
        """
        most = max(BLOCK_BYTES // max(self.row_bytes, 1), 1)
        step = max(most // self.chunk_rows * self.chunk_rows, 1) if self.chunk_rows <= most else most
        step = step if rows is None else rows
        if step < 1:
            raise DataError(f"blocks of {step} rows were asked for, expected at least 1")
        for first in range(0, len(self), step):
            yield first, self.read(first, min(first + step, len(self)))

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        self._file.close()

    def __enter__(self) -> "H5Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
