"""Takes a compiled step through data, batch by batch."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.common import bfloat16, random
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError, FastnnError
from fastnn.data.chunk import Chunk
from fastnn.data.source import Source
from fastnn.data.streamed import StreamSource
from fastnn.engine.autotune import ThreadTuner
from fastnn.engine.builder import DROPOUT_KEY_WORDS
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import Block
from fastnn.engine.program import Program
from fastnn.engine.threads import usable_threads
from fastnn.training.scalars import STEPS_PER_CALL
from fastnn.training.step import Step
from fastnn.training.step_log import StepLog
from fastnn_kernels.batch import ROUNDS

# Signals and callbacks are looked at between compiled calls; a person notices delays from about 100 ms.
SECONDS_PER_CALL = 0.05


class Runner:
    """Runs a step on batches of `step.batch` samples, the last one shorter, and says what it recorded.

    `start` begins a pass over data in memory, `chunks` one over any source. Then `advance` runs steps until
    `next_batch` is 0.
    """

    def __init__(self, step: Step):
        self.step = step
        self._log = StepLog(step.loss.reduction == "mean", step.trains, step.figures)
        self._wrong = [(source.name, step.program[wrong]) for source, wrong in step.inputs.wrong.items()]
        self._tuner = ThreadTuner()
        self._nothing: dict[np.dtype, np.ndarray] = {}
        self._samples = self._until = 0  # of the whole pass; where the arrays at hand end
        self._chunk = 0  # the number of the one at hand
        self._last_batch = 0
        self._weights_are_of = 0  # the batch size whose equal weights are set

    @property
    def bytes_of_messages(self) -> int:
        """What exchanges with other processes take of memory: here there are none."""
        return 0

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
        assert passes == 1 or self.step.whole
        self._samples = (samples or len(chunk)) * passes
        self._log.begin(-(-self._samples // self.step.batch))
        self._bind_log()
        self._rewind(dropout_key)
        self._bind(chunk, order_key, len(chunk) * passes)
        if self.step.whole:
            self._gather_all(len(chunk))

    def _gather_all(self, samples: int) -> None:
        """Where each step takes all samples: gather them, once."""
        self.step.program.begin(samples)

    def start_again(self, dropout_key: np.ndarray) -> None:
        """Begin another pass over the arrays of the last one, whose numbers may be others now: binds nothing anew."""
        assert not self.step.whole
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

    def prepare(self) -> None:
        """Compile, or load from disk, the kernels that the pass needs."""
        most = self.step.batch * self.step.block
        for size in {min(most, self._samples), self._samples % most} - {0}:
            self.step.program.prepare(size, usable_threads())

    @ieee
    def advance(self, limit: int | None = None, scalars: Callable[[int], np.ndarray] | None = None) -> int:
        """Run the next steps, as many as fit into 50 ms and `limit`. Returns their number, 0 at the end of the data.

        scalars : (steps) -> what the optimizer's kernel reads in each of the steps, (steps, s)
        """
        batch, program = self._run_size(limit), self.step.program
        if batch <= 0:
            return 0
        most = self.step.batch * self.step.block
        block = -(-batch // self.step.batch)  # steps of one run of the program
        runs = (self._until - self.samples_done) // batch if batch == most else 1
        threads = usable_threads() if program.uses_threads(batch, usable_threads()) else 1
        threads, fitting = self._tuner.choose(threads, SECONDS_PER_CALL)
        runs = min(runs, fitting, (limit or STEPS_PER_CALL) // block, STEPS_PER_CALL // block)
        steps = runs * block
        self.set_up_call(batch, scalars(steps) if scalars is not None else None)
        program.prepare(batch, threads)
        begin = time.perf_counter()
        program.run(runs, batch, threads)
        self._check_ids()
        if batch == most:  # the last, shorter batch tells nothing about the others
            self._tuner.ran(threads, runs, time.perf_counter() - begin)
        return steps

    def _check_ids(self) -> None:
        """DataError if ids or labels that were checked are out of range now: kernels took the nearest ones instead."""
        for name, wrong in self._wrong:
            if np.count_nonzero(wrong):
                raise DataError(
                    f"{name} changed while it was used: numbers in it that were checked are out of range now; "
                    "give a copy of an array that something else writes to"
                )

    def _run_size(self, limit: int | None) -> int:
        """The number of samples of the next run of the program.

        A block ends early only where the data or `limit` end: so its rounding does not depend on time.
        """
        block = min(self.step.block, limit or self.step.block)
        return min(self.step.batch * block, self._until - self.samples_done)

    def set_up_call(self, batch: int, scalars: np.ndarray | None) -> None:
        """Write what the steps of one call read: the optimizer's scalars (steps, s), the weights of the samples."""
        inputs, program = self.step.inputs, self.step.program
        if scalars is not None and inputs.scalars is not None:
            program[inputs.scalars][: len(scalars)] = scalars
        program[inputs.cursor][2] = 0
        self.set_weights(batch)

    def set_weights(self, batch: int) -> None:
        """Give the samples of steps of so many of them equal weights, unless they have weights of their own."""
        inputs, program = self.step.inputs, self.step.program
        self._last_batch = batch
        if not self.step.weighted and self._weights_are_of != batch:
            program[inputs.sample_weight][:] = 1
            program[inputs.loss_weight][:] = self.step.loss.sample_weight(min(batch, self.step.batch))
            self._weights_are_of = batch

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

    @property
    def gradients(self) -> Block:
        """The gradients of the last step, by parameter. FastnnError where none are computed, or none kept."""
        if self.step.gradients is None:
            raise FastnnError("this step computes no gradients")
        if self.step.fused:
            raise FastnnError("gradients are used where they arise and not kept: set reads_gradients on the callback")
        return self.step.gradients

    def layer_outputs(self) -> dict[str, np.ndarray]:
        """The inputs and the output of each layer, by name, of the batch that ran last: views."""
        return {name: self.step.array(value, self._last_batch) for name, value in self.step.values.items()}

    def predictions(self, batch: int) -> list[np.ndarray]:
        """The predictions of each output for the batch that ran last, (batch, scores), views."""
        return [self.step.array(output, batch) for output in self.step.outputs]

    @ieee
    def first_not_finite(self, scalars: np.ndarray) -> str:
        """Run the next step operation by operation; where the first NaN or infinity appears, in words."""
        batch = self.next_batch
        self.set_up_call(batch, scalars[None])
        step = self._layered() if self.step.layered is not None else self.step
        return first_not_finite(step.program, batch, step.names) or "nowhere"

    def _layered(self) -> Step:
        """The same step layer by layer, where this one has come to."""
        assert self.step.layered is not None
        ours, step = self.step, self.step.layered()
        step.program.take_over(dict(zip(ours.inputs.bound, step.inputs.bound, strict=True)), ours.program)
        step.program.begin(step.batch)  # at the beginning of the pass: it gathers all samples where a step takes all
        for mine, its in zip(ours.inputs.written, step.inputs.written, strict=True):
            target = step.program[its]
            target[...] = ours.program[mine][: len(target)]  # ours may hold those of several steps
        return step


def first_not_finite(program: Program, batch: int, names: Mapping[int, str]) -> str:
    """Where the first NaN or infinity appears while a program runs operation by operation, in words; "": nowhere."""
    for op, operand, array in program.trace(batch):
        # A buffer of uint16 holds a user's data; any other such array is state in bfloat16.
        data = isinstance(operand, Buffer) and array.dtype.kind != "f"
        if not data and not bfloat16.is_finite(array):
            named = operand.name if isinstance(operand, Buffer) else names.get(id(operand), "parameters")
            return f"in {op.owner}: {named}, written by {op.kernel.name}"
    return ""


def order_key(seed: int, epoch: int, chunk: int) -> np.ndarray:
    """The key that chooses the order of a chunk's samples. Data in memory are the chunk 0."""
    return random.key(seed, "order", epoch, *([chunk] if chunk else []), words=2 * ROUNDS)
