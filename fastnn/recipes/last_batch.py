"""The loss and the accuracy of the last batch of each epoch, as some course programs print them."""

from fastnn.training.callbacks.base import Callback
from fastnn.training.run import Run


class LastBatch(Callback):
    """Puts `last_batch_loss` and `last_batch_accuracy` into each epoch: before that step, penalties included."""

    every = 1

    def __init__(self) -> None:
        self._before = self._after = (0, 0.0)  # samples, and how many of them were right

    def on_epoch_begin(self, run: Run) -> None:
        self._before = self._after = (0, 0.0)

    def on_batch_end(self, run: Run) -> None:
        self._before, self._after = self._after, (run.samples_done, run.samples_done * run.logs["accuracy"])

    def on_epoch_end(self, run: Run) -> None:
        samples, right = (after - before for after, before in zip(self._after, self._before, strict=True))
        run.logs["last_batch_loss"] = float(run.history.steps["loss"][-1])
        run.logs["last_batch_accuracy"] = round(right) / samples
