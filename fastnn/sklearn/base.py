"""What both estimators share: from `fit` to a trained model, and its predictions."""

import warnings
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

import fastnn as fn
from fastnn.common.errors import NonFiniteError
from fastnn.sklearn import building, data, lbfgs, parameters, sharing
from fastnn.sklearn.building import Task
from fastnn.sklearn.data import Data
from fastnn.sklearn.following import Follower

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


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
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: float
    max_fun: int
    batch_norm: bool
    layers: Any
    callbacks: Iterable[fn.Callback] | None
    dtype: Any
    n_threads: int | None

    # What `fit` finds.
    model_: fn.Model
    loss_curve_: list[float]
    validation_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    best_loss_: float | None
    n_iter_: int
    t_: int
    _optimizer: Any
    _batch: int

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

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool = False) -> Any:
        parameters.check(self)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
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
            self._prepare(given, fresh, incremental, random, apart is not None)
            if stochastic:
                self._train(given, apart, 1 if incremental else self.max_iter, incremental)
            else:
                lbfgs.train(self, self.model_, given)
        if not all(np.isfinite(array).all() for array in self.model_.parameters.values()):
            raise ValueError(NON_FINITE)
        return self

    def _validated(self, X: Any, y: Any, fresh: bool) -> tuple[np.ndarray, np.ndarray]:
        settings = {"accept_sparse": ["csr", "csc"], "multi_output": True, "dtype": data.FLOATS, "reset": fresh}
        X, y = validate_data(self, X, y, y_numeric=self._y_numeric, **settings)
        return data.dense(X, "X"), data.dense(y, "y")

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

    def _batch_size(self, samples: int) -> int:
        if self.solver == "lbfgs":
            return samples
        size = 200 if self.batch_size == "auto" else int(self.batch_size)
        if self.batch_size != "auto" and size > samples:
            warnings.warn(f"Got `batch_size` larger than sample size. It is clipped to {samples}", stacklevel=5)
        size = min(size, samples)
        while self.batch_norm and 1 < size < samples and samples % size == 1:
            size += 1  # one sample has no variance
        return size

    def _prepare(self, given: Data, fresh: bool, incremental: bool, random: Any, validated: bool) -> None:
        """Make the model, or take the one that is there; begin or continue the curves."""
        batch = self._batch_size(len(given.x))
        penalty = float(self.alpha) * len(given.x) / (batch * given.whole_weight)
        if fresh:
            self._begin(given, penalty, random, validated)
        elif penalty != self.model_.network.l2:
            build = partial(self._built, given, penalty, self.model_.seed)
            self.model_, self._optimizer = building.with_penalty(self, self.model_, self._optimizer, build)
        if self.solver != "lbfgs" and (self._optimizer is None or not incremental):
            self._optimizer = building.optimizer_of(self)
        if validated and self.validation_curve_ is None:
            self.validation_curve_, self.validation_scores_, self.best_validation_score_ = [], [], -np.inf
        self._batch, self.n_iter_ = batch, 0

    def _built(self, given: Data, penalty: float, seed: int) -> fn.Model:
        dtype: Any = str(given.x.dtype if str(self.dtype) == "auto" else self.dtype)
        return building.model_of(self, self._task(given.y), given.x.shape[1], dtype, penalty, seed)

    def _begin(self, given: Data, penalty: float, random: Any, validated: bool) -> None:
        start = random.get_state()
        self.model_ = self._built(given, penalty, int(random.randint(2**31 - 1)))
        if self.layers is None:
            random.set_state(start)
            building.draw_weights(self, self.coefs_, self.intercepts_, random)
        task = self._task(given.y)
        self.n_outputs_, self.out_activation_, self.n_layers_ = task.outputs, task.activation, len(self.coefs_) + 1
        self.n_iter_ = self.t_ = self._no_improvement_count = 0
        self.loss_curve_ = []
        self.validation_curve_ = self.validation_scores_ = self.best_validation_score_ = None
        self.best_loss_ = None if self.early_stopping else np.inf
        self._optimizer = None

    def _train(self, given: Data, apart: Data | None, epochs: int, incremental: bool) -> None:
        metric = None if apart is None else f"val_{self._task(given.y).metric_name}"
        follower = Follower(self, metric, self.early_stopping)
        one_step = incremental and len(given.x) == self._batch and not self.callbacks and self.model_.epoch > 0
        try:
            if one_step:
                self._step(given, follower)
            else:
                self._run_epochs(given, apart, epochs, follower)
        except NonFiniteError as error:
            self._diverged(follower, error)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        if not incremental and self.n_iter_ == epochs and not follower.converged:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't converged "
                "yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _run_epochs(self, given: Data, apart: Data | None, epochs: int, follower: Follower) -> None:
        self.model_.fit(
            *given.xy,
            optimizer=self._optimizer,
            batch_size=self._batch,
            epochs=epochs,
            sample_weight=given.weight,
            validation_data=None if apart is None else (*apart.xy, apart.weight),
            shuffle=bool(self.shuffle),
            callbacks=[follower, *(self.callbacks or ())],
            verbose=False,
        )

    def _step(self, given: Data, follower: Follower) -> None:
        """An epoch of one step. Its compiled step is kept for the next call, which `Model.fit` would not do."""
        logs = self.model_.train_on_batch(*given.xy, optimizer=self._optimizer, sample_weight=given.weight)
        self.model_.epoch += 1
        follower.follow(len(given.x), logs, self.model_, self._optimizer)

    def _diverged(self, follower: Follower, error: NonFiniteError) -> None:
        """Go on with the best weights where there are any; scikit-learn's ValueError where there are none."""
        if follower.best_state is None:
            raise ValueError(f"{NON_FINITE} {error}") from error
        assert self.validation_scores_ is not None
        self.validation_scores_.append(float("nan"))
        warnings.warn(f"The weights are those of the best epoch: {error}", ConvergenceWarning, stacklevel=5)

    # Prediction.

    def _predicted(self, X: Any) -> np.ndarray:
        """What the network predicts, (n_samples, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], dtype=data.FLOATS, reset=False)
        with sharing.threads(self.n_threads):
            found: np.ndarray = self.model_.predict(data.dense(X, "X"))
        return found

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of the dense layers, (inputs, units) each, the output's last: views, which may be written."""
        return [array for name, array in self.model_.parameters.items() if name.endswith(".w")]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of the dense layers, (units,) each: views."""
        return [array for name, array in self.model_.parameters.items() if name.endswith(".b")]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def is_stochastic(estimator: BaseMLP) -> bool:
    """Whether there is a partial_fit; AttributeError says why not."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
