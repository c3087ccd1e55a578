"""The losses of the steps of an epoch, and the figures that they add up to."""

import numpy as np


class StepLog:
    """What the kernel record_step writes, and its means.

    losses  of each step, penalties included, float64; 0 for steps to come

    mean_loss : whether the loss of a batch is a mean over its samples, not a sum
    trains    : whether the steps are those of a training
    """

    def __init__(self, mean_loss: bool, trains: bool):
        self._mean_loss, self._trains = mean_loss, trains
        self.losses = np.zeros(0)
        self._sums = np.zeros((0, 4))

    def begin(self, steps: int) -> None:
        """Make room for `steps` steps."""
        if len(self.losses) != steps:
            self.losses, self._sums = np.zeros(steps), np.zeros((steps, 4))
        self.losses[:] = 0

    def arrays(self) -> list[np.ndarray]:
        """The arrays that record_step writes: losses, sums."""
        return [self.losses, self._sums]

    def metrics(self, steps: int) -> dict[str, float]:
        """Loss and accuracy of the first `steps` steps: means over samples by their weights, whatever the reduction.

        The loss includes the penalties.
        """
        loss, correct, count, penalties = self._sums[:steps].sum(axis=0).tolist()
        count = count or 1.0  # so far all weights may have been 0
        return {"loss": loss / count + self._mean_penalty(penalties, steps, count), "accuracy": correct / count}

    def _mean_penalty(self, penalties: float, steps: int, count: float) -> float:
        """The penalties' part of the mean loss of a sample. A loss that is a sum is divided by the samples, with them.

        An evaluation takes several steps for its own convenience: there the penalties count once.
        """
        if self._mean_loss:
            return penalties / steps
        return (penalties if self._trains else penalties / steps) / count
