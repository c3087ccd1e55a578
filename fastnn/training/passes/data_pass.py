"""Where a compiled step has come to in the data, and what it has recorded on the way."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError
from fastnn.data.chunk import Chunk
from fastnn.data.source import Source
from fastnn.data.streamed import StreamSource
from fastnn.engine.builder import DROPOUT_KEY_WORDS
from fastnn.engine.memory import Buffer
from fastnn.training.history.step_log import StepLog
from fastnn.training.steps.step import Step
from fastnn_kernels.batch import ROUNDS


class DataPass:
    """A pass of a step over data, in batches of `step.batch` samples, the last one shorter. It runs nothing itself.

    `start` begins a pass over data in memory, `chunks` one over any source.
    """

    def __init__(self, step: Step):
        self.step = step
        self._log = StepLog(step.loss.reduction == "mean", step.trains, step.figures)
        self._wrong = [(source.name, step.program[wrong]) for source, wrong in step.inputs.wrong.items()]
        self._nothing: dict[np.dtype, np.ndarray] = {}
        self._samples = self._until = 0  # of the whole pass; where the arrays at hand end
        self._chunk = 0  # the number of the one at hand

    def start(
        self,
        chunk: Chunk,
        *,
        order_key: np.ndarray | None = None,
        dropout_key: np.ndarray | None = None,
        passes: int = 1,
        samples: int | None = None,
    ) -> None:
        """Begin a pass over the data.

        order_key    chooses the order of the samples
        dropout_key  chooses the random numbers of this pass
        passes       where each step takes all samples: how many steps there are
        samples      of the whole pass, where the chunk holds only its first ones, whole batches of them
        """
        assert passes == 1 or self.step.full_batch
        self._samples = (samples or len(chunk)) * passes
        self._log.begin(-(-self._samples // self.step.batch))
        self._bind_log()
        self._rewind(dropout_key)
        self._bind(chunk, order_key, len(chunk) * passes)
        if self.step.full_batch:
            self._gather_all(len(chunk))

    def _gather_all(self, samples: int) -> None:
        """Where each step takes all samples: gather them, once."""
        self.step.program.begin(samples)

    def start_again(self, dropout_key: np.ndarray | None, samples: int) -> None:
        """Begin a pass over the first samples of the arrays of the last one, with other numbers: binds nothing anew."""
        assert not self.step.full_batch
        self._samples = self._until = samples
        self._log.begin(len(self._log.losses))
        self._rewind(dropout_key)

    def _rewind(self, dropout_key: np.ndarray | None) -> None:
        self.step.program[self.step.inputs.cursor][:] = 0
        for _, wrong in self._wrong:
            wrong.fill(0)
        if dropout_key is not None:
            self.step.program[self.step.inputs.dropout_key][:] = dropout_key

    def _bind_log(self) -> None:
        written = self.step.inputs.losses, self.step.inputs.sums
        self.step.program.bind(dict(zip(written, self._log.arrays(), strict=True)))

    def chunks(
        self,
        source: Source,
        *,
        seed: int | None = None,
        epoch: int = 0,
        passes: int = 1,
        position: Mapping[str, Any] | None = None,
    ) -> Iterator[Chunk]:
        """Pass over all data of a source; yields each chunk. Then `advance` until `next_batch` is 0.

        With a seed random numbers are drawn, and samples shuffled if the step does that, by seed and epoch.

        position : where an interrupted pass had come to, as `position` gave it: what came before is not read
        """
        first = 0 if position is None else int(position["chunk"])
        number = -1  # of the last one that there was
        numbered = enumerate(self._chunks_of(source, seed if self.step.shuffles else None, epoch, first), first)
        for number, chunk in numbered:
            key = None if seed is None else order_key(seed, epoch, number)
            if number > first:
                self._next_chunk(chunk, key)
            else:
                dropout_key = None if seed is None else random.key(seed, "noise", epoch, words=DROPOUT_KEY_WORDS)
                keys = {"order_key": key, "dropout_key": dropout_key}
                self.start(chunk, **keys, passes=passes, samples=source.samples)
                if position is not None:
                    self._resume(position)
            self._chunk = number
            yield chunk
        if position is not None and number < first:
            raise DataError(f"cannot go on in chunk {first} of the data, of which there are fewer")

    def _chunks_of(self, source: Source, seed: int | None, epoch: int, first: int) -> Iterator[Chunk]:
        """The chunks of a pass from the one with this number on."""
        if isinstance(source, StreamSource):
            return source.chunks(self.step.batch, seed, epoch, first)
        return itertools.islice(source.chunks(self.step.batch, seed, epoch), first, None)

    def position(self) -> dict[str, Any]:
        """How far the pass has come, and what it has recorded."""
        losses, sums = (array[: self.steps_done].copy() for array in self._log.arrays())
        cursor = self.step.program[self.step.inputs.cursor].copy()
        return {"chunk": self._chunk, "cursor": cursor, "losses": losses, "sums": sums}

    def _resume(self, position: Mapping[str, Any]) -> None:
        """Go on in the chunk at hand where an interrupted pass had come to."""
        self._until += int(position["cursor"][3]) - self.samples_done
        if int(position["cursor"][0]) > self._until:
            raise DataError(f"cannot go on at sample {position['cursor'][0]}: this chunk ends at {self._until}")
        self.step.program[self.step.inputs.cursor][:] = position["cursor"]
        self._log.resume(position["losses"], position["sums"])
        self._bind_log()

    def _next_chunk(self, chunk: Chunk, order_key: np.ndarray | None) -> None:
        self.step.program[self.step.inputs.cursor][3] = self.samples_done
        if self._log.extend(self.steps_done + -(-len(chunk) // self.step.batch)):
            self._bind_log()
        self._bind(chunk, order_key, len(chunk))

    def _bind(self, chunk: Chunk, order_key: np.ndarray | None, uses: int) -> None:
        """Hand the program the arrays that it gathers from; `uses`: the number of samples to take of them."""
        inputs, first = self.step.inputs, chunk.x[0]
        arrays: dict[Buffer, np.ndarray | int] = {inputs.count: len(chunk)}
        arrays |= {buffer: x.reshape(len(x), -1) for buffer, x in zip(inputs.x, chunk.x, strict=True)}
        arrays |= dict(zip(inputs.y, chunk.y or [self._or_nothing(None, first)] * len(inputs.y), strict=True))
        self.step.program.bind(arrays | {inputs.weights: self._or_nothing(chunk.sample_weight, first)})
        if order_key is not None:
            self.step.program[inputs.order_key][:] = order_key
        self._until = self.samples_done + uses

    def _or_nothing(self, array: np.ndarray | None, x: np.ndarray) -> np.ndarray:
        """`array`, or an array without elements: always the same one, so that no table is written anew."""
        if array is not None:
            return array
        return self._nothing.setdefault(x.dtype, np.zeros(0, x.dtype))

    def release(self) -> None:
        """Let go of the data: a runner that is kept must not keep a user's arrays alive."""
        self.step.program.unbind()

    def release_memory(self) -> None:
        """Let go of the data and of the memory of a batch, before a time in which this step does not run.

        The layers' outputs for the last batch of a training stay, because callbacks may ask for them.
        """
        self.release()
        values = self.step.values.values() if self.step.trains else ()
        self.step.program.give_back({value.buffer for value in values})

    def _check_ids(self) -> None:
        """DataError if ids or labels that were checked are out of range now: kernels took the nearest ones instead."""
        for name, wrong in self._wrong:
            if np.count_nonzero(wrong):
                raise DataError(
                    f"{name} changed while it was used: numbers in it that were checked are out of range now; "
                    "give a copy of an array that something else writes to"
                )

    @property
    def losses(self) -> np.ndarray:
        """The loss of each step of the pass so far, penalties included, float64; 0 for steps to come."""
        return self._log.losses

    @property
    def samples_done(self) -> int:
        """The number of samples used so far in this pass."""
        return int(self.step.program[self.step.inputs.cursor][0])

    @property
    def steps_done(self) -> int:
        """The number of steps taken so far in this pass."""
        return int(self.step.program[self.step.inputs.cursor][1])

    @property
    def next_batch(self) -> int:
        """The number of samples of the next step; 0 where those at hand are used up."""
        return min(self.step.batch, self._until - self.samples_done)

    @ieee
    def metrics(self) -> dict[str, float]:
        """Loss and metrics of all samples used so far."""
        return self._log.metrics(self.steps_done)

    @ieee
    def metrics_by(self, steps: int, first: int, last: int) -> list[dict[str, float]]:
        """Loss and metrics of the samples of each `steps` steps of the pass, from the step `first` to before `last`."""
        return self._log.metrics_by(steps, first, last)

    def record(self) -> np.ndarray:
        """What the steps of the pass so far have recorded beside their losses, (steps, columns): a view."""
        return self._log.arrays()[1][: self.steps_done]

    @ieee
    def metrics_of_record(self, record: np.ndarray) -> dict[str, float]:
        """Loss and metrics of the samples of steps that recorded so, here or on other ranks."""
        return self._log.metrics_of(record)

    def state_arrays(self) -> list[np.ndarray]:
        """The arrays that hold how far the pass has come and what it has recorded."""
        return [self.step.program[self.step.inputs.cursor], *self._log.arrays()]


def order_key(seed: int, epoch: int, chunk: int) -> np.ndarray:
    """The key that chooses the order of a chunk's samples. Data in memory are the chunk 0."""
    return random.key(seed, "order", epoch, *([chunk] if chunk else []), words=2 * ROUNDS)
