"""How a language model reads: from which ids the next word is predicted, and its scores."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError
from fastnn.common.text import plural
from fastnn.data.preprocessing import Words
from fastnn.models import Model


class Reading(Protocol):
    """What a model has read, as ids, and what it makes of them."""

    def begin(self, text: str, sentences: Sequence[list[str]]) -> list[int]:
        """The ids of a text; `sentences`: the words of each of its sentences, the last one unfinished.

        DataError for a text that is too short, if the model knows no beginning of sentences.
        """

    def after(self, ids: list[int], word: int) -> list[int]:
        """The ids once another word has come."""

    def after_sentence(self, ids: list[int]) -> list[int]:
        """The ids once a sentence has ended."""

    def scores(self, ids: list[int], logits: bool = True) -> NDArray[Any]:
        """The scores of all words as the next one, (V,), or their probabilities."""


def reading_of(model: Model, described: Words) -> Reading:
    """How this model reads."""
    return RowReading(model, described) if model.network.outputs[0].steps else WindowReading(model, described)


class WindowReading:
    """Of a network that predicts a word from a number of words before it."""

    def __init__(self, model: Model, described: Words):
        self._model, self._described = model, described
        self._context = model.network.input_shape[0]

    def begin(self, text: str, sentences: Sequence[list[str]]) -> list[int]:
        last = sentences[-1]
        if self._described.known.start is None:
            last = self._described.rules.tokens(text)[-self._context :]
            if len(last) < self._context:
                raise DataError(
                    f"the text has {plural(len(last), 'word')}, but this model knows no beginning of a sentence: give "
                    f"{self._context} first words at least"
                )
        return self._described.ids_of(last, repr(text)[:60], self._context)

    def after(self, ids: list[int], word: int) -> list[int]:
        return [*ids[1:], word]

    def after_sentence(self, ids: list[int]) -> list[int]:
        return self.begin("", [[]])

    def scores(self, ids: list[int], logits: bool = True) -> NDArray[Any]:
        return self._model.predict(np.array([ids]), logits=logits)[0]


class RowReading:
    """Of a recurrent network, which predicts a word from all that are in a row before it, earlier sentences too."""

    def __init__(self, model: Model, described: Words):
        self._model, self._known = model, described.known
        self._length = model.network.input_shape[0]

    def begin(self, text: str, sentences: Sequence[list[str]]) -> list[int]:
        first = [] if self._known.start is None else [self._known.start]
        found = [i for sentence in sentences for i in (*first, *self._known.ids(sentence)) if i is not None]
        if not found:
            raise DataError("the text has no word that this model knows, and it knows no beginning of a sentence")
        return found[-self._length :]

    def after(self, ids: list[int], word: int) -> list[int]:
        return [*ids, word][-self._length :]

    def after_sentence(self, ids: list[int]) -> list[int]:
        return ids if self._known.start is None else self.after(ids, self._known.start)

    def scores(self, ids: list[int], logits: bool = True) -> NDArray[Any]:
        row = np.zeros((1, self._length), np.int32)
        row[0, : len(ids)] = ids
        return self._model.predict(row, logits=logits)[0, len(ids) - 1]
