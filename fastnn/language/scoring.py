"""The surprisal of each word of a text, by a network that predicts words."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fastnn.data.dataset import Split
from fastnn.data.spans import spans
from fastnn.models import Model
from fastnn.text.numbered import windows
from fastnn.text.scoring import Floats, Score, surprisals
from fastnn.text.vocabulary import END, Vocabulary

Ids = NDArray[np.integer]
BLOCK_BYTES = 32 << 20  # of the scores that are held at a time


def scored(model: Model, known: Vocabulary, sentences: list[list[str]]) -> Score:
    """The score of some sentences. What has no id is −1, and so is what is before a sentence, if that has no id."""
    lengths = np.array([len(sentence) for sentence in sentences])
    tokens = [token for sentence in sentences for token in sentence]
    found = np.array([-1 if i is None else i for i in known.ids(tokens)], np.int32)
    start, in_rows = -1 if known.start is None else known.start, model.network.outputs[0].steps > 0
    grams, _ = windows(found, lengths, 2 if in_rows else model.network.input_shape[0] + 1, start, known.end)
    nats = np.full(len(grams), np.nan)
    is_whole = (grams >= 0).all(axis=1)
    nats[is_whole] = (of_rows if in_rows else _of_windows)(model, grams[is_whole], len(known))
    is_word = np.ones(len(grams), bool)
    if known.end is not None:
        is_word[np.cumsum(lengths + 1) - 1] = False
        tokens = [token for sentence in sentences for token in [*sentence, END]]
    last = grams[:, -1]
    return Score(tokens, nats, (last >= 0) & (last != (-1 if known.unknown is None else known.unknown)), is_word)


def _of_windows(model: Model, grams: Ids, words: int) -> Floats:
    """The surprisal of the last word of each n-gram."""
    parts = _blocks(len(grams), words * model.dtype.itemsize)
    found = [surprisals(model.predict(grams[part, :-1], logits=True), grams[part, -1]) for part in parts]
    return np.concatenate([np.empty(0), *found])


def of_rows(model: Model, grams: Ids, words: int) -> Floats:
    """The surprisal of the last word of each n-gram, (N,), for a network that reads rows of words.

    grams : (N, n), one after the other in the order of a text, n ≥ 2
    """
    length = model.network.input_shape[0]
    split = spans(Split(grams[:, :-1], grams[:, -1]), length, length // 2, int(grams[0, -2]) if len(grams) else 0)
    found = [np.empty(0)]
    for part in _blocks(len(split), length * words * model.dtype.itemsize):
        x, y = split.x[part], split.y[part]
        is_asked = y >= 0
        found.append(surprisals(model.predict(x, logits=True)[is_asked], y[is_asked]))
    return np.concatenate(found)


def _blocks(count: int, row_bytes: int) -> Iterator[slice]:
    """The slices into which `count` rows are cut, each within BLOCK_BYTES."""
    size = max(BLOCK_BYTES // row_bytes, 1)
    return (slice(low, low + size) for low in range(0, count, size))
