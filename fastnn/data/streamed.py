"""Streams as data to train on: a chunk at a time is in memory.

A stream is shuffled in two steps: blocks of about 1 MB come in random order, then the samples within a buffer of about
16 MB. Sixteen blocks in a buffer mix files that are sorted by class well.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.common import random, validation
from fastnn.common.errors import DataError
from fastnn.data.chunk import Chunk, Expected
from fastnn.data.stream import is_stream, part, row_bytes, rows

SHUFFLE_BUFFER_BYTES = 16 << 20
SHUFFLE_BLOCK_BYTES = 1 << 20


class StreamSource:
    """Data with at least one stream: chunks of whole batches, read while training goes on.

    x, y           streams or arrays, of equal length, under the names that messages call them
    sample_weight  (N,), and class_weight by label: they are multiplied
    before         the rows of the user's data before these, for messages

    Each chunk is checked when it has been read: errors as those of `Expected`.
    """

    in_memory = False
    shuffles = True

    def __init__(
        self,
        expected: Expected,
        x: Mapping[str, Any],
        y: Mapping[str, Any],
        sample_weight: np.ndarray | None = None,
        class_weight: np.ndarray | None = None,
        before: int = 0,
    ):
        self._expected, self._before = expected, before
        self._x, self._y = x, y
        self._sample_weight, self._class_weight = sample_weight, class_weight
        self.samples = len(next(iter(x.values())))
        self.weighted = sample_weight is not None or class_weight is not None

    def start(self) -> Chunk:
        return self._read(0, 1)

    def batch(self, size: int | None) -> int:
        """The number of samples of a step. ValueError for None, all of them."""
        if size is None:
            raise ValueError("batch_size=None takes all samples at once, which a stream is not made for: give a number")
        return min(size, self.samples)

    def memory(self, batch: int) -> int:
        """The bytes that steps of `batch` samples take of memory: a chunk, and a block while it is read and checked."""
        block, size = self._sizes()
        size = min(-(-size // batch) * batch, self.samples)
        row = sum(array[:1].nbytes for array in self.start().arrays)
        read = sum(row_bytes(source) for source in (*self._x.values(), *self._y.values()) if is_stream(source))
        return size * row + 2 * min(block, size) * max(row, read)

    def part(self, first: int, last: int) -> "StreamSource":
        """The samples first ≤ i < last."""
        weights = None if self._sample_weight is None else self._sample_weight[first:last]
        return self._of(first, last, weights, self._class_weight)

    def cut(self, kept: int) -> "tuple[StreamSource, StreamSource]":
        return self.part(0, kept), self._of(kept, self.samples, None, None)

    def _of(self, first: int, last: int, weights: np.ndarray | None, by_class: np.ndarray | None) -> "StreamSource":
        x, y = ({name: part(one, first, last) for name, one in data.items()} for data in (self._x, self._y))
        return StreamSource(self._expected, x, y, weights, by_class, self._before + first)

    def chunks(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Chunk]:
        """Every sample once, in chunks of whole batches except for the last.

        With a seed the blocks of the file come in an order that depends on seed and epoch, else in the file's.
        The arrays of a chunk are overwritten by the next.
        """
        block, size = self._sizes()
        size = -(-size // batch) * batch
        count = -(-self.samples // block)
        order = np.arange(count) if seed is None else random.generator(seed, "places", epoch).permutation(count)
        buffers: dict[int, np.ndarray] = {}
        for ranges in _dealt(order, block, self.samples, size):
            yield self._gathered(ranges, size, buffers)

    def _sizes(self) -> tuple[int, int]:
        """The rows of a block and of a chunk. A block is whole chunks of the largest stream's file, if one fits."""
        sources = [*self._x.values(), *self._y.values()]
        row = max(sum(row_bytes(source) for source in sources), 1)
        largest = max((source for source in sources if is_stream(source)), key=row_bytes)
        block, size = max(SHUFFLE_BLOCK_BYTES // row, 1), max(SHUFFLE_BUFFER_BYTES // row, 1)
        if largest.chunk_rows <= size:
            block = -(-block // largest.chunk_rows) * largest.chunk_rows
        return block, max(size, block)

    def _gathered(self, ranges: list[tuple[int, int]], size: int, buffers: dict[int, np.ndarray]) -> Chunk:
        """The rows of all ranges, one after the other, in buffers that the first chunk makes."""
        filled = 0
        for first, last in ranges:
            read = self._read(first, last)
            for i, array in enumerate((*read.x, *read.y, read.sample_weight)):
                if array is not None:
                    if i not in buffers:
                        buffers[i] = np.empty((min(size, self.samples), *array.shape[1:]), array.dtype)
                    if array.dtype != buffers[i].dtype:
                        raise DataError(f"a stream read {array.dtype} rows, the first were {buffers[i].dtype}")
                    buffers[i][filled : filled + len(array)] = array
            filled += last - first
        arrays = [buffers[i][:filled] if i in buffers else None for i in range(len(self._x) + len(self._y) + 1)]
        *data, weights = arrays
        return Chunk(tuple(data[: len(self._x)]), tuple(data[len(self._x) :]), weights)  # type: ignore[arg-type]

    def _read(self, first: int, last: int) -> Chunk:
        """The rows first ≤ i < last, checked."""
        place = self._before + first
        where = f" (counted from its row {place})" if place else ""
        x, y = (
            tuple(check(i, rows(one, first, last, name), name + where) for i, (name, one) in enumerate(data.items()))
            for data, check in ((self._x, self._expected.checked_input), (self._y, self._expected.checked_target))
        )
        return Chunk(x, y, self._weights_of(first, last, y[0]) if y else None)

    def _weights_of(self, first: int, last: int, y: np.ndarray) -> np.ndarray | None:
        own = None if self._sample_weight is None else self._sample_weight[first:last]
        return validation.combined_weights(own, self._class_weight, y, self._expected.dtype)


def _dealt(order: np.ndarray, block: int, samples: int, size: int) -> Iterator[list[tuple[int, int]]]:
    """The ranges of rows of each chunk: blocks of `block` rows in `order`, cut where a chunk of `size` rows is full."""
    ranges: list[tuple[int, int]] = []
    room = size
    for number in order.tolist():
        first, end = number * block, min((number + 1) * block, samples)
        while first < end:
            last = min(end, first + room)
            ranges.append((first, last))
            room -= last - first
            first = last
            if not room:
                yield ranges
                ranges, room = [], size
    if ranges:
        yield ranges
