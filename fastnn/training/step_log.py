"""What the steps of a walk have recorded, and what it says of many samples."""

import numpy as np

from fastnn.nn.losses import Loss


class Records:
    """Losses of steps, and what they add up to.

    losses  of each step, penalties included, float64
    """

    def __init__(self, loss: Loss, training: bool):
        self._loss, self._training = loss, training
        self.losses = np.zeros(0)
        self._sums = np.zeros((0, 4))  # see the kernel record_step

    def begin(self, steps: int) -> None:
        """Make room for so many steps."""
        if len(self.losses) != steps:
            self.losses, self._sums = np.zeros(steps), np.zeros((steps, 4))
        self.losses[:] = 0

    def arrays(self) -> list[np.ndarray]:
        """What record_step writes: losses, sums."""
        return [self.losses, self._sums]

    def metrics(self, first: int, last: int) -> dict[str, float]:
        """Loss and accuracy of steps first ≤ step < last: means over samples by their weights, whatever the reduction.

        The loss includes the penalties, a share of them for each sample where the loss of a batch is a sum.
        """
        loss, correct, count, penalties = self._sums[first:last].sum(axis=0).tolist()
        count = count or 1.0  # so far all weights may have been 0
        share = self._share_of_penalties(penalties, last - first, count)
        return {"loss": loss / count + share, "accuracy": correct / count}

    def _share_of_penalties(self, penalties: float, steps: int, count: float) -> float:
        """What penalties add to a mean over samples: a loss that is a sum is divided by the samples, they with it.

        An evaluation takes several steps for its own convenience: there they count once.
        """
        if self._loss.reduction == "mean":
            return penalties / steps
        return (penalties if self._training else penalties / steps) / count
