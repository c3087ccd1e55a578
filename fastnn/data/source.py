"""Data sources: samples in memory, or streams of which a chunk is in memory at a time.

A stream is shuffled in two steps: blocks of about 1 MB come in random order, then the samples within a buffer of about
16 MB. Sixteen blocks in a buffer mix files that are sorted by class well.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastnn.common import labels, random, validation
from fastnn.common.errors import ShapeError
from fastnn.data.stream import Stream, part, row_bytes, rows

SHUFFLE_BUFFER_BYTES = 16 << 20
SHUFFLE_BLOCK_BYTES = 1 << 20


class Expected(Protocol):
    """What a network expects of its data, and the checks of it. They raise ShapeError, TypeError or DataError.

    input_shape    of one sample
    classes        how many, if targets are labels
    takes_classes  whether targets are labels, or 0 and 1
    """

    @property
    def input_shape(self) -> tuple[int, ...]: ...

    @property
    def classes(self) -> int | None: ...

    @property
    def takes_classes(self) -> bool: ...

    def checked_inputs(self, x: Any, name: str) -> np.ndarray: ...

    def checked_targets(self, y: Any, name: str) -> np.ndarray: ...

    def checked(self, x: Any, y: Any, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]: ...


class Chunk(NamedTuple):
    """The part of the data that is in memory: samples, targets, sample weights."""

    x: np.ndarray
    y: np.ndarray | None = None
    sample_weight: np.ndarray | None = None


class ArraySource:
    """Data that are in memory as a whole, and have been checked: one chunk."""

    in_memory = True

    def __init__(self, x: np.ndarray, y: np.ndarray | None = None, sample_weight: np.ndarray | None = None):
        self._everything = Chunk(x, y, sample_weight)
        self.samples = len(x)
        self.weighted = sample_weight is not None

    def start(self) -> Chunk:
        """Some first samples, for what depends on dtypes alone. Of data in memory: all."""
        return self._everything

    def chunks(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Chunk]:
        """All samples. The order of the samples within a chunk is the runner's."""
        yield self._everything

    def whole_batch(self) -> int:
        """The size of a batch of all samples."""
        return self.samples

    def cut(self, kept: int) -> "tuple[Source, Source]":
        """The first `kept` samples, and the others without their weights."""
        x, y, weights = self._everything
        assert y is not None
        train = ArraySource(x[:kept], y[:kept], None if weights is None else weights[:kept])
        return train, ArraySource(x[kept:], y[kept:])


class StreamSource:
    """Data with at least one stream: chunks of whole batches, read while training goes on.

    x, y           streams or arrays, of equal length
    sample_weight  (N,), and class_weight by label: they are multiplied
    names          of x and y in messages

    Each chunk is checked when it has been read: errors as those of `Expected.checked`.
    """

    in_memory = False

    def __init__(
        self,
        expected: Expected,
        x: Any,
        y: Any = None,
        sample_weight: np.ndarray | None = None,
        class_weight: np.ndarray | None = None,
        names: tuple[str, str] = ("x", "y"),
    ):
        self._expected, self._names = expected, names
        self._x, self._y = x, y
        self._sample_weight, self._class_weight = sample_weight, class_weight
        self.samples = len(x)
        self.weighted = sample_weight is not None or class_weight is not None

    def start(self) -> Chunk:
        return self._read(0, 1)

    def whole_batch(self) -> int:
        raise ValueError("batch_size=None takes all samples at once, which a stream is not made for: give a number")

    def cut(self, kept: int) -> "tuple[Source, Source]":
        weights = None if self._sample_weight is None else self._sample_weight[:kept]
        return self._of(0, kept, weights, self._class_weight), self._of(kept, self.samples, None, None)

    def _of(self, first: int, last: int, weights: np.ndarray | None, by_class: np.ndarray | None) -> "StreamSource":
        x, y = (part(one, first, last) for one in (self._x, self._y))
        return StreamSource(self._expected, x, y, weights, by_class, self._names)

    def chunks(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Chunk]:
        """Every sample once, in chunks of whole batches except for the last.

        With a seed the blocks of the file come in an order that depends on seed and epoch, else in the file's.
        The arrays of a chunk are overwritten by the next.
        """
        block, size = self._sizes()
        size = -(-size // batch) * batch
        count = -(-self.samples // block)
        order = np.arange(count) if seed is None else random.generator(seed, "places", epoch).permutation(count)
        buffers: list[np.ndarray | None] = [None, None, None]
        for ranges in _dealt(order, block, self.samples, size):
            yield self._gathered(ranges, size, buffers)

    def _sizes(self) -> tuple[int, int]:
        """The rows of a block and of a chunk. A block is whole chunks of the largest stream's file, if one fits."""
        sources = [source for source in (self._x, self._y) if source is not None]
        row = max(sum(row_bytes(source) for source in sources), 1)
        largest = max((source for source in sources if isinstance(source, Stream)), key=row_bytes)
        block, size = max(SHUFFLE_BLOCK_BYTES // row, 1), max(SHUFFLE_BUFFER_BYTES // row, 1)
        if largest.chunk_rows <= size:
            block = -(-block // largest.chunk_rows) * largest.chunk_rows
        return block, max(size, block)

    def _gathered(self, ranges: list[tuple[int, int]], size: int, buffers: list[np.ndarray | None]) -> Chunk:
        """The rows of all ranges, one after the other, in buffers that the first chunk makes."""
        filled = 0
        for first, last in ranges:
            for i, read in enumerate(self._read(first, last)):
                if read is not None:
                    if buffers[i] is None:
                        buffers[i] = np.empty((min(size, self.samples), *read.shape[1:]), read.dtype)
                    buffers[i][filled : filled + len(read)] = read  # type: ignore[index]
            filled += last - first
        return Chunk(*(None if buffer is None else buffer[:filled] for buffer in buffers))  # type: ignore[arg-type]

    def _read(self, first: int, last: int) -> Chunk:
        """The rows first ≤ i < last, checked."""
        names = [f"{name} (counted from its row {first})" if first else name for name in self._names]
        x = self._expected.checked_inputs(rows(self._x, first, last), names[0])
        if self._y is None:
            return Chunk(x)
        y = self._expected.checked_targets(rows(self._y, first, last), names[1])
        return Chunk(x, y, self._weights_of(first, last, y))

    def _weights_of(self, first: int, last: int, y: np.ndarray) -> np.ndarray | None:
        own = None if self._sample_weight is None else self._sample_weight[first:last]
        return validation.combined_weights(own, self._class_weight, y)


Source = ArraySource | StreamSource


def source_of(
    expected: Expected,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    class_weight: Any = None,
    names: tuple[str, str] = ("x", "y"),
) -> Source:
    """The source of a user's x, y and weights: arrays, lists or streams.

    Raises ShapeError, DataError, TypeError or ValueError for data that are not as expected.
    """
    by_class = _class_weights(class_weight, expected, y, names[1])
    if isinstance(x, Stream) or isinstance(y, Stream):
        x, y = _sized(x, names[0]), _sized(y, names[1])
        validation.check_sample_shape(x.shape, names[0], expected.input_shape)
        validation.check_same_length(x, y, names)
        weights = validation.sample_weights(sample_weight, len(x))
        return StreamSource(expected, x, y, weights, by_class, names)
    x, y = expected.checked(x, y, names)
    weights = validation.combined_weights(validation.sample_weights(sample_weight, len(x)), by_class, y)
    return ArraySource(x, y, None if weights is None else validation.check_weights(weights, "weights go"))


def _class_weights(given: Any, expected: Expected, y: Any, name: str) -> np.ndarray | None:
    if not isinstance(given, str) or expected.classes is None:
        return validation.class_weights(given, expected.classes)
    if given != "balanced":
        raise ValueError(f'class_weight is {given!r}, expected "balanced", {{label: weight}} or one number a class')
    if isinstance(y, Stream):
        raise ValueError('class_weight="balanced" counts labels in memory, not in a stream: give {label: weight}')
    return labels.balanced_weights(expected.checked_targets(y, name), expected.classes)


def warn_of_split(expected: Expected, kept: Source, rest: Source) -> None:
    """Warn if the two parts into which samples in memory were cut cannot have the same classes."""
    if expected.takes_classes and isinstance(kept, ArraySource):
        labels.warn_of_order(*(part.start().y for part in (kept, rest)))  # type: ignore[arg-type]


def source_of_inputs(expected: Expected, x: Any) -> Source:
    """The source of inputs alone, for predictions. Errors as of `source_of`."""
    if not isinstance(x, Stream):
        return ArraySource(expected.checked_inputs(x, "x"))
    validation.check_sample_shape(x.shape, "x", expected.input_shape)
    return StreamSource(expected, x)


def _sized(source: Any, name: str) -> Any:
    """A stream, or an array with rows; ShapeError for a single number."""
    if isinstance(source, Stream):
        return source
    source = validation.as_array(source, name)
    if not source.ndim:
        raise ShapeError(f"{name} has shape (), expected one row for each sample")
    return source


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
