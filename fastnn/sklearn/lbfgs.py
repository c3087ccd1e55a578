"""Training by L-BFGS, of all samples at once: SciPy's, with fastnn's loss and gradients."""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

import fastnn as fn
from fastnn.sklearn.data import Data


def train(estimator: Any, model: fn.Model, data: Data) -> None:
    """Bring the model's weights to a minimum of the loss; sets n_iter_ and loss_. ConvergenceWarning if none is found.

    SciPy's optimizer works in float64, whatever the model's dtype is.
    """
    drops = any(isinstance(layer, fn.Dropout | fn.BatchNorm) for layer in model.layers)
    if drops:
        raise ValueError(
            "solver='lbfgs' needs a loss that is a function of the weights alone, but dropout draws and batch_norm "
            "keeps running statistics: expected solver='adam' or 'sgd'"
        )
    names = list(model.loss_and_gradients(*data.xy, sample_weight=data.weight)[1])

    def assign(flat: np.ndarray) -> None:
        begin = 0
        for name in names:
            array = model.parameters[name]
            array[...] = flat[begin : begin + array.size].reshape(array.shape)
            begin += array.size

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        assign(flat)
        loss, gradients = model.loss_and_gradients(*data.xy, sample_weight=data.weight)
        return loss, flattened(gradients)

    def flattened(arrays: Any) -> np.ndarray:
        return np.concatenate([np.asarray(arrays[name], np.float64).ravel() for name in names])

    options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    found = minimize(loss_and_gradient, flattened(model.parameters), method="L-BFGS-B", jac=True, options=options)
    assign(found.x)
    estimator.n_iter_, estimator.loss_ = min(int(found.nit), estimator.max_iter), float(found.fun)
    estimator.best_loss_ = estimator.loss_
    if found.status:
        warnings.warn(
            f"lbfgs did not converge after {found.nit} iterations: {found.message}; more max_iter or max_fun, or data "
            "of mean 0 and deviation 1 may help",
            ConvergenceWarning,
            stacklevel=6,
        )
