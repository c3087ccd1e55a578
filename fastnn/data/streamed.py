"""Streams as data to train on: a chunk at a time is in memory.

A stream is shuffled in two steps: blocks of about 1 MB come in random order, then the samples within a buffer of about
16 MB. Sixteen blocks in a buffer mix files that are sorted by class well.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.weights import combined_weights
from fastnn.data.chunk import Chunk, Expected
from fastnn.data.stream import is_stream, part, row_bytes, rows

SHUFFLE_BUFFER_BYTES = 16 << 20
SHUFFLE_BLOCK_BYTES = 1 << 20

# Rows that nobody wants are read with those around them where they are fewer bytes. Another read of a file that the
# system has in memory takes 4 to 8 µs more, in which some 20 KB are read and checked; of a disk, or over a network,
# some 100 µs.
GAP_BYTES = 64 << 10

Wanted = Callable[[int, int], np.ndarray]  # of a chunk, by its number and its samples: those to read, ascending
Range = tuple[int, int, int]  # the first row, the one after the last, and where the first one lies in a chunk


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
        return self._as_chunk(self._read(0, 1))

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

    def skips(self, distance: int) -> bool:
        """Whether to leave rows out saves time where one row in `distance` is wanted."""
        return distance > self._least_gap()

    def _least_gap(self) -> int:
        """So many rows are left out, and nothing that can only be read together is read twice."""
        streams = [one for one in (*self._x.values(), *self._y.values()) if is_stream(one)]
        return max(GAP_BYTES // max(sum(map(row_bytes, streams)), 1), *(one.chunk_rows for one in streams))

    def chunks(
        self, batch: int, seed: int | None = None, epoch: int = 0, first: int = 0, wanted: Wanted | None = None
    ) -> Iterator[Chunk]:
        """Every sample once, in chunks of whole batches except for the last.

        With a seed the blocks of the file come in an order that depends on seed and epoch, else in the file's.
        The arrays of a chunk are overwritten by the next.

        first  : the number of the first chunk; those before it are not read
        wanted : which samples of each chunk must be right; others may be anything. Weights are those of all
        """
        block, size = self._sizes()
        size = -(-size // batch) * batch
        count = -(-self.samples // block)
        order = np.arange(count) if seed is None else random.generator(seed, "places", epoch).permutation(count)
        buffers: dict[int, np.ndarray] = {}
        dealt = enumerate(_dealt(order, block, self.samples, size))
        for number, ranges in itertools.islice(dealt, first, None):
            samples = sum(last - first for first, last, _ in ranges)
            places = None if wanted is None else wanted(number, samples)
            yield self._gathered(ranges, samples, size, buffers, places)

    def _sizes(self) -> tuple[int, int]:
        """The rows of a block and of a chunk. A block is whole chunks of the largest stream's file, if one fits."""
        sources = [*self._x.values(), *self._y.values()]
        row = max(sum(row_bytes(source) for source in sources), 1)
        largest = max((source for source in sources if is_stream(source)), key=row_bytes)
        block, size = max(SHUFFLE_BLOCK_BYTES // row, 1), max(SHUFFLE_BUFFER_BYTES // row, 1)
        if largest.chunk_rows <= size:
            block = -(-block // largest.chunk_rows) * largest.chunk_rows
        return block, max(size, block)

    def _gathered(
        self,
        ranges: list[Range],
        samples: int,
        size: int,
        buffers: dict[int, np.ndarray],
        wanted: np.ndarray | None,
    ) -> Chunk:
        """The rows of all ranges, in buffers that the first chunk makes; of inputs, and of targets without weights,
        those wanted, and others between them."""
        if wanted is None:
            self._fill(buffers, size, ranges)
        else:
            runs = list(_runs(ranges, wanted, self._least_gap())) or [(ranges[0][0], ranges[0][0] + 1, 0)]
            self._fill(buffers, size, runs, targets=not self.weighted)
            if self.weighted:
                self._fill(buffers, size, ranges, inputs=False)
        return self._as_chunk([buffers[i][:samples] if i in buffers else None for i in range(self._width)])

    def _fill(self, buffers: dict[int, np.ndarray], size: int, ranges: Iterable[Range], **what: bool) -> None:
        """Read ranges to their places. what : as of `_read`"""
        for first, last, at in ranges:
            for i, array in enumerate(self._read(first, last, **what)):
                if array is not None:
                    if i not in buffers:
                        buffers[i] = np.empty((min(size, self.samples), *array.shape[1:]), array.dtype)
                    if array.dtype != buffers[i].dtype:
                        raise DataError(f"a stream read {array.dtype} rows, the first were {buffers[i].dtype}")
                    buffers[i][at : at + len(array)] = array

    @property
    def _width(self) -> int:
        """The number of arrays of a chunk, weights included."""
        return len(self._x) + len(self._y) + 1

    def _as_chunk(self, arrays: list[Any]) -> Chunk:
        *data, weights = arrays
        return Chunk(tuple(data[: len(self._x)]), tuple(data[len(self._x) :]), weights)

    def _read(self, first: int, last: int, *, inputs: bool = True, targets: bool = True) -> list[np.ndarray | None]:
        """The rows first ≤ i < last, checked: of each input and target, and their weights; None for what is not read.

        Weights are read with the targets, on which they may depend.
        """
        place = self._before + first
        where = f" (counted from its row {place})" if place else ""
        found: list[np.ndarray | None] = []
        for data, check, wanted in (
            (self._x, self._expected.checked_input, inputs),
            (self._y, self._expected.checked_target, targets),
        ):
            for i, (name, one) in enumerate(data.items()):
                found.append(check(i, rows(one, first, last, name), name + where) if wanted else None)
        y = found[len(self._x)] if self._y else None
        return [*found, None if y is None else self._weights_of(first, last, y)]

    def _weights_of(self, first: int, last: int, y: np.ndarray) -> np.ndarray | None:
        own = None if self._sample_weight is None else self._sample_weight[first:last]
        return combined_weights(own, self._class_weight, y, self._expected.dtype)


def _dealt(order: np.ndarray, block: int, samples: int, size: int) -> Iterator[list[Range]]:
    """The ranges of rows of each chunk: blocks of `block` rows in `order`, cut where a chunk of `size` rows is full."""
    ranges: list[Range] = []
    filled = 0
    for number in order.tolist():
        first, end = number * block, min((number + 1) * block, samples)
        while first < end:
            last = min(end, first + size - filled)
            ranges.append((first, last, filled))
            filled += last - first
            first = last
            if filled == size:
                yield ranges
                ranges, filled = [], 0
    if ranges:
        yield ranges


def _runs(ranges: Iterable[Range], wanted: np.ndarray, gap: int) -> Iterator[Range]:
    """The parts of ranges from a wanted row to another, between which are at least `gap` rows that are not wanted."""
    for first, last, at in ranges:
        here = wanted[np.searchsorted(wanted, at) : np.searchsorted(wanted, at + last - first)]
        for run in np.split(here, np.flatnonzero(np.diff(here) > gap) + 1):
            if len(run):
                low, high = int(run[0]), int(run[-1]) + 1
                yield first + low - at, first + high - at, low
