"""Streams: rows that stay in a file until they are asked for; and arrays and streams cut in the same way."""

import math
from typing import Any, Protocol, runtime_checkable

import numpy as np

from fastnn.common.errors import DataError


@runtime_checkable
class Stream(Protocol):
    """Rows that come into memory when they are asked for, such as `fn.H5Stream`.

    row_bytes    the memory that a row takes while it is read
    chunk_rows   the number of rows that can only be read together
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    row_bytes: int
    chunk_rows: int

    def __len__(self) -> int: ...

    def read(self, first: int, last: int) -> np.ndarray:
        """The rows first ≤ i < last, in an array of their own."""

    def part(self, first: int, last: int) -> "Stream":
        """The rows first ≤ i < last as a stream."""


def is_stream(source: Any) -> bool:
    """Whether `source` is a stream. (To ask an array whether it has all of a stream's methods takes 10 µs.)"""
    return not isinstance(source, np.ndarray) and isinstance(source, Stream)


def part(source: Any, first: int, last: int) -> Any:
    """The rows first ≤ i < last of an array, as a view, or of a stream, as a stream."""
    return source.part(first, last) if is_stream(source) else source[first:last]


def rows(source: Any, first: int, last: int, name: str = "stream") -> np.ndarray:
    """The rows first ≤ i < last of an array or a stream, in memory. DataError if a stream reads another number."""
    if not is_stream(source):
        return source[first:last]
    read = source.read(first, last)
    if len(read) != last - first:
        raise DataError(f"{name}: rows {first} to {last} of a stream: read {len(read)} rows, expected {last - first}")
    return read


def check_rows(first: int, last: int, count: int, what: str) -> None:
    """DataError unless the rows first ≤ i < last are among the `count` rows of `what`, as messages call it."""
    if not 0 <= first <= last <= count:
        raise DataError(f"rows {first} to {last} of {what} were asked for, expected 0 to {count}")


def row_bytes(source: Any) -> int:
    """The memory that a row takes while it is read."""
    if is_stream(source):
        return source.row_bytes
    return math.prod(source.shape[1:]) * source.itemsize
