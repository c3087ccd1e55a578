"""What both estimators share: from `fit` to a trained model, and its predictions."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

import fastnn as fn
from fastnn.sklearn import building, data, epochs, lbfgs, parameters, sharing, starting, tables
from fastnn.sklearn.building import Task
from fastnn.sklearn.data import Data
from fastnn.sklearn.parameters import is_stochastic

if TYPE_CHECKING:
    from typing_extensions import Self


class BaseMLP(BaseEstimator):
    """Training and prediction; subclasses say what targets are."""

    # The parameters of both, which their constructors take.
    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    alpha: float
    batch_size: Any
    learning_rate: str
    learning_rate_init: Any
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: Any
    warm_start: bool
    early_stopping: Any
    validation_fraction: float
    n_iter_no_change: float
    max_fun: int
    batch_norm: bool
    categorical_features: Any
    layers: Any
    callbacks: Iterable[fn.Callback] | None
    dtype: Any
    n_threads: int | None

    # What `fit` finds.
    model_: fn.Model
    table_: fn.Table | None
    loss_curve_: list[float]
    validation_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    best_loss_: float | None
    n_iter_: int
    t_: int
    _optimizer: Any

    def _keep(self, given: dict[str, Any]) -> None:
        """Set the parameters of a constructor, all by their names."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    # What a subclass says of its targets.

    def _encoded(self, y: np.ndarray, learn: bool) -> np.ndarray:
        """The target as the network takes it; `learn`: what it says of classes is new."""
        raise NotImplementedError

    def _check_again(self, y: np.ndarray) -> None:
        """ValueError if a `fit` with warm_start cannot go on with this target."""

    def _task(self, y: np.ndarray) -> Task:
        raise NotImplementedError

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """By what a validation set is stratified."""
        return None

    def _class_weights(self, y: np.ndarray) -> np.ndarray | None:
        return None

    # Training.

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> "Self":
        """Train.

        Args:
            X (array-like, frame or sparse matrix of shape (n_samples, n_features)): Of a frame with categories or
                missing numbers, numbers are standardised; a missing one counts as the mean, and a further input says
                that it was missing. Missing categories are a category; those that come later count as the mean of a
                column's categories.
            y (array-like of shape (n_samples,) or (n_samples, n_outputs)): Of a regressor numbers. Of a classifier
                labels, also strings; or of several labels at once an indicator of 0 and 1.
            sample_weight (array-like of shape (n_samples,) or None): How much each sample counts.
            validation_data (tuple (X, y) or (X, y, sample_weight), or None): Judged after each epoch:
                `validation_curve_`, `validation_scores_`; used by `early_stopping`.

        Returns:
            Itself.

        Raises:
            ValueError: For data or parameters that cannot be, and where training diverges.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Self":
        """Train one epoch on these samples, with the optimizer of the call before.

        Args:
            X: As of `fit`.
            y: As of `fit`.
            sample_weight: As of `fit`.

        Returns:
            Itself.
        """
        return self._fit(X, y, sample_weight, None, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool = False) -> Any:
        parameters.check(self)
        if incremental and self.early_stopping:
            raise ValueError(f"partial_fit does not support early_stopping={self.early_stopping}")
        fresh = not hasattr(self, "model_") or not (self.warm_start or incremental)
        X, y = self._validated(X, y, fresh)
        if self.warm_start and not fresh:
            self._check_again(y)
        target = self._encoded(y, fresh and not incremental)
        given = Data(X, target, data.weights(sample_weight, X, self._class_weights(y)))
        random = check_random_state(self.random_state)
        stochastic = self.solver != "lbfgs"
        apart = self._validation(validation_data)
        if stochastic and self.early_stopping and apart is None:
            given, apart = data.cut(given, self.validation_fraction, random, self._strata(y))
        with sharing.threads(self.n_threads):
            batch = starting.prepare(self, given, fresh, incremental, random, apart is not None)
            if stochastic:
                epochs.train(self, given, apart, batch, incremental)
            else:
                lbfgs.train(self, self.model_, given)
        if not all(np.isfinite(array).all() for array in self.model_.parameters.values()):
            raise ValueError(epochs.NON_FINITE)
        if fresh and self.table_ is not None and self.table_.categories:
            self.table_.fill_untrained(self.model_.parameters[f"{building.TABLE}.w"])
        return self

    def _validated(self, X: Any, y: Any, fresh: bool) -> tuple[np.ndarray, np.ndarray]:
        return tables.samples_and_target(self, X, y, fresh, self._y_numeric)

    _y_numeric = False

    def _validation(self, given: Any) -> Data | None:
        """The user's own validation data, (X, y) or (X, y, sample_weight)."""
        if given is None:
            return None
        if self.solver == "lbfgs":
            raise ValueError("validation_data is judged after each epoch, which solver='lbfgs' does not have")
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise ValueError(f"validation_data is {type(given).__name__}, expected (X, y) or (X, y, sample_weight)")
        X, y = self._validated(given[0], given[1], fresh=False)
        return Data(X, self._encoded(y, False), data.weights(given[2] if len(given) == 3 else None, X))

    # Prediction.

    def _predicted(self, X: Any) -> np.ndarray:
        """What the network predicts, (n_samples, outputs)."""
        check_is_fitted(self)
        X = tables.samples(self, X)
        with sharing.threads(self.n_threads):
            found: np.ndarray = self.model_.predict(X)
        return found

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of the dense layers, (inputs, units) each, the output's last: views, which may be written."""
        check_is_fitted(self)
        arrays = self.model_.parameters.items()
        return [array for name, array in arrays if name.endswith(".w") and name != f"{building.TABLE}.w"]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of the dense layers, (units,) each: views."""
        check_is_fitted(self)
        return [array for name, array in self.model_.parameters.items() if name.endswith(".b")]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
