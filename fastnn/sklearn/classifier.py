"""Classification in scikit-learn's manner."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if

import fastnn as fn
from fastnn.nn.layers import Layer
from fastnn.sklearn.base import BaseMLP, is_stochastic
from fastnn.sklearn.building import Task
from fastnn.sklearn.labels import Labels, all_labels_right


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A network that classifies: two classes, several, or several labels at once.

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
    class_weight : dict, "balanced" or None, default=None
        How much each class counts: {label: weight}, or n_samples / (n_classes · count).
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
    classes_ : ndarray of shape (n_classes,)
        The labels; of several labels at once their numbers.
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
        The loss and the score (accuracy) on the validation data after each epoch.
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs, and samples seen.
    n_layers_, n_outputs_, out_activation_ : int, int, str

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastnn.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier((32, 16), dropout=0.1, max_iter=500, random_state=0).fit(X, y)
    >>> net.predict(X[:2])
    array([0, 0])
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
        class_weight: Any = None,
        categorical_features: Any = "from_dtype",
        callbacks: Sequence[fn.Callback] | None = None,
        dtype: str = "auto",
        n_threads: int | None = None,
    ):
        self._keep(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> "MLPClassifier":
        """Train.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Of a frame with categories or missing numbers, numbers are standardised; a missing one counts as the mean,
            and a further input says that it was missing. Missing categories are a category; those that come later
            count as the mean of a column's categories.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, also strings; or of several labels at once an indicator of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each sample counts.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            Judged after each epoch: `validation_curve_`, `validation_scores_`; used by `early_stopping`.

        Returns
        -------
        MLPClassifier
            Itself.

        Raises
        ------
        ValueError
            For data or parameters that cannot be, and where training diverges.
        """
        fitted: MLPClassifier = self._fit(X, y, sample_weight, validation_data)
        return fitted

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Train one epoch on these samples, with the optimizer of the call before.

        Parameters
        ----------
        X, y, sample_weight
            As of `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will come. The first call needs them.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        if classes is None and not hasattr(self, "_labels"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None and not hasattr(self, "_labels"):
            self._labels = Labels.of_classes(y, classes)
        elif classes is not None:
            self._labels.check_same(classes)
        fitted: MLPClassifier = self._fit(X, y, sample_weight, None, incremental=True)
        return fitted

    @property
    def classes_(self) -> np.ndarray:
        return self._labels.classes

    def _encoded(self, y: np.ndarray, learn: bool) -> np.ndarray:
        if learn:
            self._labels = Labels.of(y)
        return self._labels.encoded(y)

    def _check_again(self, y: np.ndarray) -> None:
        self._labels.check_all_there(y)

    def _task(self, y: np.ndarray) -> Task:
        count = len(self.classes_)
        if self._labels.several:  # fastnn takes the mean over labels, scikit-learn the sum
            return Task(count, fn.BinaryCrossEntropy(), all_labels_right, "all_labels_right", "logistic", count)
        if count > 2:
            return Task(count, fn.SoftmaxCrossEntropy(), "accuracy", "accuracy", "softmax")
        return Task(1, fn.BinaryCrossEntropy(), "accuracy", "accuracy", "logistic")

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None if self._labels.several else y

    def _class_weights(self, y: np.ndarray) -> np.ndarray | None:
        return None if self.class_weight is None else compute_sample_weight(self.class_weight, y)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label of each sample, (n_samples,); of several labels at once an indicator, one column each."""
        probabilities = self.predict_proba(X)
        return self._labels.likeliest(probabilities)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, (n_samples, n_classes), in the order of `classes_`."""
        found = self._predicted(X)
        if self._labels.several or len(self.classes_) > 2:
            return found
        return np.hstack([1 - found, found]) if len(self.classes_) == 2 else np.ones_like(found)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):  # a probability may be rounded to 0
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
