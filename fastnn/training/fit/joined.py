"""Many epochs in one pass, where nothing looks between them: for nets whose epochs are shorter than a callback."""

import time
from functools import cached_property

import numpy as np

from fastnn.training.fit.epoch_rates import are_by_epoch, rate_at, scalars_of
from fastnn.training.fit.loop import Loop
from fastnn.training.passes.rounds import RoundsRunner

# Steps of a pass, about. What is recorded of them is some 300 KB; and so often, say, the whole state is looked at.
STEPS = 8192
STEPS_OF_BATCHES = 1024  # fewer, where batches are a part of the samples: longer epochs are recorded one by one


class JoinedLoop(Loop):
    """As `Loop`, with the same bits, but one pass takes many epochs where nothing need look at the model in between.

    That is so unless there are validation data, callbacks that must see each epoch by itself, or random numbers drawn
    anew each epoch, as for dropout. The seconds of an epoch are then its share of those of the pass.
    """

    runner_kind = RoundsRunner
    runner: RoundsRunner

    _is_joined = False  # whether the pass that runs, or ran last, is one of several epochs
    _begun = False  # whether such a pass is, and none of its steps was taken

    @cached_property
    def _may_join(self) -> bool:
        step, inputs = self.runner.step, self.runner.step.inputs
        draws = any(operand is inputs.dropout_key for op in step.program.ops for operand in op.operands)
        watched = any(one.every or one.often or one.reads_gradients for one in self.callbacks)
        plain = self.source.in_memory and (step.block == 1 or step.divisible) and self.validation is None
        return plain and not draws and not watched

    def _epochs_at_once(self) -> int:
        """Epochs of the next pass; 0: one, as of a `Loop`."""
        if not self._may_join:
            return 0
        most = max((STEPS if self.runner.step.full_batch else STEPS_OF_BATCHES) // self.run.steps, 1)
        wanted = [one.epochs_at_once(self.run) for one in self.callbacks]
        return min(self.run.last_epoch - self.run.epoch, most, *wanted)

    def _start(self) -> None:
        if epochs := self._epochs_at_once():
            self._begin_pass(epochs)
        else:
            super()._start()

    def _begin_pass(self, epochs: int) -> None:
        chunk, first = self.source.start(), self.run.epoch
        if self.runner.step.full_batch:
            self.runner.start(chunk, passes=self.passes * epochs)
        else:
            self.runner.start_epochs(chunk, self.model.seed, range(first, first + epochs))
        self._begun = True

    def _train_epoch(self) -> None:
        epochs = self._epochs_at_once()
        self._is_joined = bool(epochs)
        if not epochs:
            super()._train_epoch()
            return
        if not self._begun:  # the first pass has been started
            self._begin_pass(epochs)
        self._begun = False
        run = self.run
        run.step, run.logs, self.steps_before = 0, {}, len(run.history.steps["loss"])
        self._first, self._recorded, self._begin = self.optimizer.iteration, 0, time.perf_counter()
        self.good.begin_chunk()
        try:
            while self.runner.next_batch:
                self._run_steps()
            self._check_state(self.good.is_finite())
        finally:  # an error or Ctrl-C leaves the epochs that are whole
            self._record()

    def _record(self) -> None:
        """Count the epochs of this pass that are whole and not counted yet, and keep their figures."""
        run, optimizer, steps = self.run, self.optimizer, self.run.steps
        done = optimizer.iteration - self._first
        whole = done // steps * steps
        if whole == self._recorded:
            return
        seconds = (time.perf_counter() - self._begin) * steps / done
        speed = {"seconds": seconds, "samples_per_second": run.samples / seconds}
        lr, by_epoch = self._rate(self._recorded + steps), are_by_epoch(optimizer)
        for figures in self.runner.metrics_by(steps, self._recorded, whole):
            self._recorded += steps
            if self.callbacks or by_epoch:
                lr = self._rate(self._recorded)
            run.epoch += 1
            optimizer.epoch += 1
            run.logs = {"epoch": run.epoch, **figures, "lr": lr, **speed}
            run.history.epochs.append(run.logs)
            if self.callbacks:
                run.model.epoch = run.epoch
                self._call("on_epoch_end")
        run.model.epoch = run.epoch

    def _rate(self, step: int) -> float:
        """The learning rate after the first `step` steps of this pass, in the optimizer's epoch."""
        return rate_at(self.optimizer, self._first + step)

    def _computed_scalars(self, steps: int) -> np.ndarray:
        """As of a `Loop`; of the steps of each epoch, those of that epoch."""
        if not self._is_joined or not are_by_epoch(self.optimizer):
            return super()._computed_scalars(steps)
        return scalars_of(self.optimizer, self.run.step, steps, self.run.steps)

    def _place(self, step: int) -> tuple[int, int]:
        if not self._is_joined:
            return super()._place(step)
        self._record()
        return self.run.epoch, step % self.run.steps
