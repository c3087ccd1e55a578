"""Norms of gradients for a picture along a training: of as many steps as it can show."""

from fastnn.training.callbacks import GradientNorms
from fastnn.training.callbacks.run import Run

RECORDS = 1_000  # a curve has 150 points, each the mean of several


class SparseNorms(GradientNorms):
    """GradientNorms of about RECORDS steps, evenly, of each step where there are fewer than twice as many.

    A step that is recorded is a call of its own. To record each of 18,750 took several times as long as the training.
    """

    def on_train_begin(self, run: Run) -> None:
        self.every = max(1, run.steps * run.last_epoch // RECORDS)
