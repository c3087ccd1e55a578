"""The surprisal of each word of a text, by a network that foretells words."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fastnn.models import Model
from fastnn.text.numbered import windows
from fastnn.text.scoring import Score, surprisals
from fastnn.text.vocabulary import END, Vocabulary

BLOCK_BYTES = 32 << 20  # of the scores that are held at a time


def scored(model: Model, known: Vocabulary, sentences: list[list[str]]) -> Score:
    """The score of some sentences. What has no id is −1, and so is what is before a sentence, if that has no id."""
    lengths = np.array([len(sentence) for sentence in sentences])
    tokens = [token for sentence in sentences for token in sentence]
    found = np.array([-1 if i is None else i for i in known.ids(tokens)], np.int32)
    start = -1 if known.start is None else known.start
    grams, _ = windows(found, lengths, model.network.input_shape[0] + 1, start, known.end)
    nats = np.full(len(grams), np.nan)
    rows = np.flatnonzero((grams >= 0).all(axis=1))
    for block in _blocks(rows, len(known) * model.dtype.itemsize):
        logits = model.predict(grams[block, :-1], logits=True)
        nats[block] = surprisals(logits, grams[block, -1])
    is_word = np.ones(len(grams), bool)
    if known.end is not None:
        is_word[np.cumsum(lengths + 1) - 1] = False
        tokens = [token for sentence in sentences for token in [*sentence, END]]
    last = grams[:, -1]
    return Score(tokens, nats, (last >= 0) & (last != (-1 if known.unknown is None else known.unknown)), is_word)


def _blocks(rows: NDArray[np.integer], row_bytes: int) -> Iterator[NDArray[np.integer]]:
    """Parts of these numbers, each of so many rows as are within BLOCK_BYTES."""
    size = max(BLOCK_BYTES // row_bytes, 1)
    return (rows[low : low + size] for low in range(0, len(rows), size))
