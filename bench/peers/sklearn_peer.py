"""Training steps in scikit-learn: `MLPClassifier.partial_fit`, which is public.

Two things are not: the starting weights are written into `coefs_` after a first call has made them, and
`_optimizer` is deleted, so that the next call makes a fresh one for them.

When losses are compared each step is a call. When the clock runs a whole turn is one call on its batches
gathered one after the other, so that scikit-learn checks its input once a turn; a step that takes all samples
is a call by itself.
"""

import numba
import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import fastnn as fn
from bench.peers import Absent, Run
from bench.peers.order import Order
from bench.system import System

ACTIVATIONS = {"relu": "relu", "sigmoid": "logistic", "tanh": "tanh", "identity": "identity"}


def check(system: System) -> None:
    """Absent, unless this is a stack of dense layers with one activation below more than two softmax scores."""
    layers = system.layers
    if not all(isinstance(layer, fn.Dense) for layer in layers):
        raise Absent("scikit-learn has dense layers only")
    if not system.loss.takes_labels or layers[-1].units < 3:
        raise Absent("scikit-learn's classifier has a softmax for three classes or more, nothing else")
    if len({layer.activation for layer in layers[:-1]}) != 1:
        raise Absent("scikit-learn has one activation for all hidden layers")


def settings(system: System) -> dict:
    """The optimizer's settings. A loss that is a sum is a mean with a learning rate B times as large."""
    ours, factor = system.optimizer, factor_of(system)
    if isinstance(ours, fn.Adam):
        betas = {"beta_1": ours.beta1, "beta_2": ours.beta2, "epsilon": ours.eps}
        return {"solver": "adam", "learning_rate_init": ours.lr * factor} | betas
    momentum = {"momentum": ours.momentum, "nesterovs_momentum": False}
    return {"solver": "sgd", "learning_rate_init": ours.lr * factor} | momentum


def factor_of(system: System) -> int:
    return system.batch if system.loss.reduction == "sum" else 1


def classifier(system: System, model: fn.Sequential, x: np.ndarray, y: np.ndarray) -> MLPClassifier:
    """A classifier with the model's parameters that has made no step yet."""
    net = MLPClassifier(
        hidden_layer_sizes=[layer.units for layer in system.layers[:-1]],
        activation=ACTIVATIONS[system.layers[0].activation],
        alpha=system.l2,
        batch_size=system.batch,
        shuffle=False,
        **settings(system),
    )
    net.partial_fit(x[: system.batch], y[: system.batch], classes=np.arange(system.layers[-1].units))
    for i, name in enumerate(model.network.names):
        net.coefs_[i] = model.parameters[f"{name}.w"].copy()
        net.intercepts_[i] = model.parameters[f"{name}.b"].copy()
    del net._optimizer
    return net


def runner(traits: frozenset[str], system: System, model: fn.Sequential, shuffle: bool) -> Run:
    """run(steps) -> losses: of each step, or, with `shuffle`, their mean alone. There is one form, without traits."""
    check(system)
    threadpool_limits(numba.get_num_threads())
    x, y = system.data()
    net, order = classifier(system, model, x, y), Order(system, shuffle)

    def fit(rows: np.ndarray) -> float:
        net.partial_fit(*((x, y) if system.whole else (x[rows], y[rows])))
        return factor_of(system) * net.loss_

    def run(steps: int) -> list[float]:
        orders = order.take(steps)
        return [fit(orders.ravel())] if shuffle and not system.whole else [fit(rows) for rows in orders]

    return run
