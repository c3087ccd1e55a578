"""The losses of the steps of an epoch, and the figures that they add up to."""

import numpy as np

from fastnn.training.history.figures import LOSS, PENALTIES, WEIGHT, Figures


class StepLog:
    """What the kernels record_step and record_figure write, and its means.

    losses  of each step, penalties included, float64; 0 for steps to come

    mean_loss : whether the loss of a batch is a mean over its samples, not a sum
    trains    : whether the steps are those of a training
    figures   : the metrics that they record
    """

    def __init__(self, mean_loss: bool, trains: bool, figures: Figures):
        self._mean_loss, self._trains, self._figures = mean_loss, trains, figures
        self.losses = np.zeros(0)
        self._sums = np.zeros((0, figures.width))
        self._forget_total()

    def _forget_total(self) -> None:
        """Nothing is known of the sum of the rows: it is of none of them."""
        self._total, self._added = np.zeros(self._figures.width), 0

    def begin(self, steps: int) -> None:
        """Make room for `steps` steps."""
        if len(self.losses) != steps:  # new ones take memory as they are written
            self.losses, self._sums = np.zeros(steps), np.zeros((steps, self._figures.width))
        else:
            self.losses[:] = 0
        self._forget_total()

    def begin_again(self, steps: int) -> None:
        """As `begin`, but where there is room for more it stays: then the arrays are the same ones."""
        self.begin(max(steps, len(self.losses)))

    def extend(self, steps: int) -> bool:
        """Make room for `steps` steps where there is less; whether the arrays are others now."""
        if steps <= len(self.losses):
            return False
        room = 2 * steps  # a pass of which nobody knows the length grows now and then, not each time
        losses, sums = np.zeros(room), np.zeros((room, self._figures.width))
        losses[: len(self.losses)], sums[: len(self.losses)] = self.losses, self._sums
        self.losses, self._sums = losses, sums
        return True

    def resume(self, losses: np.ndarray, sums: np.ndarray) -> None:
        """Take over what was recorded of the first steps."""
        self.extend(len(losses))
        self.losses[: len(losses)], self._sums[: len(sums)] = losses, sums
        self._forget_total()

    def arrays(self) -> list[np.ndarray]:
        """The arrays that these kernels write: losses, sums."""
        return [self.losses, self._sums]

    def metrics(self, steps: int) -> dict[str, float]:
        """Loss and metrics of the first `steps` steps: means over samples by weight, whatever the reduction.

        The loss includes the penalties.
        """
        return self._metrics(self._total_of(steps).tolist(), steps)

    def metrics_of(self, rows: np.ndarray) -> dict[str, float]:
        """As `metrics`, of rows of `sums`, (steps, columns)."""
        return self._metrics(rows.sum(axis=0).tolist(), len(rows))

    def metrics_by(self, steps: int, first: int, last: int) -> list[dict[str, float]]:
        """As `metrics`, of each `steps` steps from `first` to `last`."""
        rows = self._sums[first:last].reshape(-1, steps, self._figures.width)
        return [self._metrics(sums, steps) for sums in rows.sum(axis=1).tolist()]

    def _metrics(self, sums: list[float], steps: int) -> dict[str, float]:
        count = sums[WEIGHT] or 1.0  # so far all weights may have been 0
        means = [one / count for one in sums]
        loss = means[LOSS] + self._mean_penalty(sums[PENALTIES], steps, count)
        return {"loss": loss, **self._figures.values(means)}

    def _total_of(self, steps: int) -> np.ndarray:
        """The sum of the first `steps` rows: what it was, and then the rows since, in the same order as all at once.

        It is asked for after each call of an epoch. To add up all rows each time took more than half the time of a
        training of 60,000 short steps.
        """
        if steps < self._added:
            self._forget_total()
        if steps > self._added:
            self._total = np.concatenate([self._total[None], self._sums[self._added : steps]]).sum(axis=0)
            self._added = steps
        return self._total

    def _mean_penalty(self, penalties: float, steps: int, count: float) -> float:
        """The penalties' part of the mean loss of a sample. A loss that is a sum is divided by the samples, with them.

        An evaluation takes several steps for its own convenience: there the penalties count once.
        """
        if self._mean_loss:
            return penalties / steps
        return (penalties if self._trains else penalties / steps) / count
