"""Compiled steps that a model keeps between calls: a loop of a user's own pays for compiling once."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.common.validation import all_finite
from fastnn.data.chunk import Chunk
from fastnn.data.source import Source
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.step import Step

SMALL_BYTES = 1 << 16  # of data that are copied, which takes 23 µs; not to bind them anew saves 60 (Zen 3)
MOST = 8  # of a key that comes anew each time, such as an optimizer, a model must not keep all


class KeptRunner(Runner):
    """A runner that is kept. A batch, or data that are small, are copied to arrays of its own, which stay bound.

    To bind arrays and to let go of them takes longer than a small net takes for a sample.
    """

    def __init__(self, step: Step):
        super().__init__(step)
        self._own: list[np.ndarray] = []  # x, y and, where there are, weights; with room for more samples
        self._alike: list[tuple[tuple[int, ...], np.dtype]] = []  # of their samples; [] while they are not bound

    def take(self, chunk: Chunk, dropout_key: np.ndarray, scalars: np.ndarray | None = None) -> None:
        """Run one step on exactly this batch. scalars: as of `advance`, (1, s)."""
        self._begin(chunk, dropout_key)
        self.advance(scalars=None if scalars is None else lambda steps: scalars)

    def take_again(self, x: np.ndarray) -> bool:
        """Run the step on x if it has the dtype and the sample shape of the last call's inputs; whether that was done.

        False, too, if a number is not finite, which is seen here, or an id is out of range, which the step sees: where
        the check of the inputs is the usual one, it would ask no more of x. To check x anew took four times as long as
        the rest of a prediction of one sample.
        """
        batch, program = len(x) if x.ndim else 0, self.step.program
        if not 0 < batch <= self.step.batch or not self._has_room([x]) or program.may_use_threads(batch):
            return False
        own = self._own[0][:batch]
        own[...] = x
        if not all_finite(own, self.step.inputs.x[0].dtype):
            return False
        self.start_again(None, batch)
        self.set_up_call(batch, None)
        program.run(1, batch)
        return not any(np.count_nonzero(wrong) for _, wrong in self._wrong)

    def chunks(self, source: Source, **keywords: Any) -> Iterator[Chunk]:
        small = source.in_memory and not keywords and _bytes_of(source.start()) <= SMALL_BYTES
        if small:
            self._begin(source.start())
            yield source.start()
        else:
            self._alike = []
            yield from super().chunks(source, **keywords)

    def release(self) -> None:
        if not self._alike:
            super().release()

    def _begin(self, chunk: Chunk, dropout_key: np.ndarray | None = None) -> None:
        """Begin a pass over a copy of these samples."""
        if not self._has_room(chunk.arrays):
            self._alike = []  # until they are bound: Ctrl-C may come before that
            # Room for as many samples as are small data: more of them then need no other arrays.
            rows = max(len(chunk), min(self.step.batch, SMALL_BYTES * len(chunk) // max(1, _bytes_of(chunk))))
            self._own = [np.zeros((rows, *array.shape[1:]), array.dtype) for array in chunk.arrays]
            self.start(self._as_chunk(len(chunk.x), len(chunk.y)))
            self._alike = _samples_of(chunk.arrays)
        for own, array in zip(self._own, chunk.arrays, strict=True):
            own[: len(array)] = array
        self.start_again(dropout_key, len(chunk))

    def _has_room(self, arrays: Sequence[np.ndarray]) -> bool:
        """Whether the runner's own arrays, which are bound, take these."""
        return self._alike == _samples_of(arrays) and len(arrays[0]) <= len(self._own[0])

    def _as_chunk(self, inputs: int, outputs: int) -> Chunk:
        both = inputs + outputs
        weights = self._own[both] if len(self._own) > both else None
        return Chunk(tuple(self._own[:inputs]), tuple(self._own[inputs:both]), weights)


def _samples_of(arrays: Sequence[np.ndarray]) -> list[tuple[tuple[int, ...], np.dtype]]:
    """The shape of a sample and the dtype of each array."""
    return [(array.shape[1:], array.dtype) for array in arrays]


def _bytes_of(chunk: Chunk) -> int:
    """The bytes of a chunk's arrays."""
    return sum(array.nbytes for array in chunk.arrays)


class KeptSteps:
    """The runners of a model by what they are for. The oldest is forgotten where there would be more than MOST."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Any, tuple[Any, ...]]] = {}

    def passing(self, key: Hashable, samples: int, compile_step: Callable[[int], Step]) -> KeptRunner:
        """The runner of a step that is taken through data, compiled where there is none yet."""
        return self._found(key, samples, lambda: KeptRunner(compile_step(samples)))

    def last(self, key: Hashable) -> KeptRunner | None:
        """The runner that `passing` gave for this key last, if it is still kept."""
        return self._kept.get(key, (None,))[0]

    def batch(
        self, key: Hashable, samples: int, compile_step: Callable[[int], Step], holds: tuple[Any, ...] = ()
    ) -> KeptRunner:
        """The runner of a step for batches of at least `samples` samples, compiled where there is none yet.

        holds : objects that must be the same as when the step was compiled, such as an optimizer and its state
        """
        return self._found(key, samples, lambda: KeptRunner(compile_step(samples)), holds)

    def _found(self, key: Hashable, samples: int, make: Callable[[], Any], holds: tuple[Any, ...] = ()) -> Any:
        runner, held = self._kept.get(key, (None, ()))
        same = len(held) == len(holds) and all(one is other for one, other in zip(held, holds, strict=True))
        if runner is None or not same or runner.step.batch < samples:
            self._kept.pop(key, None)
            if len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            runner = make()
            self._kept[key] = runner, holds
        return runner
