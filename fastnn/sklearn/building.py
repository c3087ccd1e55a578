"""From an estimator's parameters to a fastnn model and its optimizer."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastnn as fn
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss
from fastnn.nn.optimizers import Optimizer
from fastnn.sklearn.parameters import SKLEARN_ACTIVATIONS, sizes
from fastnn.training.models.dtypes import DtypeName

OUTPUT, TABLE = "output", "table"  # names of layers


@dataclass(frozen=True)
class Task:
    """What an estimator makes of a target.

    outputs     scores of a sample
    loss        of one sample, whose gradient is that of scikit-learn's
    scale       what the loss is multiplied with: fastnn takes means over outputs where scikit-learn takes sums
    metric      the figure by which validation data judge, as in `fn.Model`, and its name in the history
    activation  what makes predictions of scores, as scikit-learn calls it
    """

    outputs: int
    loss: Loss
    metric: Any
    metric_name: str
    activation: str
    scale: float = 1.0


def model_of(estimator: Any, task: Task, inputs: int, dtype: DtypeName, l2: float, seed: int) -> fn.Model:
    """A model with fresh weights."""
    value = x = fn.Input(inputs)
    for layer in _layers(estimator, task.outputs):
        value = layer(value)
    weights = None if task.scale == 1 else {OUTPUT: task.scale}
    metrics = [] if task.metric in task.loss.metrics else [task.metric]
    return fn.Model(
        x, {OUTPUT: value}, loss=task.loss, loss_weights=weights, metrics=metrics, dtype=dtype, seed=seed, l2=l2
    )


def _layers(estimator: Any, outputs: int) -> Iterator[Layer]:
    if estimator.table_ is not None:
        yield fn.Columns(**estimator.table_.layout, name=TABLE)
    if estimator.layers is not None:
        yield from estimator.layers
        yield fn.Dense(outputs, name=OUTPUT)
        return
    activation = SKLEARN_ACTIVATIONS.get(estimator.activation, estimator.activation)
    for size in sizes(estimator):
        if estimator.batch_norm:
            yield fn.Dense(size)
            yield fn.BatchNorm()
            yield fn.Activation(activation)
        else:
            yield fn.Dense(size, activation)
        if estimator.dropout:
            yield fn.Dropout(estimator.dropout)
    yield fn.Dense(outputs, name=OUTPUT)


def draw_weights(estimator: Any, coefs: list[np.ndarray], intercepts: list[np.ndarray], random: Any) -> None:
    """Begin with the weights and biases of scikit-learn's estimators for the same random_state.

    Both are uniform by Glorot and Bengio (2010), eq. 16; of sigmoids with a third of the variance.
    """
    factor = 2 if estimator.activation in ("logistic", "sigmoid") else 6
    for w, b in zip(coefs, intercepts, strict=True):
        limit = math.sqrt(factor / sum(w.shape))
        w[...] = random.uniform(-limit, limit, w.shape)
        b[...] = random.uniform(-limit, limit, b.shape)


def optimizer_of(estimator: Any) -> Optimizer:
    """A new optimizer for `solver`."""
    solver, lr = estimator.solver, estimator.learning_rate_init
    if isinstance(solver, Optimizer):
        return copy.deepcopy(solver)
    if solver == "adam":
        return fn.Adam(lr, beta1=estimator.beta_1, beta2=estimator.beta_2, eps=estimator.epsilon)
    return fn.SGD(lr, estimator.momentum, nesterov=bool(estimator.nesterovs_momentum and estimator.momentum))
