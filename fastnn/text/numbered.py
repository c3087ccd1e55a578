"""A corpus as numbers: which token stands where, and how long sentences are."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastnn.text.corpus import Text, sentences_end_of
from fastnn.text.tokens import Kind, Sentences, Tokenizer
from fastnn.text.vocabulary import Vocabulary

Ids = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Numbered:
    """The tokens of a corpus, T of them in S sentences.

    names      the different tokens, in the order in which they are met
    tokens     (T,) int32, the place in `names` of each token
    lengths    (S,) int32, how many tokens each sentence has; all tokens are one sentence where sentences end nowhere
    tokenizer  how texts became tokens
    encodings  of the files, each named once, but for UTF-8
    """

    names: list[str]
    tokens: Ids
    lengths: Ids
    tokenizer: Tokenizer
    encodings: list[str]

    def counts(self, chosen: NDArray[np.bool_]) -> dict[str, int]:
        """How often each token is in the sentences that are chosen, (S,); tokens that are not there are left out."""
        found = np.bincount(self.tokens[np.repeat(chosen, self.lengths)], minlength=len(self.names))
        return {self.names[i]: int(found[i]) for i in np.flatnonzero(found)}

    def ids(self, vocabulary: Vocabulary) -> Ids:
        """(T,) int32: the id of each token; the vocabulary's length, where it has none and nothing stands for it."""
        found = [len(vocabulary) if i is None else i for i in vocabulary.ids(self.names)]
        return np.array([*found, 0], np.int32)[self.tokens]


def numbered(
    texts: Iterable[Text], kind: Kind, lower: bool, sentences_end: Sentences | Literal["auto"] = "auto"
) -> Numbered:
    """Read texts by a `Tokenizer` of that kind. sentences_end: "auto" is as the first text shows.

    Tokens are numbered as they are read, so that a book takes four bytes of memory a token, not a string. ValueError as
    the tokenizer raises it.
    """
    number: dict[str, int] = {}
    tokens, lengths, encodings = array("i"), array("i"), dict[str, None]()
    tokenizer = None if sentences_end == "auto" else Tokenizer(kind, lower, sentences_end)
    for text in texts:
        tokenizer = tokenizer or Tokenizer(kind, lower, sentences_end_of(text.text))
        encodings[text.encoding] = None
        for words in tokenizer.sentences(text.text):
            tokens.extend(number.setdefault(word, len(number)) for word in words)
            lengths.append(len(words))
    assert tokenizer is not None, "no text"
    others = [encoding for encoding in encodings if encoding != "UTF-8"]
    long = array("i", [len(tokens)]) if tokenizer.sentences_end == "none" and tokens else lengths
    return Numbered(list(number), np.frombuffer(tokens, np.int32), np.frombuffer(long, np.int32), tokenizer, others)


def windows(ids: Ids, lengths: Ids, order: int, start: int | None, end: int | None) -> tuple[Ids, Ids]:
    """All runs of `order` ids that lie inside a sentence, (N, order), and the number of its sentence, (N,).

    ids (T,) of sentences of these lengths (S,). start: an id that stands order − 1 times before each sentence, so that
    its first token ends a window, too; end: an id that follows each sentence. None: there is none.
    """
    lead, tail = (order - 1 if start is not None else 0), (0 if end is None else 1)
    sentences = np.arange(len(lengths))
    whole = lengths.astype(np.int64) + lead + tail
    stream = np.full(int(whole.sum()), start or 0, np.int32)
    stream[np.arange(len(ids)) + np.repeat(sentences * (lead + tail) + lead, lengths)] = ids
    if end is not None:
        stream[np.cumsum(whole) - 1] = end
    if len(stream) < order:
        return np.empty((0, order), np.int32), np.empty(0, np.int64)
    sentence = np.repeat(sentences, whole)
    inside = sentence[: len(stream) - order + 1] == sentence[order - 1 :]
    return np.lib.stride_tricks.sliding_window_view(stream, order)[inside], sentence[order - 1 :][inside]
