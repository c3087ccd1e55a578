"""Training by steps of a part of the samples, epoch after epoch, until nothing improves any more."""

from typing import Any

from sklearn.exceptions import ConvergenceWarning

from fastnn.common.errors import NonFiniteError
from fastnn.common.hints.habits import warn
from fastnn.sklearn.data import Data
from fastnn.sklearn.following import Follower

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


def train(estimator: Any, given: Data, apart: Data | None, batch: int, incremental: bool) -> None:
    """Train the estimator's model in steps of `batch` samples; sets its curves and counts.

    apart       : validation data
    incremental : one epoch, as of `partial_fit`

    ConvergenceWarning if improvement has not ended by max_iter, ValueError where training diverges.
    """
    metric = None if apart is None else f"val_{estimator._task(given.y).metric_name}"
    follower = Follower(estimator, metric, estimator.early_stopping)
    epochs = 1 if incremental else estimator.max_iter
    one_step = incremental and len(given.x) == batch and not estimator.callbacks and estimator.model_.epoch > 0
    try:
        if one_step:
            _step(estimator, given, follower)
        else:
            _run(estimator, given, apart, batch, epochs, follower)
    except NonFiniteError as error:
        _diverged(estimator, follower, error)
    except KeyboardInterrupt:
        warn("Training interrupted by user.")
    if not incremental and estimator.n_iter_ == epochs and not follower.converged:
        warn(
            f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
        )


def _run(estimator: Any, given: Data, apart: Data | None, batch: int, epochs: int, follower: Follower) -> None:
    estimator.model_.fit(
        *given.xy,
        optimizer=estimator._optimizer,
        batch_size=batch,
        epochs=epochs,
        sample_weight=given.weight,
        validation_data=None if apart is None else (*apart.xy, apart.weight),
        shuffle=bool(estimator.shuffle),
        callbacks=[follower, *(estimator.callbacks or ())],
        verbose=False,
    )


def _step(estimator: Any, given: Data, follower: Follower) -> None:
    """An epoch of one step. Its compiled step is kept for the next call, which `Model.fit` would not do."""
    model, optimizer = estimator.model_, estimator._optimizer
    logs = model.train_on_batch(*given.xy, optimizer=optimizer, sample_weight=given.weight)
    model.epoch += 1
    follower.follow(len(given.x), logs, model, optimizer)


def _diverged(estimator: Any, follower: Follower, error: NonFiniteError) -> None:
    """Go on with the best weights where there are any; scikit-learn's ValueError where there are none."""
    if follower.best_state is None:
        raise ValueError(f"{NON_FINITE} {error}") from error
    estimator.validation_scores_.append(float("nan"))
    warn(f"The weights are those of the best epoch: {error}", ConvergenceWarning)
