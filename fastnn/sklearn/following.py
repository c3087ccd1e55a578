"""What an estimator keeps of each epoch, and when it ends a training: as scikit-learn's do."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

import fastnn as fn
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import Schedule
from fastnn.training.callbacks.run import Run
from fastnn.training.models.model import Predictor

SLOWEST = 1e-6  # with learning_rate="adaptive" a training ends below this rate


class Follower(fn.Callback):
    """Writes an estimator's curves and counts, lowers the learning rate, stops where nothing improves any more.

    estimator : is trained; its curves exist
    metric    : the history's name of the score on validation data; None: there are no validation data
    judges    : whether that score says when to stop, and which weights are best; "loss": the validation loss does;
                False: the training loss

    The rules of scikit-learn: an epoch is no improvement unless it is better than the best by more than `tol`; more
    than `n_iter_no_change` of these end the training, or with "adaptive" divide the learning rate by 5.
    """

    def __init__(self, estimator: Any, metric: str | None, judges: bool | str):
        self.estimator, self.metric, self.judges = estimator, metric, judges
        self.best_state: dict[str, dict[str, np.ndarray]] | None = None
        self.converged = False

    def epochs_at_once(self, run: Run) -> int:
        """The epochs without improvement that are left until the training may end: their losses are only recorded."""
        estimator = self.estimator
        decays = estimator.solver == "sgd" and estimator.learning_rate == "invscaling"
        if self.metric is not None or estimator.verbose or decays:
            return 0
        # A number above all others, but whole, where n_iter_no_change is infinite.
        return max(1, min(sys.maxsize, estimator.n_iter_no_change) + 1 - estimator._no_improvement_count)

    def on_epoch_end(self, run: Run) -> None:
        if reason := self.follow(run.samples, run.logs, run.model, run.optimizer):
            run.stop(reason)

    def follow(self, samples: int, logs: Mapping[str, Any], model: Predictor, optimizer: Optimizer) -> str:
        """Note an epoch of so many samples and its figures; why training should end, "" while it should not."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += samples
        estimator.loss_ = float(logs["loss"])
        estimator.loss_curve_.append(estimator.loss_)
        self._say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if self.metric is not None:
            estimator.validation_curve_.append(float(logs["val_loss"]))
            estimator.validation_scores_.append(float(logs[self.metric]))
            self._say(f"Validation score: {estimator.validation_scores_[-1]:.6f}")
        if self._improved(model):
            estimator._no_improvement_count = 0
        else:
            estimator._no_improvement_count += 1
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            optimizer.lr = estimator.learning_rate_init / (estimator.t_ + 1) ** estimator.power_t
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            return self._no_improvement(optimizer)
        return ""

    def _improved(self, model: Predictor) -> bool:
        """Whether this epoch is better than the best by more than tol; the best is kept."""
        estimator = self.estimator
        if not self.judges:
            loss, best = estimator.loss_, np.inf if estimator.best_loss_ is None else estimator.best_loss_
            estimator.best_loss_ = min(best, loss)
            return not loss > best - estimator.tol
        score, best = estimator.validation_scores_[-1], estimator.best_validation_score_
        estimator.best_validation_score_ = max(best, score)
        if self.judges == "loss":  # the less the better
            *before, loss = estimator.validation_curve_
            score, best = -loss, -min(before, default=np.inf)
        if score > best:
            self.best_state = model.snapshot()
        return not score < best + estimator.tol

    def _no_improvement(self, optimizer: Optimizer) -> str:
        estimator = self.estimator
        what = "validation loss" if self.judges == "loss" else "validation score" if self.judges else "training loss"
        told = f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} epochs"
        lr = optimizer.lr
        slows = estimator.solver == "sgd" and estimator.learning_rate == "adaptive"
        if not slows or isinstance(lr, Schedule) or lr <= SLOWEST:
            self.converged = True
            self._say(f"{told}. Stopping.")
            return told
        optimizer.lr = lr / 5
        estimator._no_improvement_count = 0
        self._say(f"{told}. Setting learning rate to {optimizer.lr:f}")
        return ""

    def _say(self, line: str) -> None:
        if self.estimator.verbose and sys.stdout is not None:
            sys.stdout.write(f"{line}\n")

    def on_train_end(self, run: Run) -> None:
        if self.best_state is not None:
            run.model.restore(self.best_state)
            run.put_back = True
