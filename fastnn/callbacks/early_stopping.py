"""Ends training when a figure stops getting better, and brings the best parameters back."""

import math
from typing import Any

import numpy as np

from fastnn.callbacks.base import Callback
from fastnn.errors import DataError
from fastnn.naming import near


class EarlyStopping(Callback):
    """Stop after `patience` epochs in which `monitor` did not improve by more than `min_delta`.

    monitor       a figure of the epoch; higher is better for an accuracy, lower for anything else
    restore_best  at the end, however it comes, put back the parameters of the best epoch
    max_gap       also stop once val_loss − loss exceeds this
    stopped       why it ended training, if it did
    best_epoch, best   where and what the best was
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 3,
        *,
        min_delta: float = 0.0,
        restore_best: bool = False,
        max_gap: float | None = None,
    ):
        if patience < 1 or min_delta < 0:
            raise ValueError(f"EarlyStopping: patience {patience}, min_delta {min_delta}; expected ≥ 1 and ≥ 0")
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.restore_best, self.max_gap = restore_best, max_gap
        self._reset()

    def _reset(self) -> None:
        self.best, self.best_epoch, self.waited = math.inf, 0, 0
        self.best_state: dict[str, dict[str, np.ndarray]] | None = None
        self.stopped = ""

    def on_train_begin(self, run):
        self._reset()  # it may have watched another training, or another model

    def on_epoch_begin(self, run):
        if self.stopped:  # taken up from the checkpoint of a training that had ended
            run.stop(self.stopped)

    def on_epoch_end(self, run):
        value = self._figure(run.logs, self.monitor)
        score = -value if self.monitor.endswith("accuracy") else value
        if score < self._best_score() - self.min_delta:
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            if self.restore_best:
                self.best_state = run.model.snapshot()
        else:
            self.waited += 1
        self.stopped = self._reason(run.logs)
        if self.stopped:
            run.stop(self.stopped)

    def _reason(self, logs: dict[str, Any]) -> str:
        if self.waited >= self.patience:
            return f"{self.monitor} did not improve for {self.waited} epochs"
        if self.max_gap is not None and self._figure(logs, "val_loss") - logs["loss"] > self.max_gap:
            return f"val_loss − loss exceeds {self.max_gap:g}"
        return ""

    def _best_score(self) -> float:
        if not self.best_epoch:
            return math.inf
        return -self.best if self.monitor.endswith("accuracy") else self.best

    def _figure(self, logs: dict[str, Any], name: str) -> float:
        if name not in logs:
            hint = "pass validation_data" if name.startswith("val_") else near(name, logs)
            raise DataError(f"EarlyStopping watches {name!r}, which this training does not report; {hint}")
        return logs[name]

    def on_train_end(self, run):
        if self.restore_best and self.best_state is not None:
            run.model.restore(self.best_state)

    def state_dict(self):
        state = {name: getattr(self, name) for name in ("best", "best_epoch", "waited", "stopped")}
        return state | {"best_state": self.best_state or {}}

    def load_state_dict(self, state):
        for name in ("best", "best_epoch", "waited", "stopped"):
            setattr(self, name, state[name])
        self.best_state = state["best_state"] or None
