"""The arguments of `fit_many`, checked before anything is trained: models, and for each its data and callbacks."""

import copy
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from fastnn.common.errors import DataError
from fastnn.data.chunk import Expected
from fastnn.data.fit_data import training_source, validation_source
from fastnn.data.source import Source
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer
from fastnn.training.callbacks import Callback, ProgressBar


def models_of(given: Iterable[Model]) -> list[Model]:
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


def optimizers_of(models: Sequence[Model], given: Any) -> list[Optimizer]:
    """One for each model."""
    if isinstance(given, Optimizer):
        return [fresh(given) for _ in models]
    if not isinstance(given, list | tuple):
        return [model._optimizer(given) for model in models]
    _check_count("optimizer", given, len(models))
    _refuse_twice("optimizer", [one for one in given if isinstance(one, Optimizer)], "one belongs to one model")
    return [model._optimizer(one) for model, one in zip(models, given, strict=True)]


def fresh(optimizer: Optimizer) -> Optimizer:
    """A copy at its beginning."""
    made = copy.copy(optimizer)  # a copy belongs to no model
    made.lr = copy.deepcopy(optimizer.lr)
    made.state, made.iteration, made.epoch = {}, 0, 0
    return made


def callbacks_of(given: Any, count: int) -> list[list[Callback]]:
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


def data_of(
    models: Sequence[Model], x: Any, y: Any, sample_weight: Any, steps: int | None, validation_data: Any, epochs: int
) -> tuple[list[Source], list[Source | None]]:
    """What each model trains on, and what judges it after each epoch.

    steps : of batches, how many make an epoch
    """
    with ExitStack() as stack:
        expected = [stack.enter_context(model.learning()) for model in models]
        sources = _sources_of(models, expected, _pairs(models, x, y, sample_weight), steps)
        return sources, _validation_of(expected, validation_data, epochs)


def _sources_of(
    models: Sequence[Model], expected: Sequence[Expected], pairs: Sequence[tuple[Any, ...]], steps: int | None
) -> list[Source]:
    """The data of each model, checked. What is the same for all of them is checked, and copied if need be, once."""
    sources: list[Source] = []
    for number, (model, of_model, pair) in enumerate(zip(models, expected, pairs, strict=True)):
        same = bool(number) and pair is pairs[0] and sources[0].in_memory
        if same and model.preprocessing is None and models[0].preprocessing is None:
            of_model.inputs_in(pair[0], "x")  # each model knows its own columns
            of_model.targets_in(pair[1], "y")
            sources.append(sources[0])
        else:
            x, y, sample_weight = pair
            sources.append(training_source(of_model, x, y, sample_weight, None, steps))
    return sources


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


def _validation_of(expected: Sequence[Expected], given: Any, epochs: int) -> list[Source | None]:
    """The validation data of each model."""
    if isinstance(given, list) and given and all(map(_is_pair, given)):
        _check_count("validation_data", given, len(expected))
    else:
        if given is not None and not _is_pair(given):
            raise DataError(
                f"validation_data is {type(given).__name__}, expected (x, y), or a list of them for the models"
            )
        given = [given] * len(expected)
    return [validation_source(of_model, one, epochs) for of_model, one in zip(expected, given, strict=True)]
