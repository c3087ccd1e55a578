"""Many small models trained at once, without a barrier between threads: one on each thread, or a group in lanes."""

import contextlib
import copy
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fastnn.common.errors import DataError, FastnnError
from fastnn.common.hints.habits import hinted, warn
from fastnn.data.fit_data import training_source, validation_source
from fastnn.data.source import Source
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.ranks.group import refuse
from fastnn.training.callbacks import Callback, Checkpoint, ProgressBar
from fastnn.training.crew import Task, run_all
from fastnn.training.groups import Training, tasks_of
from fastnn.training.history import History
from fastnn.training.settings import Settings


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
    trained = _models(models)
    common = batch_size, epochs, steps_per_epoch, 1, shuffle
    watching = _callbacks(callbacks, len(trained))
    optimizers = _optimizers(trained, optimizer)
    settings = [Settings(one, *common, seen, False) for one, seen in zip(optimizers, watching, strict=True)]
    sources = _sources(trained, _pairs(trained, x, y, sample_weight), steps_per_epoch)
    validated = _validated(trained, validation_data, settings[0].epochs)
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
    with contextlib.ExitStack() as turns:
        for number, model in enumerate(models):
            try:
                turns.enter_context(model._turn.of_fit())
            except FastnnError as error:
                raise FastnnError(f"models[{number}]: {error}") from None
        errors = run_all(tasks, saves)
    return [errors.get(number) for number in range(len(models))]


def _say(errors: Sequence[Exception | None]) -> None:
    """Warn of models whose training failed."""
    failed = [number for number, error in enumerate(errors) if error is not None]
    if failed:
        first = errors[failed[0]]
        told = f"models[{failed[0]}]: {type(first).__name__}: {first}"
        warn(f"fit_many: {len(failed)} of {len(errors)} trainings failed, see .error of each result; {told}")


def _models(given: Iterable[Model]) -> list[Model]:
    """The models, checked: at least one, each once, all of one shape."""
    if isinstance(given, Model) or not isinstance(given, Iterable):
        raise TypeError(f"models is {type(given).__name__}, expected a list of models; for one there is model.fit")
    models = list(given)
    for number, model in enumerate(models):
        if not isinstance(model, Model):
            raise TypeError(f"models[{number}] is {type(model).__name__}, expected a model such as fn.Sequential(...)")
    if not models:
        raise ValueError("models is empty, expected at least one model")
    _refuse_twice("models", models, "to train several from one beginning, copy it: copy.deepcopy(model)")
    for number, model in enumerate(models):
        if difference := _difference(_shape(models[0]), _shape(model)):
            raise ValueError(f"models[{number}] has {difference}: fit_many trains models of one shape")
    return models


def _shape(model: Model) -> dict[str, Any]:
    """What must be the same for all models: by the words that a message uses."""
    network = model.network
    return {
        "dtype": model.dtype.name,
        "input shapes": network.input_shapes,
        "layers": [type(layer).__name__ for layer in network.layers],
        "parameters": {name: tuple(shape) for name, shape in model.parameters.shapes.items()},
        "losses": [type(output.loss).__name__ for output in network.outputs],
    }


def _difference(first: dict[str, Any], other: dict[str, Any]) -> str:
    """In words what is not the same; "" where all is."""
    for name, want in first.items():
        if want != (got := other[name]):
            return f"{name} {got}, but models[0] {want}"
    return ""


def _refuse_twice(name: str, given: Sequence[Any], advice: str) -> None:
    """ValueError if one object stands in a list twice."""
    seen: dict[int, int] = {}
    for number, one in enumerate(given):
        if id(one) in seen:
            raise ValueError(f"{name}[{number}] is {name}[{seen[id(one)]}], expected each once; {advice}")
        seen[id(one)] = number


def _optimizers(models: Sequence[Model], given: Any) -> list[Optimizer]:
    """One for each model."""
    if isinstance(given, Optimizer):
        return [_fresh(given) for _ in models]
    if not isinstance(given, list | tuple):
        return [model._optimizer(given) for model in models]
    _check_count("optimizer", given, len(models))
    _refuse_twice("optimizer", [one for one in given if isinstance(one, Optimizer)], "one belongs to one model")
    return [model._optimizer(one) for model, one in zip(models, given, strict=True)]


def _fresh(optimizer: Optimizer) -> Optimizer:
    """A copy at its beginning."""
    made = copy.copy(optimizer)  # a copy belongs to no model
    made.lr = copy.deepcopy(optimizer.lr)
    made.state, made.iteration, made.epoch = {}, 0, 0
    return made


def _callbacks(given: Any, count: int) -> list[list[Callback]]:
    """Those of each model. Errors where two models would share one, or a file."""
    if given is None:
        return [[] for _ in range(count)]
    apart = "expected one list of callbacks for each model, as callbacks=[[fn.EarlyStopping()] for _ in models]"
    if not isinstance(given, Sequence) or any(isinstance(one, Callback) for one in given):
        raise TypeError(f"callbacks is one list for all models, {apart}: each belongs to one training")
    _check_count("callbacks", given, count)
    lists = [list(one) for one in given]
    everything = [callback for one in lists for callback in one]
    for callback in everything:
        if isinstance(callback, ProgressBar):
            raise ValueError("callbacks holds a ProgressBar, which has the terminal to itself: leave it out")
    if len({id(callback) for callback in everything}) < len(everything):
        raise ValueError(f"callbacks holds the same callback for several models, {apart}")
    paths = [str(path) for callback in everything if (path := getattr(callback, "path", None)) is not None]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise ValueError(f"callbacks: two of them write {twice}, expected a path for each model")
    return lists


def _check_count(name: str, given: Sequence[Any], count: int) -> None:
    if len(given) != count:
        raise ValueError(f"{name} has {len(given)} entries for {count} models, expected one for each")


def _is_pair(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) in (2, 3)


def _pairs(models: Sequence[Model], x: Any, y: Any, sample_weight: Any) -> list[tuple[Any, ...]]:
    """(x, y, sample_weight) for each model."""
    if y is not None:
        return [(x, y, sample_weight)] * len(models)
    if not isinstance(x, list | tuple) or not all(map(_is_pair, x)):
        raise TypeError(
            "fit_many got no y; expected fit_many(models, x, y), or as x alone a list of (x, y), one a model"
        )
    if sample_weight is not None:
        raise ValueError("sample_weight was given beside a list of (x, y), expected it in them: (x, y, sample_weight)")
    _check_count("x", x, len(models))
    return [(*pair, None)[:3] for pair in x]


def _sources(models: Sequence[Model], pairs: Sequence[tuple[Any, ...]], steps: int | None) -> list[Source]:
    """The data of each model, checked. What is the same for all of them is checked, and copied if need be, once."""
    sources: list[Source] = []
    for number, (model, pair) in enumerate(zip(models, pairs, strict=True)):
        same = bool(number) and pair is pairs[0] and sources[0].in_memory
        bare = model.preprocessing is None and models[0].preprocessing is None
        sources.append(sources[0] if same and bare else _source(model, pair, steps))
    return sources


def _source(model: Model, pair: tuple[Any, ...], steps: int | None) -> Source:
    x, y, sample_weight = pair
    return training_source(model.expected, x, y, sample_weight, None, steps)


def _validated(models: Sequence[Model], given: Any, epochs: int) -> list[Source | None]:
    """The validation data of each model."""
    if isinstance(given, list) and given and all(map(_is_pair, given)):
        _check_count("validation_data", given, len(models))
    else:
        if given is not None and not _is_pair(given):
            raise DataError(
                f"validation_data is {type(given).__name__}, expected (x, y), or a list of them for the models"
            )
        given = [given] * len(models)
    return [validation_source(model.expected, one, epochs) for model, one in zip(models, given, strict=True)]
