"""What is recorded of a training beside its losses: norms of gradients, and figures of the last batch of each epoch."""

from fastnn.training.callbacks import Callback, GradientNorms
from fastnn.training.callbacks.run import Run

RECORDS = 1_000  # of norms: a curve has 150 points, each the mean of several


class SparseNorms(GradientNorms):
    """GradientNorms of about RECORDS steps, evenly, of each step where there are fewer than twice as many.

    A step that is recorded is a call of its own. To record each of 18,750 took several times as long as the training.
    """

    def on_train_begin(self, run: Run) -> None:
        self.every = max(1, run.steps * run.last_epoch // RECORDS)


class LastBatch(Callback):
    """Puts `last_batch_loss` and `last_batch_accuracy` into each epoch: before that step, penalties included.

    Some course programs print these.
    """

    def on_epoch_end(self, run: Run) -> None:
        run.logs["last_batch_loss"] = float(run.history.steps["loss"][-1])
        run.logs["last_batch_accuracy"] = run.figures_of_last_step()["accuracy"]
