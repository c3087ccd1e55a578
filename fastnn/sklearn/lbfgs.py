"""Training by L-BFGS, of all samples at once: SciPy's, with fastnn's loss and gradients."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

import fastnn as fn
from fastnn.common.hints.habits import warn
from fastnn.sklearn.data import Data


class _Objective:
    """The loss of all data as a function of all weights, those of every parameter one after the other."""

    def __init__(self, model: fn.Model, data: Data):
        self._model, self._data = model, data
        self._names = list(self._loss_and_gradients()[1])

    def _loss_and_gradients(self) -> tuple[float, Mapping[str, np.ndarray]]:
        return self._model.loss_and_gradients(*self._data.xy, sample_weight=self._data.weight)

    def _flat(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([np.asarray(arrays[name], np.float64).ravel() for name in self._names])

    @property
    def weights(self) -> np.ndarray:
        """Those of the model, float64."""
        return self._flat(self._model.parameters)

    @weights.setter
    def weights(self, flat: np.ndarray) -> None:
        begin = 0
        for name in self._names:
            array = self._model.parameters[name]
            array[...] = flat[begin : begin + array.size].reshape(array.shape)
            begin += array.size

    def __call__(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss at these weights, and its gradient."""
        self.weights = weights
        loss, gradients = self._loss_and_gradients()
        return loss, self._flat(gradients)


def train(estimator: Any, model: fn.Model, data: Data) -> None:
    """Bring the model's weights to a minimum of the loss; sets n_iter_ and loss_. ConvergenceWarning if none is found.

    SciPy's optimizer works in float64, whatever the model's dtype is.
    """
    if any(isinstance(layer, fn.Dropout | fn.BatchNorm) for layer in model.layers):
        raise ValueError(
            "solver='lbfgs' needs a loss that is a function of the weights alone, but dropout draws and batch_norm "
            "keeps running statistics: expected solver='adam' or 'sgd'"
        )
    objective = _Objective(model, data)
    options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    found = minimize(objective, objective.weights, method="L-BFGS-B", jac=True, options=options)
    objective.weights = found.x
    estimator.n_iter_, estimator.loss_ = min(int(found.nit), estimator.max_iter), float(found.fun)
    estimator.best_loss_ = estimator.loss_
    if found.status:
        warn(
            f"lbfgs did not converge after {found.nit} iterations: {found.message}; more max_iter or max_fun, or data "
            "of mean 0 and deviation 1 may help",
            ConvergenceWarning,
        )
