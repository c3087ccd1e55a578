"""Data sources: samples in memory, or streams of which a chunk is in memory at a time.

A stream is shuffled in two steps: blocks of about 1 MB come in random order, then the samples within a buffer of about
16 MB. Sixteen blocks in a buffer mix files that are sorted by class well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from fastnn.common import labels, random, validation
from fastnn.common.errors import ShapeError
from fastnn.data.stream import Stream, part, row_bytes, rows

SHUFFLE_BUFFER_BYTES = 16 << 20
SHUFFLE_BLOCK_BYTES = 1 << 20


class Expected(Protocol):
    """What a network expects of its data, and the checks of it. They raise ShapeError, TypeError or DataError.

    classes      how many, if the targets of its only output are labels
    takes_classes
                 whether these are labels, or the numbers 0 and 1
    dtype        of the arithmetic: what is checked has no number that it cannot hold
    input_shapes of one sample of each input
    inputs_in, targets_in
                 a user's data for each input, his targets for each output, under the names that messages call them
    checked_input, checked_target
                 one of these as kernels take it; by its number
    """

    dtype: np.dtype

    @property
    def classes(self) -> int | None: ...

    @property
    def takes_classes(self) -> bool: ...

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]: ...

    def inputs_in(self, x: Any, what: str) -> dict[str, Any]: ...

    def targets_in(self, y: Any, what: str) -> dict[str, Any]: ...

    def checked_input(self, number: int, x: Any, what: str) -> np.ndarray: ...

    def checked_target(self, number: int, y: Any, what: str) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Chunk:
    """The part of the data that is in memory: the samples of each input, the targets of each output, sample weights."""

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray, ...] = ()
    sample_weight: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.x[0])

    def part(self, first: int, last: int) -> "Chunk":
        """The samples first ≤ i < last: views."""
        weights = None if self.sample_weight is None else self.sample_weight[first:last]
        return Chunk(tuple(x[first:last] for x in self.x), tuple(y[first:last] for y in self.y), weights)


class ArraySource:
    """Data that are in memory as a whole, and have been checked: one chunk."""

    in_memory = True

    def __init__(self, everything: Chunk):
        self._everything = everything
        self.samples = len(everything)
        self.weighted = everything.sample_weight is not None

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
        others = self._everything.part(kept, self.samples)
        return ArraySource(self._everything.part(0, kept)), ArraySource(Chunk(others.x, others.y))


class StreamSource:
    """Data with at least one stream: chunks of whole batches, read while training goes on.

    x, y           streams or arrays, of equal length, under the names that messages call them
    sample_weight  (N,), and class_weight by label: they are multiplied

    Each chunk is checked when it has been read: errors as those of `Expected`.
    """

    in_memory = False

    def __init__(
        self,
        expected: Expected,
        x: Mapping[str, Any],
        y: Mapping[str, Any],
        sample_weight: np.ndarray | None = None,
        class_weight: np.ndarray | None = None,
    ):
        self._expected = expected
        self._x, self._y = x, y
        self._sample_weight, self._class_weight = sample_weight, class_weight
        self.samples = len(next(iter(x.values())))
        self.weighted = sample_weight is not None or class_weight is not None

    def start(self) -> Chunk:
        return self._read(0, 1)

    def whole_batch(self) -> int:
        raise ValueError("batch_size=None takes all samples at once, which a stream is not made for: give a number")

    def cut(self, kept: int) -> "tuple[Source, Source]":
        weights = None if self._sample_weight is None else self._sample_weight[:kept]
        return self._of(0, kept, weights, self._class_weight), self._of(kept, self.samples, None, None)

    def _of(self, first: int, last: int, weights: np.ndarray | None, by_class: np.ndarray | None) -> "StreamSource":
        x, y = ({name: part(one, first, last) for name, one in data.items()} for data in (self._x, self._y))
        return StreamSource(self._expected, x, y, weights, by_class)

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
        largest = max((source for source in sources if isinstance(source, Stream)), key=row_bytes)
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
                    buffers[i][filled : filled + len(array)] = array
            filled += last - first
        arrays = [buffers[i][:filled] if i in buffers else None for i in range(len(self._x) + len(self._y) + 1)]
        *data, weights = arrays
        return Chunk(tuple(data[: len(self._x)]), tuple(data[len(self._x) :]), weights)  # type: ignore[arg-type]

    def _read(self, first: int, last: int) -> Chunk:
        """The rows first ≤ i < last, checked."""
        where = f" (counted from its row {first})" if first else ""
        x, y = (
            tuple(check(i, rows(one, first, last), name + where) for i, (name, one) in enumerate(data.items()))
            for data, check in ((self._x, self._expected.checked_input), (self._y, self._expected.checked_target))
        )
        return Chunk(x, y, self._weights_of(first, last, y[0]) if y else None)

    def _weights_of(self, first: int, last: int, y: np.ndarray) -> np.ndarray | None:
        own = None if self._sample_weight is None else self._sample_weight[first:last]
        return validation.combined_weights(own, self._class_weight, y, self._expected.dtype)


Source = ArraySource | StreamSource


def source_of(
    expected: Expected,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    class_weight: Any = None,
    names: tuple[str, str] = ("x", "y"),
) -> Source:
    """The source of a user's x, y and weights: arrays, lists or streams; several inputs or outputs by name.

    Raises ShapeError, DataError, TypeError or ValueError for data that are not as expected.
    """
    dtype = expected.dtype
    inputs, targets = expected.inputs_in(x, names[0]), expected.targets_in(y, names[1])
    by_class = _class_weights(class_weight, expected, targets)
    if any(isinstance(one, Stream) for one in (*inputs.values(), *targets.values())):
        inputs, targets = ({name: _sized(one, name) for name, one in data.items()} for data in (inputs, targets))
        by_sample = validation.sample_weights(sample_weight, _checked_streams(expected, inputs, targets), dtype)
        return StreamSource(expected, inputs, targets, by_sample, by_class)
    chunk = checked(expected, inputs, targets)
    weights = validation.sample_weights(sample_weight, len(chunk), dtype)
    weights = validation.combined_weights(weights, by_class, chunk.y[0], dtype)
    if weights is not None:
        validation.check_weights(weights, "weights go", dtype)
    return ArraySource(replace(chunk, sample_weight=weights))


def checked(expected: Expected, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> Chunk:
    """Inputs and targets of equal length as kernels take them. They are called by their names in messages."""
    x = {name: expected.checked_input(i, one, name) for i, (name, one) in enumerate(inputs.items())}
    y = {name: expected.checked_target(i, one, name) for i, (name, one) in enumerate(targets.items())}
    _check_lengths(x | y)
    return Chunk(tuple(x.values()), tuple(y.values()))


def checked_batch(expected: Expected, x: Any, y: Any) -> Chunk:
    """A user's x and y as one batch in memory. Errors as of `source_of`."""
    return checked(expected, expected.inputs_in(x, "x"), expected.targets_in(y, "y"))


def _check_lengths(data: Mapping[str, Any]) -> None:
    (first, one), *others = data.items()
    for name, other in others:
        validation.check_same_length(one, other, (first, name))


def _checked_streams(expected: Expected, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> int:
    """The number of samples of inputs and targets of which some are streams."""
    for (name, one), shape in zip(inputs.items(), expected.input_shapes, strict=True):
        validation.check_sample_shape(one.shape, name, shape)
    _check_lengths({**inputs, **targets})
    return len(next(iter(inputs.values())))


def _class_weights(given: Any, expected: Expected, targets: Mapping[str, Any]) -> np.ndarray | None:
    if not isinstance(given, str) or expected.classes is None:
        return validation.class_weights(given, expected.classes, expected.dtype)
    if given != "balanced":
        raise ValueError(f'class_weight is {given!r}, expected "balanced", {{label: weight}} or one number a class')
    name, y = next(iter(targets.items()))
    if isinstance(y, Stream):
        raise ValueError('class_weight="balanced" counts labels in memory, not in a stream: give {label: weight}')
    return labels.balanced_weights(expected.checked_target(0, y, name), expected.classes)


def warn_of_split(expected: Expected, kept: Source, rest: Source) -> None:
    """Warn if the two parts into which samples in memory were cut cannot have the same classes."""
    if expected.takes_classes and kept.in_memory:
        labels.warn_of_order(kept.start().y[0], rest.start().y[0])


def source_of_inputs(expected: Expected, x: Any) -> Source:
    """The source of inputs alone, for predictions. Errors as of `source_of`."""
    inputs = expected.inputs_in(x, "x")
    if not any(isinstance(one, Stream) for one in inputs.values()):
        return ArraySource(checked(expected, inputs, {}))
    inputs = {name: _sized(one, name) for name, one in inputs.items()}
    _checked_streams(expected, inputs, {})
    return StreamSource(expected, inputs, {})


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
