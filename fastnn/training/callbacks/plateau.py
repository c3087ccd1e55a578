"""The bases of callbacks that act when a figure of the epoch is the best so far, or has stopped getting better."""

import math
from typing import Any, ClassVar

from fastnn.common.assigned import at_least_zero, positive
from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.figures import CIRCUMSTANCES, Mode, higher_is_better
from fastnn.common.names import near, nearest
from fastnn.common.plain import plain
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.run import Run

NEEDED = "pass validation_data=(x, y) to fit, or validation_split=0.2"


class BestWatcher(Callback):
    """Base of callbacks that know the best figure so far, and its epoch.

    Attributes:
        best: The best figure.
        best_epoch: Its epoch.
        waited: Epochs since then.
    """

    _checks = Callback._checks | {"min_delta": at_least_zero}
    kept: ClassVar[tuple[str, ...]] = ("best", "best_epoch", "waited")  # the attributes that a checkpoint must keep

    def __init__(self, monitor: str, min_delta: float, mode: Mode):
        self.min_delta, self.monitor, self.mode = min_delta, monitor, mode
        self._reset()

    def _reset(self) -> None:
        """Forget the figures of any training before. ValueError if `monitor` and `mode` do not tell what is better."""
        self._higher = higher_is_better(self.monitor, self.mode, f"{type(self).__name__}: ")
        self.best, self.best_epoch, self.waited = math.inf, 0, 0

    def on_train_begin(self, run: Run) -> None:
        self._reset()  # it may have watched another training, or another model

    def _improved(self, run: Any) -> bool:
        """Whether this epoch's figure is the best so far. If it is not, one more epoch has been waited."""
        value = self._figure(run.logs, self.monitor)
        if self._score(value) < self._best_score() - self.min_delta:
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            return True
        self.waited += 1
        return False

    def _score(self, value: float) -> float:
        """The figure turned so that lower is better."""
        return -value if self._higher else value

    def _best_score(self) -> float:
        return self._score(self.best) if self.best_epoch else math.inf

    def _figure(self, logs: dict[str, Any], name: str) -> float:
        if name not in logs:
            figures = [figure for figure in logs if figure not in CIRCUMSTANCES]
            reported = {*figures, *(f"val_{figure}" for figure in figures if not figure.startswith("val_"))}
            hint = NEEDED if name in reported else nearest(name, reported) or near(name, logs)
            kind = type(self).__name__
            raise DataError(f"{kind} watches {name!r}, which this training does not report; {hint}")
        return plain(logs[name])

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in self.kept:
            kinds = {"best": (int, float), "stopped": (str,)}.get(name, (int,))
            if type(state.get(name)) not in kinds or state[name] != state[name]:
                raise FileFormatError(f"{type(self).__name__}: {name} to resume with is {state.get(name)!r:.60}")
        for name in self.kept:
            setattr(self, name, state[name])


class PlateauWatcher(BestWatcher):
    """Base of callbacks that count the epochs in which `monitor` did not improve by more than `min_delta`.

    Args:
        monitor: As for `BestWatcher`, and so are min_delta and mode.
        patience: How many such epochs in a row are one too many.
        min_delta: By how much the figure must improve.
        mode: Whether more or less of it is better.

    Raises:
        ValueError: Where the figure's name does not tell what is better, or for numbers out of range.
        DataError: In `fit`, if the training does not report it.
    """

    _checks = BestWatcher._checks | {"patience": positive}

    def __init__(self, monitor: str, patience: int, min_delta: float, mode: Mode):
        self.patience = patience
        super().__init__(monitor, min_delta, mode)
