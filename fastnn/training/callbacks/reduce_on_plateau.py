"""Lowers the learning rate when a figure stops getting better."""

from fastnn.common.assigned import at_least_zero, number
from fastnn.common.figures import Mode
from fastnn.nn.schedules import Schedule
from fastnn.training.callbacks.plateau import PlateauWatcher
from fastnn.training.callbacks.run import Run


def _reducing(kind: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is above 0 and below 1."""
    value = number(kind, name, value)
    if not 0 < value < 1:
        raise ValueError(f"{kind}: {name} is {value}, expected 0 < {name} < 1")
    return value


class ReduceOnPlateau(PlateauWatcher):
    """Multiply the learning rate by `factor` after `patience` epochs in which `monitor` did not improve.

    After a reduction the count starts again; the best figure stays the best. The optimizer's `lr` must be a number.
    What the rate was in each epoch is in history["lr"].

    Args:
        monitor: A figure of the epoch.
        factor: What the rate is multiplied by.
        patience: How many epochs without improvement lower the rate.
        min_delta: By how much it must improve.
        min_lr: Never go below this rate.
        mode: "max" or "min", whether more or less of it is better; "auto": by its name, as accuracies, r2, top_5 and
            scores are better when higher, losses, errors and perplexity when lower. NaN is never better.

    Raises:
        ValueError: Where the name does not tell what is better, or for numbers out of range.
        TypeError: In `fit`, if the optimizer has a schedule.
        DataError: In `fit`, if the training does not report the figure.

    Examples:
        >>> reduce = fn.ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
        >>> history = model.fit(x, y, epochs=3, optimizer=fn.SGD(0.1), callbacks=[reduce])
        >>> history["lr"]
        [0.1, 0.1, 0.05]
    """

    _checks = PlateauWatcher._checks | {"factor": _reducing, "min_lr": at_least_zero}

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 3,
        min_delta: float = 0.0,
        min_lr: float = 0.0,
        *,
        mode: Mode = "auto",
    ):
        super().__init__(monitor, patience, min_delta, mode)
        self.factor, self.min_lr = factor, min_lr

    def on_train_begin(self, run: Run) -> None:
        super().on_train_begin(run)
        if isinstance(run.optimizer.lr, Schedule):
            raise TypeError(f"ReduceOnPlateau needs a learning rate that is a number, got {run.optimizer.lr!r}")

    def on_epoch_end(self, run: Run) -> None:
        if self._improved(run) or self.waited < self.patience:
            return
        self.waited = 0
        lr = run.optimizer.lr
        assert not isinstance(lr, Schedule), "on_train_begin has seen that it is a number"
        # A rate that began below min_lr is left alone: this callback never raises one.
        run.optimizer.lr = min(lr, max(lr * self.factor, self.min_lr))
