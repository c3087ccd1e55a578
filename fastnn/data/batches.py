"""Batches that a user makes: a generator, a list, or another library's loader, read while training goes on."""

import itertools
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.weights import combined_weights, sample_weights
from fastnn.data.chunk import Chunk, Expected, checked

# Batches that come into memory together: a compiled call takes many steps. But nobody waits for slow ones.
TOGETHER_BYTES = 4 << 20
TOGETHER_SECONDS = 0.1


class BatchSource:
    """Batches (x, y) or (x, y, sample_weight), a step each, in the order in which they come.

    batches       anything to iterate over. What can be iterated over once only goes on in the next epoch
    steps         batches of an epoch; None: as many as a pass gives
    class_weight  (classes,), multiplied with the weights of the samples
    argument      of which argument of `fit` they are, where messages must say so

    comes_once    whether a pass over them uses them up

    The first batch is the largest: others have at most as many samples. A batch is copied and checked when it comes;
    errors as those of `Expected`, with the number of the batch.
    """

    in_memory = False
    shuffles = False

    def __init__(
        self,
        expected: Expected,
        batches: Iterable[Any],
        steps: int | None = None,
        class_weight: np.ndarray | None = None,
        argument: str = "",
    ):
        self._expected, self._batches, self._steps, self._class_weight = expected, batches, steps, class_weight
        self._of = f" of {argument}" if argument else ""
        self.comes_once = iter(batches) is batches
        self._iterator: Iterator[Any] | None = iter(batches)
        first = next(self._iterator, None)
        if first is None:
            raise DataError(f"there is no batch{self._of}, expected at least one (x, y)")
        self._pending = [first]  # read already, but not trained on
        self.weighted = class_weight is not None or len(self._parts(first, 0)) == 3
        self._first = self._read(first, 0)

    @property
    def samples(self) -> int:
        """At most how many samples an epoch has; 0: unknown."""
        known = len(self._batches) if isinstance(self._batches, Sized) else 0
        return (self._steps or known) * len(self._first)

    def start(self) -> Chunk:
        return self._first

    def memory(self, batch: int) -> int:
        """The bytes that they take of memory: those of a chunk one by one, and joined."""
        one = sum(array.nbytes for array in self._first.arrays)
        return one + 2 * (min(TOGETHER_BYTES, self.samples // len(self._first) * one or TOGETHER_BYTES) + one)

    def batch(self, size: int | None) -> int:
        """The number of samples of a step: that of the first batch, whatever `size`."""
        return len(self._first)

    def chunks(self, batch: int, seed: int | None = None, epoch: int = 0) -> Iterator[Chunk]:
        """The batches of an epoch, several in a chunk. Within a chunk all have `batch` samples, but for the last."""
        group, counts = _Group(), not self.weighted
        for number, one in enumerate(self._pass()):
            read = self._read(one, number)
            counts = counts or bool(np.any(read.sample_weight))
            if group.parts and not group.takes(read):
                yield group.joined()
                group = _Group()
            group.parts.append(read)
            if len(read) < batch or group.is_full:
                yield group.joined()
                group = _Group()
        if group.parts:
            yield group.joined()
        if not counts:
            raise DataError(f"the weights of all samples of these batches{self._of} are 0, expected some above 0")

    def _pass(self) -> Iterator[Any]:
        """The batches of one epoch, as they come."""
        iterator = self._iterator if self._iterator is not None else iter(self._batches)
        together = itertools.chain(self._pending, iterator)
        self._iterator, self._pending = (iterator if self.comes_once else None), []
        count = 0
        for one in itertools.islice(together, self._steps):
            count += 1
            yield one
        if not count:
            raise DataError(
                f"the batches{self._of} are used up: what can be iterated over only once lasts for one pass; give a "
                "list or a loader that begins anew, or steps_per_epoch"
            )

    def _read(self, one: Any, number: int) -> Chunk:
        """A copy of a batch: a generator may fill the same arrays again."""
        x, y, *weights = self._parts(one, number)
        batch = f"batch {number}{self._of}"
        if not weights and self.weighted and self._class_weight is None:
            raise DataError(f"{batch} has no sample_weight, but the first has; expected (x, y, sample_weight)")
        if weights and not self.weighted:
            raise DataError(f"{batch} has a sample_weight, but the first has none; expected (x, y)")
        where = f" of {batch}"
        inputs, targets = self._expected.inputs_in(x, "x" + where), self._expected.targets_in(y, "y" + where)
        chunk = checked(self._expected, inputs, targets)
        if number and len(chunk) > len(self._first):
            raise DataError(
                f"{batch} has {len(chunk)} samples, the first has {len(self._first)}; expected at most as many"
            )
        given, dtype = weights[0] if weights else None, self._expected.dtype
        by_sample = sample_weights(given, len(chunk), dtype, "sample_weight" + where, is_all=False)
        all_weights = combined_weights(by_sample, self._class_weight, chunk.y[0], dtype)
        return Chunk(tuple(map(np.copy, chunk.x)), tuple(map(np.copy, chunk.y)), all_weights)

    def _parts(self, batch: Any, number: int) -> tuple[Any, ...]:
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise DataError(f"batch {number}{self._of} is {told(batch)}, expected (x, y) or (x, y, sample_weight)")
        return tuple(batch)


class _Group:
    """Batches that will be one chunk."""

    def __init__(self) -> None:
        self.parts: list[Chunk] = []
        self._begin = time.perf_counter()

    def takes(self, other: Chunk) -> bool:
        """Whether a batch has arrays of the same dtypes as those before it."""
        return [array.dtype for array in other.arrays] == [array.dtype for array in self.parts[-1].arrays]

    @property
    def is_full(self) -> bool:
        size = sum(array.nbytes for part in self.parts for array in part.arrays)
        return size >= TOGETHER_BYTES or time.perf_counter() - self._begin > TOGETHER_SECONDS

    def joined(self) -> Chunk:
        if len(self.parts) == 1:
            return self.parts[0]
        x = tuple(map(np.concatenate, zip(*(part.x for part in self.parts), strict=True)))
        y = tuple(map(np.concatenate, zip(*(part.y for part in self.parts), strict=True)))
        weights = [part.sample_weight for part in self.parts if part.sample_weight is not None]
        return Chunk(x, y, np.concatenate(weights) if weights else None)


def told(given: Any) -> str:
    """What messages call an object that should be a batch: its type, and how many parts it has."""
    kind = type(given).__name__
    return f"a {kind} of {len(given)}" if isinstance(given, list | tuple) else kind
