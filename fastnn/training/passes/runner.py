"""Runs a compiled step on the batches of a pass over data, many of them in one compiled call."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from fastnn.common import bfloat16
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import FastnnError
from fastnn.engine.autotune import ThreadTuner
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.program import Program
from fastnn.engine.threads import usable_threads
from fastnn.training.passes.data_pass import DataPass
from fastnn.training.steps.scalars import STEPS_PER_CALL
from fastnn.training.steps.step import Step

# Signals and callbacks are looked at between compiled calls; a person notices delays from about 100 ms.
SECONDS_PER_CALL = 0.05


class Runner(DataPass):
    """Runs a step on the batches of a pass: `advance` runs steps until `next_batch` is 0."""

    def __init__(self, step: Step):
        super().__init__(step)
        self._tuner = ThreadTuner()
        self._last_batch = 0
        self._weights_are_of = 0  # the batch size whose equal weights are set

    @property
    def bytes_of_messages(self) -> int:
        """What exchanges with other processes take of memory: here there are none."""
        return 0

    def prepare(self) -> None:
        """Compile, or load from disk, the kernels that the pass needs."""
        most = self.step.batch * self.step.block
        for size in {min(most, self._samples), self._samples % most} - {0}:
            self.step.program.prepare(size, self._first_threads())

    def _first_threads(self) -> int:
        """On how many threads the pass begins, at most."""
        return usable_threads()

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
        usable = usable_threads()
        threads = usable if program.uses_threads(batch, usable) else 1
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
        """Give all samples the same weight, that of steps of `batch` samples, unless they have weights of their own."""
        inputs, program = self.step.inputs, self.step.program
        self._last_batch = batch
        if not self.step.weighted and self._weights_are_of != batch:
            program[inputs.sample_weight][:] = 1
            program[inputs.loss_weight][:] = self.step.loss.sample_weight(min(batch, self.step.batch))
            self._weights_are_of = batch

    def release_memory(self) -> None:
        super().release_memory()
        self._weights_are_of = 0  # a long batch's may be among what was given back

    @property
    def gradients(self) -> NamedArrays:
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
