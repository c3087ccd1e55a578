"""Data sources: samples in memory, streams of which a chunk is in memory at a time, batches that a user makes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastnn.common import labels, validation
from fastnn.common.errors import ShapeError
from fastnn.common.weights import balanced_weights, check_weights, class_weights, combined_weights, sample_weights
from fastnn.data.batches import BatchSource
from fastnn.data.chunk import Chunk, Expected, check_lengths, checked
from fastnn.data.stream import is_stream
from fastnn.data.streamed import StreamSource


class ArraySource:
    """Data that are in memory as a whole, and have been checked: one chunk."""

    in_memory = True
    shuffles = True  # whether samples may come in another order each epoch

    def __init__(self, everything: Chunk, copied: int = 0):
        self._everything, self._copied = everything, copied
        self.samples = len(everything)
        self.weighted = everything.sample_weight is not None

    def start(self) -> Chunk:
        """Some first samples, for what depends on dtypes alone. Of data in memory: all."""
        return self._everything

    def chunks(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Chunk]:
        """All samples. The order of the samples within a chunk is the runner's."""
        yield self._everything

    def batch(self, size: int | None) -> int:
        """The number of samples of a step; `size` None: all."""
        return min(size or self.samples, self.samples)

    def memory(self, batch: int) -> int:
        """The bytes that steps of `batch` samples take of memory, beside what the user gave: here copies of that."""
        return self._copied

    def part(self, first: int, last: int) -> "ArraySource":
        """The samples first ≤ i < last: views."""
        return ArraySource(self._everything.part(first, last))

    def cut(self, kept: int) -> "tuple[ArraySource, ArraySource]":
        """The first `kept` samples, and the others without their weights."""
        others = self._everything.part(kept, self.samples)
        return ArraySource(self._everything.part(0, kept), self._copied), ArraySource(Chunk(others.x, others.y))


Source = ArraySource | StreamSource | BatchSource


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
    if any(is_stream(one) for one in (*inputs.values(), *targets.values())):
        inputs, targets = ({name: _sized(one, name) for name, one in data.items()} for data in (inputs, targets))
        by_sample = sample_weights(sample_weight, _checked_streams(expected, inputs, targets), dtype)
        return StreamSource(expected, inputs, targets, by_sample, by_class)
    chunk = checked(expected, inputs, targets)
    weights = sample_weights(sample_weight, len(chunk), dtype)
    weights = combined_weights(weights, by_class, chunk.y[0], dtype)
    if weights is not None:
        check_weights(weights, "weights go", dtype)
    chunk = replace(chunk, sample_weight=weights)
    return ArraySource(chunk, bytes_beside(chunk, (*inputs.values(), *targets.values(), sample_weight)))


def bytes_beside(chunk: Chunk, given: Iterable[Any]) -> int:
    """The bytes of a chunk's arrays that are copies, not the memory of what a user gave."""
    of_user = [one for one in given if isinstance(one, np.ndarray)]
    own = [array for array in chunk.arrays if not any(np.may_share_memory(array, one) for one in of_user)]
    return sum(array.nbytes for array in own if array.flags.owndata)  # else a view of what a table, say, holds


def checked_batch(expected: Expected, x: Any, y: Any, sample_weight: Any = None) -> Chunk:
    """A user's x, y and weights as one batch in memory. Errors as of `source_of`; TypeError for streams."""
    inputs, targets = expected.inputs_in(x, "x"), expected.targets_in(y, "y")
    for name, one in (*inputs.items(), *targets.items()):
        if is_stream(one):
            raise TypeError(
                f"{name} is a stream, {type(one).__name__}, expected an array: fit and evaluate read streams"
            )
    chunk = checked(expected, inputs, targets)
    weights = sample_weights(sample_weight, len(chunk), expected.dtype)
    return replace(chunk, sample_weight=weights)


def _checked_streams(expected: Expected, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> int:
    """The number of samples of inputs and targets of which some are streams."""
    for number, (name, one) in enumerate(inputs.items()):
        expected.check_shape(number, one.shape, name)
    check_lengths({**inputs, **targets})
    return len(next(iter(inputs.values())))


def _class_weights(given: Any, expected: Expected, targets: Mapping[str, Any]) -> np.ndarray | None:
    if not isinstance(given, str) or expected.classes is None:
        return class_weights(given, expected.classes, expected.dtype)
    if given != "balanced":
        raise ValueError(f'class_weight is {given!r}, expected "balanced", {{label: weight}} or one number a class')
    name, y = next(iter(targets.items()))
    if is_stream(y):
        raise ValueError('class_weight="balanced" counts labels in memory, not in a stream: give {label: weight}')
    return balanced_weights(expected.checked_target(0, y, name), expected.classes)


def warn_of_split(expected: Expected, kept: Source, rest: Source) -> None:
    """Warn if the two parts into which samples in memory were cut cannot have the same classes."""
    if expected.takes_classes and kept.in_memory:
        labels.warn_of_order(kept.start().y[0], rest.start().y[0])


def are_batches(expected: Expected, x: Any, y: Any) -> bool:
    """Whether a user's x are batches (x, y) to iterate over, not samples: there is no y, and x is no array."""
    if y is not None or is_stream(x) or not isinstance(x, Iterable) or hasattr(x, "__array__"):
        return False
    if isinstance(x, str | bytes | bytearray):  # a path, say, whose letters are no batches
        return False
    if not isinstance(x, list | tuple | Mapping):
        return True
    return isinstance(x, list | tuple) and len(x) > 0 and _is_batch(expected, x[0])


def _is_batch(expected: Expected, one: Any) -> bool:
    """Whether it is a pair or triple that begins with the inputs of a batch.

    Two numbers or two rows may be samples, two arrays the two inputs of all samples.
    """
    if not isinstance(one, list | tuple) or len(one) not in (2, 3):
        return False
    x, shapes = one[0], expected.input_shapes
    if len(shapes) > 1:
        return isinstance(x, Mapping) or (isinstance(x, list | tuple) and len(x) == len(shapes))
    return isinstance(x, Mapping) or (hasattr(x, "shape") and len(x.shape) not in (0, len(shapes[0])))


def source_of_batches(
    expected: Expected, batches: Iterable[Any], steps: int | None = None, class_weight: Any = None, argument: str = ""
) -> BatchSource:
    """The source of batches that a user makes, as this `argument` of `fit`. Errors as of `source_of`."""
    if class_weight == "balanced":
        raise ValueError('class_weight="balanced" counts labels in memory, not in batches: give {label: weight}')
    return BatchSource(expected, batches, steps, _class_weights(class_weight, expected, {}), argument)


def source_of_inputs(expected: Expected, x: Any) -> Source:
    """The source of inputs alone, for predictions. Errors as of `source_of`."""
    inputs = expected.inputs_in(x, "x")
    if not any(is_stream(one) for one in inputs.values()):
        return ArraySource(checked(expected, inputs, {}))
    inputs = {name: _sized(one, name) for name, one in inputs.items()}
    _checked_streams(expected, inputs, {})
    return StreamSource(expected, inputs, {})


def _sized(source: Any, name: str) -> Any:
    """A stream, or an array with rows; ShapeError for a single number."""
    if is_stream(source):
        return source
    source = validation.as_array(source, name)
    if not source.ndim:
        raise ShapeError(f"{name} has shape (), expected one row for each sample")
    return source
