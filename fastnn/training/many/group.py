"""Small nets of one shape that one thread trains together: one kernel takes the steps of all, a net in each lane.

No step is planned and no loop waits for another: after each pass of some epochs every net gets its parameters, its
history and its counts. They are those of a `JoinedLoop`, bit for bit. A net whose numbers stop being finite stays as it
was before that pass, and leaves; its own loop trains it from there, and finds the step at which that happens.
"""

import time
from collections.abc import Sequence

import numpy as np

from fastnn.engine.autotune import ThreadTuner
from fastnn.nn.metrics import MeanMetric
from fastnn.nn.narrow_many import Nets
from fastnn.training.fit.epoch_rates import are_by_epoch, rate_at, scalars_of
from fastnn.training.history.figures import CORRECT, LOSS, PENALTIES, WEIGHT, Figures
from fastnn.training.history.step_log import StepLog
from fastnn.training.many.training import Training
from fastnn.training.many.worker_threads import Ended
from fastnn.training.passes.runner import SECONDS_PER_CALL
from fastnn.training.steps.scalars import STEPS_PER_CALL


class Member:
    """A net of a group: its counts, and what its steps record."""

    def __init__(self, training: Training):
        self.training, self.optimizer = training, training.settings.optimizer
        (output,) = training.model.network.outputs
        figures = Figures({one: CORRECT for one in output.metrics if isinstance(one, MeanMetric)})
        self.log = StepLog(training.model.network.loss.reduction == "mean", True, figures)

    def rates(self, done: int, steps: int, each: int) -> np.ndarray:
        """The learning rates of the next `steps` steps of a pass, behind the first `done` ones."""
        first = self.optimizer.iteration
        self.optimizer.iteration += done
        try:
            return scalars_of(self.optimizer, done, steps, each)[:, 0]
        finally:
            self.optimizer.iteration = first

    def note(self, done: int, record: np.ndarray, samples: int) -> None:
        """Keep what the steps behind the first `done` ones have recorded, (steps, 4)."""
        losses, sums = (array[done : done + len(record)] for array in self.log.arrays())
        losses[:], sums[:, [LOSS, CORRECT, PENALTIES]] = record[:, 0], record[:, 1:]
        sums[:, WEIGHT] = samples

    def is_finite(self, steps: int) -> bool:
        """Whether what the first `steps` steps have recorded is finite."""
        return all(np.isfinite(array[:steps]).all() for array in self.log.arrays())

    def count(self, steps: int, each: int, speed: dict[str, float]) -> None:
        """Count the steps of a pass, and the epochs that are whole."""
        model, optimizer, by_epoch = self.training.model, self.optimizer, are_by_epoch(self.optimizer)
        first = optimizer.iteration
        optimizer.iteration += steps
        model.history.steps["loss"].frombytes(self.log.losses[:steps].tobytes())
        lr, whole, epoch = rate_at(optimizer, first + each), steps // each, model.epoch
        for number, figures in enumerate(self.log.metrics_by(each, 0, whole * each), 1):
            if by_epoch:
                lr = rate_at(optimizer, first + number * each)
                optimizer.epoch += 1
            model.history.epochs.append({"epoch": epoch + number, **figures, "lr": lr, **speed})
        model.epoch += whole
        if not by_epoch:  # to assign it is to check it, which takes as long as an epoch of one step
            optimizer.epoch += whole


class Group:
    """Nets that are trained together: each pass takes all of them through some epochs of `each` steps."""

    def __init__(self, trainings: Sequence[Training]):
        self.members = [Member(one) for one in trainings]
        (first, *_), self._tuner = trainings, ThreadTuner()
        chunk, dtype = first.source.start(), first.model.parameters.dtype
        self.samples, self.each = len(chunk), first.settings.passes_of(first.source)
        weight = np.full(self.samples, first.model.network.loss.sample_weight(self.samples), dtype)
        labels = chunk.y[0].astype(np.int32).reshape(-1)
        self._data = chunk.x[0].reshape(self.samples, -1).astype(dtype), labels, weight
        self._nets = self._of_members()

    def _of_members(self) -> Nets:
        models = [member.training.model for member in self.members]
        return Nets([one.network for one in models], [one.parameters for one in models], *self._data)

    def run(self, epochs: int, ended: Ended) -> list[Member]:
        """Take all through these epochs, or to where they are to end; those that did not stay finite, as they were."""
        begin, steps, done = time.perf_counter(), epochs * self.each, 0
        for member in self.members:
            member.log.begin(steps)
        while done < steps and not (done and ended.is_set()):
            done += self._call(done, steps - done)
        seconds = (time.perf_counter() - begin) * self.each / done
        speed = {"seconds": seconds, "samples_per_second": self.samples * self.each / seconds}
        bad = []
        for lane, member in enumerate(self.members):
            if self._nets.is_finite(lane) and member.is_finite(done):
                self._nets.store(lane)
                member.count(done, self.each, speed)
            else:
                bad.append(member)
        if bad:
            self.members = [member for member in self.members if member not in bad]
            if self.members:
                self._nets = self._of_members()
        return bad

    def _call(self, done: int, most: int) -> int:
        """One compiled call, of about SECONDS_PER_CALL; the number of its steps."""
        steps = min(most, self._tuner.choose(1, SECONDS_PER_CALL)[1], STEPS_PER_CALL)
        rates = [member.rates(done, steps, self.each) for member in self.members]
        begin = time.perf_counter()
        record = self._nets.run(rates)
        self._tuner.ran(1, steps, time.perf_counter() - begin)
        for member, own in zip(self.members, record, strict=True):
            member.note(done, own, self.samples)
        return steps
