"""Metrics that need all predictions at once: an evaluation collects these, and NumPy computes."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.nn.metrics.base import WholeMetric

Function = Callable[..., float]


class R2(WholeMetric):
    """The coefficient of determination, 1 − Σ w (y − p)² / Σ w (y − ȳ)², averaged over the outputs, in float64.

    As scikit-learn's r2_score: an output whose targets are all equal counts 1 if all predictions are right, else 0; of
    fewer than two samples it is NaN.
    """

    kind: ClassVar[str] = "r2"

    def __post_init__(self):
        self._needs_numbers()

    @ieee  # a prediction may be infinite
    def of_all(self, y_true, y_pred, weights):
        if len(y_true) < 2:
            return math.nan
        y, p = y_true.astype(np.float64), y_pred.astype(np.float64)
        w = np.ones((len(y), 1)) if weights is None else weights[:, None]
        left = (w * (y - p) ** 2).sum(axis=0)
        spread = (w * (y - np.average(y, axis=0, weights=weights)) ** 2).sum(axis=0)
        of_constant = np.where(left == 0, 1.0, 0.0)
        return float(np.where(spread != 0, 1 - left / spread, of_constant).mean())


@dataclass(frozen=True)
class OwnMetric(WholeMetric):
    """A user's function of (y_true, y_pred), such as scikit-learn's; it gets `sample_weight` if it has that argument.

    With one output both are (N,), so that y_true − y_pred is what it seems to be.
    """

    function: Function

    def of_all(self, y_true, y_pred, weights):
        y_true = y_true.view()
        y_true.flags.writeable = False  # they may be the user's own
        if self.outputs == 1:
            y_true, y_pred = y_true.reshape(len(y_true)), y_pred.reshape(len(y_pred))
        keywords = {"sample_weight": weights} if weights is not None and _takes_weights(self.function) else {}
        try:
            value = np.asarray(self.function(y_true, y_pred, **keywords))
        except (IndexError, TypeError, ValueError) as error:
            shapes = f"y_true {y_true.shape} and y_pred {y_pred.shape}, what predict gives"
            raise ValueError(f"metric {self.name!r} of {shapes}: {error}{self._hint()}") from error
        if value.size != 1 or value.dtype.kind not in "biuf":
            raise TypeError(f"metric {self.name!r} returned {value!r:.60}, expected a number")
        return float(value.reshape(()))

    def _hint(self) -> str:
        """What a function of classes, or of the probability of one of two, should take of the predictions."""
        if not self.loss.takes_labels:
            is_probability = self.loss.applies == "sigmoid" and self.outputs == 1
            return "; y_pred are probabilities: for classes give a function of y_pred > 0.5" if is_probability else ""
        score = "; for the score of the second class y_pred[:, 1]" if self.outputs == 2 else ""
        return f"; for classes give a function that takes y_pred.argmax(axis=1){score}"


def _takes_weights(function: Function) -> bool:
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C do not say
        return False
