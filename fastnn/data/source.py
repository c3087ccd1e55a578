"""What a walk is fed with: samples in memory, or a stream's rows, of which a window is in memory at a time."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from fastnn.common import random
from fastnn.common import validation as checks
from fastnn.common.errors import ShapeError
from fastnn.nn.network import Network

# A window of a stream is what is in memory, and what an epoch's order mixes: so many bytes of samples and targets, from
# places of the file that are so many bytes long. Sixteen places in a window mix files that are sorted by class well.
WINDOW = 16 << 20
PLACE = 1 << 20


@runtime_checkable
class Stream(Protocol):
    """Rows that come into memory when they are asked for, such as `fn.H5Stream`.

    row_bytes    what a row takes while it is read
    chunk_rows   how many rows can only be read together
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    row_bytes: int
    chunk_rows: int

    def __len__(self) -> int: ...

    def read(self, first: int, last: int) -> np.ndarray:
        """Rows first … last − 1, an array of its own."""

    def part(self, first: int, last: int) -> "Stream":
        """Rows first … last − 1 as a stream."""


class Window(NamedTuple):
    """What of the data is in memory: samples, targets, weights."""

    x: np.ndarray
    y: np.ndarray | None = None
    weights: np.ndarray | None = None


class Feed:
    """Data that are in memory as a whole, and have been checked: one window."""

    in_memory = True

    def __init__(self, x: np.ndarray, y: np.ndarray | None = None, weights: np.ndarray | None = None):
        self._everything = Window(x, y, weights)
        self.samples = len(x)
        self.weighted = weights is not None

    def start(self) -> Window:
        """Some first samples, for what depends on their dtypes alone; of data in memory all."""
        return self._everything

    def windows(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Window]:
        """All samples; with a seed it is the walk that shuffles each window."""
        yield self._everything

    def whole_batch(self) -> int:
        """The size of a batch of all samples."""
        return self.samples

    def cut(self, kept: int) -> "tuple[Feed, Feed]":
        """The first `kept` samples, and the others without their weights."""
        x, y, weights = self._everything
        assert y is not None
        return Feed(x[:kept], y[:kept], None if weights is None else weights[:kept]), Feed(x[kept:], y[kept:])


class StreamFeed(Feed):
    """Data of which a part is a stream: windows of whole batches, read while the walk goes on.

    x, y           streams or arrays, of as many samples
    weights        of the samples (N,); class_weights of the labels: they are multiplied
    names          what messages call x and y

    Each window is checked when it has been read: errors as those of `Network.checked`.
    """

    in_memory = False

    def __init__(
        self,
        network: Network,
        x: Any,
        y: Any = None,
        weights: np.ndarray | None = None,
        class_weights: np.ndarray | None = None,
        names: tuple[str, str] = ("x", "y"),
    ):
        self._network, self._names = network, names
        self._x, self._y = x, y
        self._weights, self._class_weights = weights, class_weights
        self.samples = len(x)
        self.weighted = weights is not None or class_weights is not None

    def start(self) -> Window:
        return self._read(0, 1)

    def whole_batch(self) -> int:
        raise ValueError("batch_size=None takes all samples at once, which a stream is not made for: give a number")

    def cut(self, kept: int) -> tuple[Feed, Feed]:
        weights = None if self._weights is None else self._weights[:kept]
        return self._of(0, kept, weights, self._class_weights), self._of(kept, self.samples, None, None)

    def _of(self, first: int, last: int, weights: np.ndarray | None, class_weights: np.ndarray | None) -> Feed:
        x, y = (part(source, first, last) for source in (self._x, self._y))
        return StreamFeed(self._network, x, y, weights, class_weights, self._names)

    def windows(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Window]:
        """Every sample once, in windows of whole batches but for the last.

        With a seed the places of the file come in an order that depends on seed and epoch; else in theirs.
        The arrays of a window are overwritten by the next.
        """
        place, window = self._sizes()
        window = -(-window // batch) * batch
        count = -(-self.samples // place)
        order = np.arange(count) if seed is None else random.stream(seed, "places", epoch).permutation(count)
        buffers: list[np.ndarray | None] = [None, None, None]
        for ranges in _dealt(order, place, self.samples, window):
            yield self._gathered(ranges, window, buffers)

    def _sizes(self) -> tuple[int, int]:
        """Rows of a place, in whole chunks of what takes most memory unless that is too much, and of a window."""
        sources = [source for source in (self._x, self._y) if source is not None]
        row = max(sum(_row_bytes(source) for source in sources), 1)
        largest = max((source for source in sources if isinstance(source, Stream)), key=_row_bytes)
        place, window = max(PLACE // row, 1), max(WINDOW // row, 1)
        chunk = largest.chunk_rows
        if chunk <= window:
            place = -(-place // chunk) * chunk
        return place, max(window, place)

    def _gathered(self, ranges: list[tuple[int, int]], window: int, buffers: list[np.ndarray | None]) -> Window:
        """The rows of all ranges, one after the other, in the buffers that the first window makes."""
        filled = 0
        for first, last in ranges:
            for i, read in enumerate(self._read(first, last)):
                if read is not None:
                    if buffers[i] is None:
                        buffers[i] = np.empty((min(window, self.samples), *read.shape[1:]), read.dtype)
                    buffers[i][filled : filled + len(read)] = read  # type: ignore[index]
            filled += last - first
        return Window(*(None if buffer is None else buffer[:filled] for buffer in buffers))  # type: ignore[arg-type]

    def _read(self, first: int, last: int) -> Window:
        """Rows first … last − 1, checked."""
        names = [f"{name} (counted from its row {first})" if first else name for name in self._names]
        x = self._network.checked_inputs(rows(self._x, first, last), names[0])
        if self._y is None:
            return Window(x)
        y = self._network.checked_targets(rows(self._y, first, last), names[1])
        return Window(x, y, self._weights_of(first, last, y))

    def _weights_of(self, first: int, last: int, y: np.ndarray) -> np.ndarray | None:
        own = None if self._weights is None else self._weights[first:last]
        return checks.weights_together(own, self._class_weights, y)


def feed_of(
    network: Network,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    class_weight: Any = None,
    names: tuple[str, str] = ("x", "y"),
) -> Feed:
    """What `network` is trained or evaluated with: a user's x, y and weights, as arrays, lists or streams.

    Raises ShapeError, DataError, TypeError or ValueError for what does not fit the network.
    """
    by_class = checks.class_weights(class_weight, network.output_width if network.loss.takes_labels else None)
    if isinstance(x, Stream) or isinstance(y, Stream):
        x, y = _sized(x, names[0]), _sized(y, names[1])
        checks.sample_shape(x.shape, names[0], network.input_shape)
        checks.same_length(x, y, names)
        return StreamFeed(network, x, y, checks.sample_weights(sample_weight, len(x)), by_class, names)
    x, y = network.checked(x, y, names)
    weights = checks.weights_together(checks.sample_weights(sample_weight, len(x)), by_class, y)
    return Feed(x, y, None if weights is None else checks.some_weight(weights, "weights go"))


def feed_of_inputs(network: Network, x: Any) -> Feed:
    """What `network` predicts from. Errors as of `feed_of`."""
    if not isinstance(x, Stream):
        return Feed(network.checked_inputs(x, "x"))
    checks.sample_shape(x.shape, "x", network.input_shape)
    return StreamFeed(network, x)


def _sized(source: Any, name: str) -> Any:
    """A stream, or an array with rows; ShapeError for a single number."""
    if isinstance(source, Stream):
        return source
    source = checks.as_array(source, name)
    if not source.ndim:
        raise ShapeError(f"{name} has shape (), expected one row for each sample")
    return source


def _row_bytes(source: Any) -> int:
    if isinstance(source, Stream):
        return source.row_bytes
    return math.prod(source.shape[1:]) * source.itemsize


def part(source: Any, first: int, last: int) -> Any:
    """Rows first … last − 1 of an array or a stream, as a view or a stream of their own."""
    return source.part(first, last) if isinstance(source, Stream) else source[first:last]


def rows(source: Any, first: int, last: int) -> np.ndarray:
    """Rows first … last − 1 of an array or a stream, in memory."""
    return source.read(first, last) if isinstance(source, Stream) else source[first:last]


def _dealt(order: np.ndarray, place: int, samples: int, window: int) -> Iterator[list[tuple[int, int]]]:
    """Ranges of rows for each window: places of `place` rows in `order`, cut where a window is full."""
    ranges: list[tuple[int, int]] = []
    room = window
    for number in order.tolist():
        first, end = number * place, min((number + 1) * place, samples)
        while first < end:
            last = min(end, first + room)
            ranges.append((first, last))
            room -= last - first
            first = last
            if not room:
                yield ranges
                ranges, room = [], window
    if ranges:
        yield ranges
