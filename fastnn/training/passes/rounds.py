"""Takes a compiled step through data in memory several times, epoch after epoch, without coming back in between."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.data.chunk import Chunk
from fastnn.engine.threads import usable_threads
from fastnn.training.passes.data_pass import order_key
from fastnn.training.passes.runner import SECONDS_PER_CALL, Runner
from fastnn.training.steps.scalars import STEPS_PER_CALL

# So long one thread runs alone. The plan for several threads, and to find out whether they pay, takes 5 ms, and where
# another process holds a processor 50; trainings of a small net on little data are over before that pays.
SECONDS_ALONE = 0.05
SECONDS_PER_CALL_OF_SEVERAL = 0.01  # shorter: where another process comes, such a call takes many times as long


class RoundsRunner(Runner):
    """A runner that can also take a pass of several epochs: `start_epochs` begins it.

    An epoch is to its kernels what a chunk is to those of a `Runner`. The cursor alone says where the pass has come to,
    so a copy of the state can be put back in the middle of it. Nothing may draw random numbers by step and epoch.
    """

    _epochs: Sequence[np.ndarray | None] = ()  # what chooses the order of each one's samples; () in any other pass
    _seconds = 0.0  # of all such passes so far

    def start_epochs(self, chunk: Chunk, seed: int, epochs: Sequence[int]) -> None:
        """Begin a pass over these samples that is made of the epochs of these numbers."""
        assert self.step.block == 1 or self.step.divisible
        assert not self.step.full_batch
        keys = [order_key(seed, epoch, 0) if self.step.shuffles else None for epoch in epochs]
        self._epochs, self._samples = keys, len(chunk)
        self._log.begin_again(len(keys) * -(-len(chunk) // self.step.batch))
        self._bind_log()
        self._rewind(None)
        self._bind(chunk, keys[0], len(chunk))

    def start(self, *given, **named) -> None:
        self._epochs = ()
        super().start(*given, **named)

    @property
    def next_batch(self) -> int:
        if not self._epochs:
            return super().next_batch
        epoch, done = divmod(self.samples_done, self._samples)
        return min(self.step.batch, self._samples - done) if epoch < len(self._epochs) else 0

    @ieee
    def advance(self, limit: int | None = None, scalars: Callable[[int], np.ndarray] | None = None) -> int:
        if not self._epochs:
            return super().advance(limit, scalars)
        whole, batch = divmod(self._samples, self.step.batch)
        steps = len(self._epochs) * (whole + bool(batch)) - self.steps_done
        if not steps:
            return 0
        threads = self._threads()
        threads, fitting = self._tuner.choose(
            threads, SECONDS_PER_CALL if threads == 1 else SECONDS_PER_CALL_OF_SEVERAL
        )
        steps = self._in_whole_epochs(min(steps, fitting, limit or STEPS_PER_CALL, STEPS_PER_CALL))
        self.set_up_call(self.next_batch, scalars(steps) if scalars is not None else None)
        begin, samples, last = time.perf_counter(), self.samples_done, self.steps_done + steps
        while self.steps_done < last:
            self._run_within_epoch(last - self.steps_done, threads)
        self._check_ids()
        seconds = time.perf_counter() - begin
        self._seconds += seconds
        # In samples, because the last step of an epoch may be shorter.
        self._tuner.ran(threads, (self.samples_done - samples) / self.step.batch, seconds)
        return steps

    def _threads(self) -> int:
        """On how many threads the next call may run."""
        most = usable_threads()
        if self._seconds < SECONDS_ALONE or not self.step.program.uses_threads(self.step.batch, most):
            return 1
        return most

    def _first_threads(self) -> int:
        return 1 if self._epochs else super()._first_threads()

    def _run_within_epoch(self, most: int, threads: int) -> None:
        """Run at most `most` steps, all of one batch size and in one epoch."""
        samples = min(most * self.step.batch, self._enter_epoch())
        batch = min(self.step.batch * self.step.block, samples)
        self.set_weights(batch)
        self.step.program.run(samples // batch, batch, threads)

    def _in_whole_epochs(self, steps: int) -> int:
        """So many steps, or fewer: where a run takes several, a call ends with an epoch, if it has a whole one.

        So runs have few sizes: a table is made for each.
        """
        if self.step.block == 1:
            return steps
        each = -(-self._samples // self.step.batch)
        beyond = (self.steps_done + steps) % each
        return steps - beyond if beyond < steps else steps

    def _enter_epoch(self) -> int:
        """Set the order of the epoch that the cursor is in; returns how many samples of that epoch are left."""
        cursor = self.step.program[self.step.inputs.cursor]
        epoch, done = divmod(int(cursor[0]), self._samples)
        cursor[3] = cursor[0] - done
        if (key := self._epochs[epoch]) is not None:
            self.step.program[self.step.inputs.order_key][:] = key
        return self._samples - done

    def first_not_finite(self, scalars: np.ndarray) -> str:
        if self._epochs:
            self._enter_epoch()
        return super().first_not_finite(scalars)
