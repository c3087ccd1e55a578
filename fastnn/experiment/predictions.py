"""What a model says of samples, in words: labels with probabilities, or scores."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.text import printable
from fastnn.data.preprocessing import Pixels, Words
from fastnn.language.reading import reading_of
from fastnn.models import Model


class Guess(NamedTuple):
    """A label or output, and its probability, score or value."""

    label: str
    number: float


class Guesses(NamedTuple):
    """The guesses for each sample, the best first.

    what : what the numbers are: "probability", "score" or "value"
    """

    what: str
    rows: list[list[Guess]]


def best_of(probabilities: np.ndarray, count: int) -> list[int]:
    """The ids of the `count` highest probabilities, the highest first; of equal ones the lower id."""
    return np.argsort(-probabilities, kind="stable")[:count].tolist()


def most_likely(model: Model, names: Sequence[str], x: Any, count: int = 10) -> list[list[tuple[str, float]]]:
    """For each sample of x, prepared for the network, the `count` likeliest classes and their probabilities."""
    found = model.predict(x)
    last = found if found.ndim == 2 else found[:, -1]  # of rows of words: of the next one after them
    return [[(names[i], float(row[i])) for i in best_of(row, count)] for row in last]


def guesses_of(model: Model, x: Any, count: int) -> Guesses:
    """For each sample of x at most `count` labels with the highest probabilities.

    Of a network that is trained on numbers for its classes (`fn.Pixels(targets=)`): its score, and the class whose
    number is nearest. Of others: all outputs. DataError for a model of several outputs.
    """
    if len(model.network.outputs) > 1:
        told = ", ".join(output.name for output in model.network.outputs)
        raise DataError(f"the model has the outputs {told}, expected one: use fn.load(path).predict(x) in Python")
    found, loss = _predicted(model, x), model.network.loss
    targets = model.preprocessing.targets if isinstance(model.preprocessing, Pixels) else None
    if targets is not None and found.shape[1] == 1:
        names = _labels(model, len(targets))
        nearest = np.abs(found - np.array(targets)).argmin(axis=1)
        return Guesses(
            "score", [[Guess(names[i], float(score))] for i, score in zip(nearest, found[:, 0], strict=True)]
        )
    if not loss.makes_probabilities:
        target = model.meta.get("target")
        is_named = found.shape[1] == 1 and isinstance(target, str)
        names = [printable(str(target))] if is_named else [f"output {i}" for i in range(found.shape[1])]
        return Guesses("value", [list(map(Guess, names, row)) for row in found.tolist()])
    if found.shape[1] == 1:  # the probability of the second class of two
        found = np.concatenate([1 - found, found], axis=1)
    names = _labels(model, found.shape[1])
    return Guesses("probability", [[Guess(names[i], float(row[i])) for i in best_of(row, count)] for row in found])


def _predicted(model: Model, x: Any) -> np.ndarray:
    """What the model predicts of each sample; one that reads rows of words, of the word after each text."""
    described = model.preprocessing
    if not (model.network.outputs[0].steps and isinstance(described, Words)):
        return model.predict(x)
    reading = reading_of(model, described)
    texts = [(text, [*described.rules.sentences(text)] or [[]]) for text in x]
    return np.array([reading.scores(reading.begin(*one), logits=False) for one in texts])


def _labels(model: Model, count: int) -> list[str]:
    """The names of the classes; their numbers if the model has none. They are a file's: nothing of them is trusted."""
    given = model.meta.get("classes")
    if isinstance(model.preprocessing, Words):
        given = list(model.preprocessing.vocabulary)
    if not isinstance(given, list) or len(given) != count or not all(isinstance(name, str) for name in given):
        return [str(number) for number in range(count)]
    return [printable(name) for name in given]
