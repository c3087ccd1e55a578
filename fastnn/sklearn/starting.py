"""Before the first step of a `fit`: the model, new or as it is; its penalty, its optimizer, its curves."""

import copy
from typing import Any

import numpy as np

import fastnn as fn
from fastnn.common.hints.habits import warn
from fastnn.data.column_names import of_features
from fastnn.sklearn import building
from fastnn.sklearn.data import Data


def prepare(estimator: Any, given: Data, fresh: bool, incremental: bool, random: Any, validated: bool) -> int:
    """Make the model, or take the one that is there; begin or continue the curves. The samples of a step.

    incremental : for one epoch, as of `partial_fit`
    validated   : whether validation data are judged
    """
    batch = _batch_size(estimator, len(given.x))
    penalty = float(estimator.alpha) * len(given.x) / (batch * given.whole_weight)
    if fresh:
        _begin(estimator, given, penalty, random)
    elif penalty != estimator.model_.network.l2:
        _change_penalty(estimator, given, penalty)
    if estimator.solver != "lbfgs" and (estimator._optimizer is None or not incremental):
        estimator._optimizer = building.optimizer_of(estimator)
    if validated and estimator.validation_curve_ is None:
        estimator.validation_curve_, estimator.validation_scores_, estimator.best_validation_score_ = [], [], -np.inf
    estimator.n_iter_ = 0
    return batch


def _batch_size(estimator: Any, samples: int) -> int:
    if estimator.solver == "lbfgs":
        return samples
    size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    if estimator.batch_size != "auto" and size > samples:
        warn(f"Got `batch_size` larger than sample size. It is clipped to {samples}")
    size = min(size, samples)
    while estimator.batch_norm and 1 < size < samples and samples % size == 1:
        size += 1  # one sample has no variance
    return size


def _begin(estimator: Any, given: Data, penalty: float, random: Any) -> None:
    start = random.get_state()
    estimator.model_ = _built(estimator, given, penalty, int(random.randint(2**31 - 1)))
    if estimator.layers is None:
        random.set_state(start)
        building.draw_weights(estimator, estimator.coefs_, estimator.intercepts_, random)
    task = estimator._task(given.y)
    estimator.n_outputs_, estimator.out_activation_ = task.outputs, task.activation
    estimator.n_layers_ = len(estimator.coefs_) + 1
    estimator.n_iter_ = estimator.t_ = estimator._no_improvement_count = 0
    estimator.loss_curve_ = []
    estimator.validation_curve_ = estimator.validation_scores_ = estimator.best_validation_score_ = None
    estimator.best_loss_ = None if estimator.early_stopping else np.inf
    estimator._optimizer = None


def _change_penalty(estimator: Any, given: Data, penalty: float) -> None:
    """A network has one penalty; that of scikit-learn is alpha / samples of a batch, which a `partial_fit` changes.

    So the model becomes another one with the same weights and counts, and a copy of the optimizer trains it.
    """
    made = _built(estimator, given, penalty, estimator.model_.seed)
    made.restore(estimator.model_.snapshot())
    made.epoch = estimator.model_.epoch
    estimator.model_, estimator._optimizer = made, copy.deepcopy(estimator._optimizer)


def _built(estimator: Any, given: Data, penalty: float, seed: int) -> fn.Model:
    dtype: Any = str(given.x.dtype if str(estimator.dtype) == "auto" else estimator.dtype)
    model = building.model_of(estimator, estimator._task(given.y), given.x.shape[1], dtype, penalty, seed)
    if estimator.table_ is None:  # the model itself may be asked, saved and exported
        model.columns = of_features(estimator)
    return model
