"""A corpus as numbers: which token stands where, and how long sentences are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastnn.text.corpus import SEEN, TextFile, sentences_end_of
from fastnn.text.numbering import SENTENCE_ENDS, Numbering
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
    groups     (S,) int8, of which group of files each sentence is
    """

    names: list[str]
    tokens: Ids
    lengths: Ids
    tokenizer: Tokenizer
    encodings: list[str]
    groups: Ids

    def counts(self, chosen: NDArray[np.bool_]) -> dict[str, int]:
        """How often each token is in the sentences that are chosen, (S,); tokens that are not there are left out."""
        found = np.bincount(self.tokens[np.repeat(chosen, self.lengths)], minlength=len(self.names))
        return {self.names[i]: int(found[i]) for i in np.flatnonzero(found)}

    def ids(self, vocabulary: Vocabulary) -> Ids:
        """(T,) int32: the id of each token; the vocabulary's length, where it has none and nothing stands for it."""
        found = [len(vocabulary) if i is None else i for i in vocabulary.ids(self.names)]
        return np.array([*found, 0], np.int32)[self.tokens]


def numbered(
    groups: Iterable[Iterable[TextFile]],
    kind: Kind,
    lower: bool,
    sentences_end: Sentences | Literal["auto"] = "auto",
    rules: str = "",
) -> Numbered:
    """Read groups of texts by a `Tokenizer` of that kind. sentences_end: as of `ends_of`.

    A book takes eight bytes of memory a token while it is read, then four. ValueError as the tokenizer raises it.
    """
    files = [list(group) for group in groups]
    numbering = Numbering(Tokenizer(kind, lower, ends_of(files[0], sentences_end), rules))
    found = [np.concatenate([np.empty(0, np.int32), *numbering.of_files(group)]) for group in files]
    lengths = [_lengths(one, numbering.tokenizer) for one in found]
    tokens = np.concatenate([one[one != SENTENCE_ENDS] - np.int32(1) for one in found])
    of_group = np.repeat(np.arange(len(files), dtype=np.int8), [*map(len, lengths)])
    read = encodings_of(file for group in files for file in group)
    return Numbered(list(numbering), tokens, np.concatenate(lengths), numbering.tokenizer, read, of_group)


def _lengths(found: Ids, tokenizer: Tokenizer) -> Ids:
    """How many tokens each sentence has, of numbers as `Numbering` gives them."""
    if tokenizer.sentences_end == "none":
        return np.full(min(len(found), 1), len(found), np.int32)
    return (np.diff(np.flatnonzero(found == SENTENCE_ENDS), prepend=-1) - 1).astype(np.int32)


def ends_of(files: Sequence[TextFile], given: Sentences | Literal["auto"]) -> Sentences:
    """Where sentences end; "auto": as the first million characters of the texts show."""
    if given != "auto":
        return given
    seen, size = [], 0
    for file in files:
        if size < SEEN:
            seen.append(file.begin())
            size += len(seen[-1])
    return sentences_end_of("\n".join(seen))


def encodings_of(files: Iterable[TextFile]) -> list[str]:
    """The encodings in which files have been read, each named once, but for UTF-8."""
    return [one for one in dict.fromkeys(file.encoding for file in files) if one != "UTF-8"]


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
