"""Words and a language model: ids of words, and the words that the model finds most likely."""

from collections.abc import Sequence

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.models import Model


def vocabulary(model: Model) -> list[str]:
    """The words whose ids the model was trained on; DataError if it is no language model."""
    words = model.meta.get("words")
    if not words:
        raise DataError("this model has no vocabulary: it was not trained on words")
    return words


def word_ids(model: Model, text: str) -> np.ndarray:
    """Ids (1, C) of the C words of `text`; DataError names a word that is not in the vocabulary, and near ones."""
    words = vocabulary(model)
    known = {word: i for i, word in enumerate(words)}
    given = text.split()
    count = model.network.input_shape[0]
    if len(given) != count:
        raise DataError(f"got {len(given)} words ({text!r}), expected {count} separated by spaces")
    for word in given:
        if word not in known and word.lower() not in known:
            hint = near(word.lower(), words)
            raise DataError(f"the word {word!r} is not among the {len(words)} of the vocabulary; {hint}")
    return np.array([[known.get(word, known.get(word.lower())) for word in given]])


def top_words(model: Model, x: np.ndarray, count: int = 10) -> list[list[tuple[str, float]]]:
    """For each row of x (N, C) the `count` most likely next words with their probabilities, best first."""
    words: Sequence[str] = vocabulary(model)
    probabilities = model.predict(x)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [[(words[j], float(row[j])) for j in order] for row, order in zip(probabilities, best, strict=True)]
