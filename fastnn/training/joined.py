"""Many epochs in one pass, where nothing looks between them: for nets whose epochs are shorter than a callback."""

import threading
import time

import numpy as np

from fastnn.data.source import Source
from fastnn.nn.optimizers import KINDS
from fastnn.nn.schedules import Schedule
from fastnn.training.loop import Loop, Settings
from fastnn.training.model import Predictor

# Steps of a pass, about. What is recorded of them is some 300 KB; and so often, say, the whole state is looked at.
STEPS = 8192


class JoinedLoop(Loop):
    """As `Loop`, with the same bits. Where each step takes all samples, epochs differ in nothing but their number.

    So one pass takes many of them, unless callbacks or validation come between, or random numbers are drawn anew each
    epoch, as for dropout. The seconds of an epoch are then its share of those of the pass.
    """

    def __init__(
        self,
        model: Predictor,
        settings: Settings,
        source: Source,
        validation: Source | None,
        asked: threading.Event | None = None,
    ):
        super().__init__(model, settings, source, validation, asked)
        step, looked_at = self.runner.step, bool(self.callbacks) or validation is not None
        draws = any(operand is step.inputs.dropout_key for op in step.program.ops for operand in op.operands)
        self.joins = step.whole and not looked_at and not draws
        # A class of a user's own may compute its scalars by the epoch.
        self._rates_by_epoch = isinstance(self.optimizer.lr, Schedule) or type(self.optimizer) not in KINDS

    def _start(self) -> None:
        if not self.joins:
            super()._start()
            return
        epochs = min(self.run.last_epoch - self.run.epoch, max(STEPS // self.passes, 1))
        self.runner.start(self.source.start(), passes=self.passes * epochs)

    def _train_epoch(self) -> None:
        if not self.joins:
            super()._train_epoch()
            return
        run = self.run
        if not self.runner.next_batch:  # the first pass has been started
            self._start()
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
        run, optimizer, steps = self.run, self.optimizer, self.passes
        done = optimizer.iteration - self._first
        seconds = (time.perf_counter() - self._begin) * steps / max(done, 1)
        for end in range(self._recorded + steps, done + 1, steps):
            figures = self.runner.metrics_of(end - steps, steps)
            lr = float(optimizer.learning_rates(np.array([self._first + end]))[0])
            speed = {"seconds": seconds, "samples_per_second": run.samples / seconds}
            run.logs = {"epoch": run.epoch + 1} | figures | {"lr": lr} | speed
            run.epoch += 1
            run.model.epoch = run.epoch
            optimizer.epoch += 1
            run.history.epochs.append(run.logs)
            self._recorded = end

    def _scalars(self, steps: int) -> np.ndarray:
        """As of a `Loop`; of the steps of each epoch, those of that epoch."""
        if not self.joins or not self._rates_by_epoch:
            return super()._scalars(steps)
        optimizer, first = self.optimizer, self.run.step
        epoch, iteration = optimizer.epoch, optimizer.iteration
        ends = [*range(first - first % self.passes + self.passes, first + steps, self.passes), first + steps]
        parts = []
        try:
            for begin, end in zip([first, *ends], ends, strict=False):
                optimizer.epoch, optimizer.iteration = epoch + begin // self.passes, iteration + begin - first
                parts.append(super()._scalars(end - begin))
        finally:
            optimizer.epoch, optimizer.iteration = epoch, iteration
        return np.concatenate(parts)

    def _place(self, step: int) -> tuple[int, int]:
        if not self.joins:
            return super()._place(step)
        self._record()
        return self.run.epoch, step % self.passes
