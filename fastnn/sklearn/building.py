"""From an estimator's parameters to a fastnn model and its optimizer."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fastnn as fn
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss
from fastnn.nn.optimizers import Optimizer
from fastnn.sklearn.parameters import SKLEARN_ACTIVATIONS, sizes

OUTPUT = "output"


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


def model_of(
    estimator: Any, task: Task, inputs: int, first: Layer | None, dtype: str, l2: float, seed: int
) -> fn.Model:
    """A model with fresh weights. first: a layer before all others, for tables with categories."""
    x = fn.Input(inputs)
    value = x if first is None else first(x)
    width = inputs if first is None else value.shape[0]
    for layer in _layers(estimator, width, task.outputs):
        value = layer(value)
    weights = None if task.scale == 1 else {OUTPUT: task.scale}
    metrics = [] if task.metric in task.loss.metrics else [task.metric]
    return fn.Model(
        x, {OUTPUT: value}, loss=task.loss, loss_weights=weights, metrics=metrics, dtype=dtype, seed=seed, l2=l2
    )


def _layers(estimator: Any, inputs: int, outputs: int) -> Iterator[Layer]:
    if estimator.layers is not None:
        yield from estimator.layers
        yield fn.Dense(outputs, name=OUTPUT)
        return
    name = estimator.activation
    activation = SKLEARN_ACTIVATIONS.get(name, name)
    for size in sizes(estimator):
        start = _start(name, inputs, size)
        if estimator.batch_norm:
            yield fn.Dense(size, **start)
            yield fn.BatchNorm()
            yield fn.Activation(activation)
        else:
            yield fn.Dense(size, activation, **start)
        if estimator.dropout:
            yield fn.Dropout(estimator.dropout)
        inputs = size
    yield fn.Dense(outputs, name=OUTPUT, **_start(name, inputs, outputs))


def _start(activation: str, inputs: int, outputs: int) -> dict[str, Any]:
    """How weights and biases begin, as in scikit-learn: by Glorot and Bengio (2010), eq. 16; of sigmoids a third."""
    limit = math.sqrt((2 if activation in ("logistic", "sigmoid") else 6) / (inputs + outputs))
    uniform = fn.initializers.Uniform(limit)
    return {"initializer": uniform, "bias_initializer": uniform}


def with_penalty(estimator: Any, model: fn.Model, optimizer: Optimizer | None, build: Any) -> Any:
    """The model that `build` makes, with the weights and the counts of `model`, and a copy of the optimizer for it.

    A network has one penalty; that of scikit-learn is alpha / samples of a batch, which another `partial_fit` changes.
    """
    other = build()
    other.restore(model.snapshot())
    other.epoch = model.epoch
    return other, copy.deepcopy(optimizer)


def optimizer_of(estimator: Any) -> Optimizer:
    """A new optimizer for `solver`."""
    solver, lr = estimator.solver, estimator.learning_rate_init
    if isinstance(solver, Optimizer):
        return copy.deepcopy(solver)
    if solver == "adam":
        return fn.Adam(lr, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    return fn.SGD(lr, estimator.momentum, nesterov=bool(estimator.nesterovs_momentum and estimator.momentum))
