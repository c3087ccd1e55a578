"""Regression in scikit-learn's manner."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

import fastnn as fn
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss
from fastnn.sklearn.base import BaseMLP, is_stochastic
from fastnn.sklearn.building import Task


class MLPRegressor(MultiOutputMixin, RegressorMixin, BaseMLP):
    """A network that predicts numbers, one or several a sample.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer.
    activation : str, default="relu"
        Of the hidden layers: "identity", "logistic", "tanh", "relu" as in scikit-learn, or another of `fn.Dense`.
    solver : {"adam", "sgd", "lbfgs"} or fastnn optimizer, default="adam"
    alpha : float, default=1e-4
        Penalty on large weights: alpha / (2 · samples of a batch) · Σ w² is added to the loss.
    batch_size : int or "auto", default="auto"
        Samples a step; "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        For solver="sgd"; "invscaling" goes by `power_t`, "adaptive" divides by 5 where nothing improves.
    learning_rate_init : float or fastnn schedule, default=1e-3
    power_t : float, default=0.5
    max_iter : int, default=200
        Epochs at most, for "lbfgs" iterations.
    shuffle : bool, default=True
    random_state : int, RandomState instance or None, default=None
        Of the first weights, the order of samples, dropout and the validation split. The same number gives the same
        bits at any number of threads.
    tol : float, default=1e-4
        What counts as an improvement of the loss, or of the validation score.
    verbose : bool, default=False
        Whether a line is written each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights that are there.
    momentum, nesterovs_momentum : float, default=0.9, and bool, default=True
        For solver="sgd".
    early_stopping : bool, default=False
        Whether a validation score says when to stop; the best epoch's weights are kept.
    validation_fraction : float, default=0.1
        Samples set apart for that, unless `fit` gets `validation_data`.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        For solver="adam". As in Kingma and Ba's algorithm 1, epsilon stands beside the corrected √v̂; scikit-learn adds
        it to √v.
    n_iter_no_change : int, default=10
        Epochs without improvement that are tolerated.
    max_fun : int, default=15000
        Calls of the loss at most, for solver="lbfgs".
    dropout : float, default=0.0
        The part of each hidden layer's outputs that a step of training drops.
    batch_norm : bool, default=False
        Whether batch normalisation stands before each activation.
    layers : sequence of fastnn layers or None, default=None
        The network before the output layer, in place of the hidden layers described above.
        It takes samples (n_features,): `fn.Reshape((28, 28, 1))` makes images of them.
    loss : {"squared_error", "poisson", "absolute_error", "huber"} or fastnn loss, default="squared_error"
        "squared_error" is half the square of the difference, summed over outputs; "poisson" half the Poisson deviance,
        of counts from predictions exp(score).
    categorical_features : "from_dtype", array-like of str, int or bool, or None, default="from_dtype"
        The columns of categories, which are embedded: by name, position or as a mask. "from_dtype": of a frame those of
        text, truth values, pandas' categories and polars' Categorical and Enum. None: there are none.
    callbacks : sequence of fastnn callbacks or None, default=None
    dtype : {"auto", "float32", "float64"}, default="auto"
        Of weights and arithmetic; "auto": float32 for data that are float32, else float64.
    n_threads : int or None, default=None
        At most so many threads. None: those at hand; one in a worker thread of joblib.

    Attributes
    ----------
    model_ : fastnn.Model
        The trained network.
    table_ : fastnn.Table or None
        How a table with categories or missing numbers is encoded; None: X goes to the network as it is.
    n_features_in_, feature_names_in_ : int, and ndarray of str if X had names
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, units) and biases (units,) of each layer that has them, as views.
    loss_, best_loss_ : float
        The last loss and the lowest, penalty included.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_curve_, validation_scores_ : list of float, or None without validation data
        The loss and the score (R²) on the validation data after each epoch.
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs, and samples seen.
    n_layers_, n_outputs_, out_activation_ : int, int, str

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from fastnn.sklearn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = MLPRegressor(64, solver="lbfgs", max_iter=300, random_state=0).fit(X, y)
    >>> net.predict(X).shape
    (442,)
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: Any = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        batch_norm: bool = False,
        layers: Sequence[Layer] | None = None,
        loss: str | Loss = "squared_error",
        categorical_features: Any = "from_dtype",
        callbacks: Sequence[fn.Callback] | None = None,
        dtype: str = "auto",
        n_threads: int | None = None,
    ):
        self._keep(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> "MLPRegressor":
        """Train.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Of a frame with categories or missing numbers, numbers are standardised; a missing one counts as the mean,
            and a further input says that it was missing. Missing categories are a category; those that come later
            count as the mean of a column's categories.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            How much each sample counts.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            Judged after each epoch: `validation_curve_`, `validation_scores_`; used by `early_stopping`.

        Returns
        -------
        MLPRegressor
            Itself.

        Raises
        ------
        ValueError
            For data or parameters that cannot be, and where training diverges.
        """
        fitted: MLPRegressor = self._fit(X, y, sample_weight, validation_data)
        return fitted

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Train one epoch on these samples, with the optimizer of the call before; arguments as of `fit`."""
        fitted: MLPRegressor = self._fit(X, y, sample_weight, None, incremental=True)
        return fitted

    _y_numeric = True

    def _encoded(self, y: np.ndarray, learn: bool) -> np.ndarray:
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _task(self, y: np.ndarray) -> Task:
        outputs = 1 if y.ndim == 1 else y.shape[1]
        losses = {"squared_error": fn.MSE(scale=outputs / 2), "absolute_error": fn.MAE(), "huber": fn.Huber()}
        losses["poisson"] = fn.Poisson()
        loss = losses.get(self.loss, self.loss) if isinstance(self.loss, str) else self.loss
        if not isinstance(loss, Loss):
            raise ValueError(f"MLPRegressor: loss is {loss!r}, expected one of {list(losses)} or such as fn.Huber(2.0)")
        if isinstance(loss, fn.Poisson):
            return Task(outputs, loss, "r2", "r2", "exp", outputs)
        return Task(outputs, loss, "r2", "r2", "identity")

    def predict(self, X: Any) -> np.ndarray:
        """The numbers of each sample, (n_samples,), or (n_samples, n_outputs) where y had columns."""
        found = self._predicted(X)
        return found[:, 0] if self.n_outputs_ == 1 else found
