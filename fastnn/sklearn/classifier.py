"""Classification in scikit-learn's manner."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

import fastnn as fn
from fastnn.nn.layers import Layer
from fastnn.sklearn.base import BaseMLP
from fastnn.sklearn.building import Task
from fastnn.sklearn.labels import Labels, all_labels_right
from fastnn.sklearn.parameters import is_stochastic


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A network that classifies: two classes, several, or several labels at once.

    A y of one class is accepted, as by scikit-learn's `MLPClassifier`, for a small fold of a cross-validation may
    have no other; that class is then predicted for any sample.

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
            validation loss does, which is steadier than the accuracy of few samples. The best epoch's weights are kept.
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
        class_weight (dict, str or None): How much each class counts: {label: weight}, or "balanced": n_samples /
            (n_classes · count).
        categorical_features (str, array-like of str, int or bool, or None): The columns of categories, which are
            embedded: by name, position or as a mask. "from_dtype": of a frame those of text, truth values, pandas'
            categories and polars' Categorical and Enum. None: there are none.
        callbacks: fastnn's callbacks, such as `fn.TimeLimit(60)`.
        dtype: Of weights and arithmetic: "float32", "float64"; "auto": float32 for data that are float32, else float64.
        n_threads: The largest number of threads. None: those at hand; one in a worker thread of joblib.

    Attributes:
        model_ (fastnn.Model): The trained network.
        classes_ (ndarray of shape (n_classes,)): The labels; of several labels at once their numbers.
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
        validation_scores_ (list of float or None): The score (accuracy) on them.
        best_validation_score_ (float or None): The best of them.
        n_iter_ (int): Epochs.
        t_ (int): Samples seen.
        n_layers_ (int): Layers, that of the input included.
        n_outputs_ (int): Outputs of the network.
        out_activation_ (str): Of the output layer.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from fastnn.sklearn import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> net = MLPClassifier((32, 16), dropout=0.1, learning_rate_init=0.01, tol=0.01, random_state=0).fit(X, y)
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
        class_weight: Any = None,
        categorical_features: Any = "from_dtype",
        callbacks: Sequence[fn.Callback] | None = None,
        dtype: str = "auto",
        n_threads: int | None = None,
    ):
        self._keep(locals())

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Train one epoch on these samples, with the optimizer of the call before.

        Args:
            X: As of `fit`.
            y: As of `fit`.
            sample_weight: As of `fit`.
            classes (array-like of shape (n_classes,) or None): All labels that will come. The first call needs them.

        Returns:
            Itself.
        """
        if classes is None and not hasattr(self, "_labels"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None and not hasattr(self, "_labels"):
            self._labels = Labels.of_classes(y, classes)
        elif classes is not None:
            self._labels.check_same(classes)
        return self._fit(X, y, sample_weight, None, incremental=True)

    @property
    def classes_(self) -> np.ndarray:
        """The labels, (n_classes,); of several labels at once their numbers. NotFittedError, if there are none yet."""
        check_is_fitted(self, "_labels")
        return self._labels.classes

    def _validated(self, X: Any, y: Any, fresh: bool) -> tuple[np.ndarray, np.ndarray]:
        if fresh:
            self._sparse_y = issparse(y)
        return super()._validated(X, y, fresh)

    def _encoded(self, y: np.ndarray, learn: bool) -> np.ndarray:
        if learn:
            self._labels = Labels.of(y)
        return self._labels.encoded(y, found_in_it=learn)

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
        """The classes, unless one of several has too few samples for both parts: scikit-learn stratifies two alone."""
        if self._labels.several:
            return None
        counts = np.unique(y, return_counts=True)[1]
        apart = math.ceil(self.validation_fraction * len(y))
        is_possible = counts.min() > 1 and len(counts) <= min(apart, len(y) - apart)
        return y if is_possible or len(counts) <= 2 else None

    def _class_weights(self, y: np.ndarray) -> np.ndarray | None:
        return None if self.class_weight is None else compute_sample_weight(self.class_weight, y)

    def predict(self, X: Any) -> Any:
        """The likeliest label of each sample, (n_samples,); of several labels at once an indicator, one column each.

        The indicator is a sparse matrix where y of `fit` was one.

        Args:
            X: As of `fit`.
        """
        probabilities = self.predict_proba(X)
        found = self._labels.likeliest(probabilities)
        return csr_matrix(found) if self._labels.several and self._sparse_y else found

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, (n_samples, n_classes), in the order of `classes_`.

        Args:
            X: As of `fit`.
        """
        found = self._predicted(X)
        if self._labels.several or len(self.classes_) > 2:
            return found
        return np.hstack([1 - found, found]) if len(self.classes_) == 2 else np.ones_like(found)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`.

        Args:
            X: As of `fit`.
        """
        with np.errstate(divide="ignore"):  # a probability may be rounded to 0
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
