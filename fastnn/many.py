"""Many small models trained at once, without a barrier between threads: one on each thread, or a group in lanes."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fastnn.common.errors import FastnnError
from fastnn.common.hints.habits import hinted, warn
from fastnn.many_arguments import callbacks_of, data_of, models_of, optimizers_of
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.ranks.group import refuse
from fastnn.training.callbacks import Callback, Checkpoint
from fastnn.training.fit.settings import Settings
from fastnn.training.history import History
from fastnn.training.many.groups import tasks_of
from fastnn.training.many.training import Training
from fastnn.training.many.worker_threads import Task, run_all


class Trained(NamedTuple):
    """What has become of a model: its history, and the error that ended its training early; None: there was none."""

    model: Model
    history: History
    error: Exception | None


@hinted
def fit_many(
    models: Iterable[Model],
    x: Any,
    y: Any = None,
    *,
    optimizer: OptimizerName | Optimizer | Sequence[OptimizerName | Optimizer] = "adam",
    batch_size: int | None = 32,
    epochs: int = 1,
    steps_per_epoch: int | None = None,
    validation_data: Any = None,
    shuffle: bool = True,
    sample_weight: Any = None,
    callbacks: Sequence[Iterable[Callback]] | None = None,
) -> list[Trained]:
    """Train many models of one shape at once, such as seeds, learning rates or folds: one on each thread.

    No model waits for another, so small ones, which cannot share their steps among threads, use all of them. Each ends
    with the bits that `fit` on one thread gives. Where each step takes all samples (`batch_size=None`), and neither
    validation nor callbacks look on, one compiled call takes many epochs: that is many times faster where epochs are
    short. With plain SGD, a softmax and at least twelve such narrow nets a thread, sixteen are trained side by side in
    the lanes of vector registers. `fn.threads` bounds the threads.

    Args:
        models: Models with layers of the same kinds and shapes, losses of the same kinds and one dtype.
        x: Samples (N, *input_shape) of all models, with targets `y`; or, without `y`, a list with one (x, y) or (x, y,
            sample_weight) for each model. Arrays or streams, as of `fit`.
        y: Targets (N,) or (N, scores).
        optimizer: As of `fit`, for all models: of a name, each has its own, as in `fit`; of an optimizer, each has a
            new one of the same settings, which ends with this call. Or a list, one for each model.
        batch_size: Samples a step; None: all.
        epochs: How many more epochs each model is trained.
        steps_per_epoch: Where each step takes all samples: the number of steps that make an epoch.
        validation_data: (x, y) or (x, y, sample_weight), evaluated after each epoch; or a list of them, one for each
            model.
        shuffle: A new sample order each epoch, a function of the model's seed and the epoch.
        sample_weight: How much each sample counts in the loss, (N,).
        callbacks: A list of callbacks for each model. They are called in the thread that trains their model.

    Returns:
        A list of (model, history, error), in the order of the models. `error` is what ended a training early, such as
            the NonFiniteError of a model whose loss diverged; a UserWarning says how many there are. The others go on.

    Raises:
        ShapeError: For shapes that do not fit, before anything is trained.
        DataError: For data that cannot be trained on, likewise.
        TypeError: For arguments of another kind, likewise.
        ValueError: For arguments out of range, likewise.
        FastnnError: If one of the models is being trained already, or within `fn.distributed()`.
        KeyboardInterrupt: At Ctrl-C, once all models have ended between two whole steps.

    Examples:
        >>> layers = [fn.Dense(3, "tanh"), fn.Dense(3)]
        >>> models = [fn.Sequential(layers, input_shape=4, seed=seed) for seed in range(8)]
        >>> trained = fn.fit_many(models, x, y, optimizer=fn.SGD(0.1), batch_size=None, epochs=100)
        >>> best = min(trained, key=lambda one: one.history["loss"][-1]).model
    """
    refuse("fit_many")
    trained = models_of(models)
    common = batch_size, epochs, steps_per_epoch, 1, shuffle
    watching = callbacks_of(callbacks, len(trained))
    optimizers = optimizers_of(trained, optimizer)
    settings = [Settings(one, *common, seen, False) for one, seen in zip(optimizers, watching, strict=True)]
    sources, validated = data_of(trained, x, y, sample_weight, steps_per_epoch, validation_data, settings[0].epochs)
    for one, source in zip(settings, sources, strict=True):
        one.passes_of(source)
    given = zip(trained, settings, sources, validated, strict=True)
    tasks = tasks_of([Training(number, *each) for number, each in enumerate(given)])
    saves = any(isinstance(callback, Checkpoint) for seen in watching for callback in seen)
    errors = _run_in_turn(trained, tasks, saves)
    _say(errors)
    return [Trained(model, model.history, error) for model, error in zip(trained, errors, strict=True)]


def _run_in_turn(models: Sequence[Model], tasks: Sequence[Task], saves: bool) -> list[Exception | None]:
    """All trainings, while nobody else may train one of the models. FastnnError if somebody does."""
    turn = [True]
    try:
        for number, model in enumerate(models):
            try:
                model._lock.claim(turn)
            except FastnnError as error:
                raise FastnnError(f"models[{number}]: {error}") from None
        errors = run_all(tasks, saves)
    finally:
        turn.clear()
    return [errors.get(number) for number in range(len(models))]


def _say(errors: Sequence[Exception | None]) -> None:
    """Warn of models whose training failed."""
    failed = [number for number, error in enumerate(errors) if error is not None]
    if failed:
        first = errors[failed[0]]
        told = f"models[{failed[0]}]: {type(first).__name__}: {first}"
        warn(f"fit_many: {len(failed)} of {len(errors)} trainings failed, see .error of each result; {told}")
