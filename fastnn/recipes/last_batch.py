"""The loss and the accuracy of the last batch of each epoch, as some course programs print them."""

from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.run import Run


class LastBatch(Callback):
    """Puts `last_batch_loss` and `last_batch_accuracy` into each epoch: before that step, penalties included."""

    def on_epoch_end(self, run: Run) -> None:
        run.logs["last_batch_loss"] = float(run.history.steps["loss"][-1])
        run.logs["last_batch_accuracy"] = run.figures_of_last_step()["accuracy"]
