"""By how much an update that divides by past gradients multiplies the gradient of the moment, step by step."""

from array import array

import numpy as np

from fastnn.training.callbacks.run import Run
from fastnn.training.callbacks.step_recorder import StepRecorder, steps_so_far

STATES = {"adagrad": "sum_square", "rmsprop": "mean_square"}  # optimizer -> the state c in lr / (√c + eps)
RATE, STEP = "effective rate", "effective rate step"  # their names in the history by step


class EffectiveRate(StepRecorder):
    """Puts lr / (√c + eps), the median over the first layer's weights, into `history.steps`, every `every` steps.

    For adagrad and rmsprop. history.steps["effective rate step"] holds which steps these were, from 1. Weights whose
    gradient has been 0 in every step do not count: nothing is multiplied by their rate.
    """

    def record(self, run: Run) -> None:
        optimizer, steps = run.optimizer, run.history.steps
        weights = next(name for name in run.model.parameters if name.endswith(".w"))
        c = optimizer.state[weights][STATES[optimizer.name]]
        known = c[c > 0].astype(np.float64)
        rates = optimizer.current_lr / (np.sqrt(known) + optimizer.eps)  # type: ignore[attr-defined]
        steps.setdefault(STEP, array("d")).append(steps_so_far(run))
        steps.setdefault(RATE, array("d")).append(float(np.median(rates)) if known.size else float("nan"))
