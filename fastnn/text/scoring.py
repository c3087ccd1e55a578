"""How well a model predicts a text: the surprisal of its words, and what is made of it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastnn.common.arithmetic import ieee
from fastnn.common.text import percent, perplexity_text, plural

Floats = NDArray[np.float64]

PIECE = 200_000  # tokens whose windows are made at a time


@dataclass(frozen=True, eq=False)
class Score:
    """A text's T tokens, one after the other, and the surprisal of each. `</s>` stands where a sentence ends, if the
    model predicts that.

    tokens    the tokens as they were read
    nats      (T,) −ln p of each after those before it; NaN: it is not predicted, as it or a word before it has no id,
              or too few words stand before it
    is_known  (T,) whether the vocabulary has the token; what stands for others is predicted instead of them
    is_word   (T,) False for `</s>`
    """

    tokens: Sequence[str]
    nats: Floats
    is_known: NDArray[np.bool_]
    is_word: NDArray[np.bool_]

    @classmethod
    def together(cls, parts: Iterable["Score"]) -> "Score":
        """Several texts as one; without any, the empty text."""
        parts = list(parts) or [cls([], np.empty(0), np.empty(0, bool), np.empty(0, bool))]
        arrays = ([getattr(part, name) for part in parts] for name in ("nats", "is_known", "is_word"))
        return cls([token for part in parts for token in part.tokens], *map(np.concatenate, arrays))

    @property
    def words(self) -> int:
        """How many words the text has."""
        return int(self.is_word.sum())

    @property
    def predicted(self) -> int:
        """How many tokens have a surprisal, ends of sentences among them."""
        return int(np.isfinite(self.nats).sum())

    @property
    def unknown(self) -> float:
        """The fraction of the words that the vocabulary lacks; NaN of no words."""
        return float((~self.is_known[self.is_word]).mean()) if self.words else math.nan

    @property
    def nats_per_word(self) -> float:
        """The mean surprisal of all tokens that have one; NaN if none has."""
        return float(self.nats[np.isfinite(self.nats)].mean()) if self.predicted else math.nan

    @property
    def perplexity(self) -> float:
        """exp of the mean surprisal: among how many equally likely words the model chooses."""
        return float(ieee(np.exp)(self.nats_per_word))

    def __repr__(self) -> str:
        found = f"perplexity {perplexity_text(self.perplexity)}, {percent(self.unknown)} unknown"
        return f"<Score of {plural(self.words, 'word')}: {found}>"


def surprisals(logits: NDArray[np.floating], ids: NDArray[np.integer]) -> Floats:
    """−ln softmax(logits)[id], (N,) float64, of logits (N, V) and ids (N,)."""
    logits = np.asarray(logits)
    highest = logits.max(axis=1).astype(np.float64)
    scores = logits.astype(np.float64)  # one array of all of them: they are many
    of_ids = scores[np.arange(len(scores)), ids]
    scores -= highest[:, None]
    return np.log(np.exp(scores, out=scores).sum(axis=1)) + highest - of_ids


def pieces(sentences: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """The sentences, as many at a time as have about PIECE words."""
    piece: list[list[str]] = []
    size = 0
    for sentence in sentences:
        piece.append(sentence)
        size += len(sentence)
        if size >= PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece
