"""The base of callbacks that record something every few steps."""

from fastnn.common.assigned import positive
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.run import Run


class StepRecorder(Callback):
    """Base of callbacks that `record` every `every` steps of an epoch.

    An epoch of fewer steps is recorded once, at its end, so that no epoch is without a record.

    Args:
        every: Steps between two records within an epoch.
    """

    _checks = Callback._checks | {"every": positive}

    def __init__(self, every: int):
        self.every = every
        self._recorded = False

    def record(self, run: Run) -> None:
        """Record the step that ran last.

        Args:
            run: The training.
        """
        raise NotImplementedError

    def on_epoch_begin(self, run: Run) -> None:
        self._recorded = run.step >= self.every  # where a training goes on in the middle of an epoch

    def on_batch_end(self, run: Run) -> None:
        self.record(run)
        self._recorded = True

    def on_epoch_end(self, run: Run) -> None:
        if not self._recorded:
            self.record(run)


def steps_so_far(run: Run) -> int:
    """The number of the step that ran last, from 1, over all epochs and all `fit` calls of the model."""
    return len(run.history.steps["loss"])
