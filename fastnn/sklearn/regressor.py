"""Regression in scikit-learn's manner."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import column_or_1d

import fastnn as fn
from fastnn.common.plain import plain
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss
from fastnn.sklearn.base import BaseMLP
from fastnn.sklearn.building import Task


class MLPRegressor(MultiOutputMixin, RegressorMixin, BaseMLP):
    """A network that predicts numbers, one or several a sample.

    Args:
        hidden_layer_sizes (int or sequence of int): Units of each hidden layer.
        activation: Of the hidden layers: "identity", "logistic", "tanh", "relu" as in scikit-learn, or another of
            `fn.Dense`.
        solver (str or fastnn optimizer): "adam", "sgd", "lbfgs", or an optimizer such as `fn.AdamW(1e-3)`.
        alpha: Penalty on large weights: alpha / (2 · samples of a batch) · Σ w² is added to the loss.
        batch_size (int or str): Samples a step; "auto" is min(200, n_samples).
        learning_rate: "constant", "invscaling" or "adaptive", for solver="sgd"; "invscaling" goes by `power_t`,
            "adaptive" divides by 5 where nothing improves.
        learning_rate_init (float or fastnn schedule): The first learning rate.
        power_t: The exponent of "invscaling".
        max_iter: Epochs at most, for "lbfgs" iterations.
        shuffle: Whether each epoch has a new order of samples.
        random_state (int, RandomState instance or None): Of the first weights, the order of samples, dropout and the
            validation split. The same number gives the same bits at any number of threads.
        tol: What counts as an improvement of the loss, or of the validation score.
        verbose (bool): Whether a line is written each epoch.
        warm_start: Whether `fit` goes on from the weights that are there.
        momentum: For solver="sgd".
        nesterovs_momentum: Whether that is Nesterov's, for solver="sgd".
        early_stopping (bool or str): Whether a validation score says when to stop, as in scikit-learn; "loss": the
            validation loss does, which is steadier than the R² of few samples. The best epoch's weights are kept.
        validation_fraction: Samples set apart for that, unless `fit` gets `validation_data`.
        beta_1: For solver="adam".
        beta_2: For solver="adam".
        epsilon: For solver="adam". As in Kingma and Ba's algorithm 1, epsilon stands beside the corrected √v̂;
            scikit-learn adds it to √v.
        n_iter_no_change: Epochs without improvement that are tolerated.
        max_fun: Calls of the loss at most, for solver="lbfgs".
        dropout: The part of each hidden layer's outputs that a step of training drops.
        batch_norm: Whether batch normalisation stands before each activation.
        layers: The network before the output layer, in place of the hidden layers described above. It takes samples
            (n_features,): `fn.Reshape((28, 28, 1))` makes images of them.
        loss: "squared_error": half the square of the difference, summed over outputs; "poisson": half the Poisson
            deviance, of counts from predictions exp(score); "absolute_error", "huber"; or a loss such as
            `fn.Huber(2.0)`.
        categorical_features (str, array-like of str, int or bool, or None): The columns of categories, which are
            embedded: by name, position or as a mask. "from_dtype": of a frame those of text, truth values, pandas'
            categories and polars' Categorical and Enum. None: there are none.
        callbacks: fastnn's callbacks, such as `fn.TimeLimit(60)`.
        dtype: Of weights and arithmetic: "float32", "float64"; "auto": float32 for data that are float32, else float64.
        n_threads: The largest number of threads. None: those at hand; one in a worker thread of joblib.

    Attributes:
        model_ (fastnn.Model): The trained network.
        table_ (fastnn.Table or None): How a table with categories or missing numbers is encoded; None: X goes to the
            network as it is.
        n_features_in_ (int): Features of X.
        feature_names_in_ (ndarray of str): Their names, if X had names.
        coefs_ (list of ndarray): Weights (inputs, units) of each layer that has them, as views.
        intercepts_ (list of ndarray): Biases (units,) of each layer that has them, as views.
        loss_ (float): The last loss, penalty included.
        best_loss_ (float): The lowest loss, penalty included.
        loss_curve_ (list of float): The loss of each epoch.
        validation_curve_ (list of float or None): The loss on the validation data after each epoch; None without such
            data.
        validation_scores_ (list of float or None): The score (R²) on them.
        best_validation_score_ (float or None): The best of them.
        n_iter_ (int): Epochs.
        t_ (int): Samples seen.
        n_layers_ (int): Layers, that of the input included.
        n_outputs_ (int): Outputs of the network.
        out_activation_ (str): Of the output layer.

    Examples:
        >>> from sklearn.datasets import load_diabetes
        >>> from fastnn.sklearn import MLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> net = MLPRegressor(64, solver="lbfgs", max_iter=10, tol=10.0, random_state=0).fit(X, y)
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
        early_stopping: Any = False,
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

    _y_numeric = True

    def _encoded(self, y: np.ndarray, learn: bool) -> np.ndarray:
        if y.dtype.kind in "SU":
            raise ValueError(
                f"y holds texts such as {plain(y.flat[0])!r:.60}, expected numbers: y.astype(float) makes them of "
                "digits; MLPClassifier predicts classes"
            )
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
        """The numbers of each sample, (n_samples,), or (n_samples, n_outputs) where y had columns.

        Args:
            X: As of `fit`.
        """
        found = self._predicted(X)
        return found[:, 0] if self.n_outputs_ == 1 else found
