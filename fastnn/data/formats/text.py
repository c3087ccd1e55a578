"""Plain text to n-grams: sentences of lower-case tokens, the most frequent tokens as vocabulary, splits by sentence."""

import logging
import os
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import check_readable
from fastnn.data.dataset import CompleteDataset, Split, id_dtype
from fastnn.text.tokens import Tokenizer

log = logging.getLogger(__name__)

FRACTIONS = (0.8, 0.1)  # Of the sentences, for training and validation; the others are for testing.


def load_text(
    path: str | os.PathLike[str],
    vocabulary_size: int = 250,
    order: int = 4,
    seed: int = 0,
    words: Sequence[str] | None = None,
) -> CompleteDataset:
    """Read UTF-8 text and cut it into n-grams: x (N, order − 1) and y (N,), ids from 0, most frequent token first.

    vocabulary_size : how many of the most frequent tokens of the text have ids; ties are broken by alphabet
    order           : n, the length of an n-gram
    seed            : decides which sentences are for training (80 %), validation (10 %) and test (10 %)
    words           : a vocabulary by id, such as a trained model's, instead of the most frequent tokens

    A sentence ends with . ! ? … or an empty line. An n-gram is kept if it lies inside one sentence and the vocabulary
    has all its tokens. meta: `words`, `tokenizer` ("text"), `source`, `true_entropy` (None), `coverage` (the fraction
    of the tokens that the vocabulary has), `kept` (the fraction of the n-grams that are kept), `tokens` and `sentences`
    (their numbers).

    Raises FileFormatError if the file is missing or no UTF-8 text, DataError if the text is too short or an argument is
    out of range.
    """
    name = os.fspath(path)
    if vocabulary_size < 2 or order < 2:
        raise DataError(f"vocabulary_size={vocabulary_size}, order={order}: expected at least 2 each")
    vocabulary, ids, sentence = _encode(_read(name), vocabulary_size, name, words)
    size = len(vocabulary)
    grams, origin, possible = _grams(ids, sentence, size, order)
    train, val, test = _split(grams.astype(id_dtype(size)), origin, random.generator(seed, "text split"), name)
    coverage = float(np.mean(ids < size))
    meta = {
        "words": vocabulary,
        "tokenizer": "text",
        "source": str(name),
        "true_entropy": None,
        "coverage": coverage,
        "kept": len(grams) / max(possible, 1),
        "tokens": len(ids),
        "sentences": int(sentence[-1]) + 1,
    }
    log.info("read %s: %d tokens, %.0f%% of them in the vocabulary", name, len(ids), 100 * coverage)
    return CompleteDataset(train, val, test, meta)


def _read(name: str) -> str:
    check_readable(name)
    with open(name, "rb") as file:
        return decoded(file.read(), repr(name))


def decoded(raw: bytes, where: str) -> str:
    """UTF-8 text. FileFormatError, which begins with `where` it was read, for other bytes."""
    if b"\0" in raw:
        raise FileFormatError(f"{where} is no plain text: byte {raw.index(0)} is zero")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileFormatError(
            f"{where} is no UTF-8 text: byte 0x{raw[error.start]:02x} at position {error.start}, line {line}"
        ) from error


def _encode(
    text: str, size: int, name: str, vocabulary: Sequence[str] | None
) -> tuple[list[str], NDArray[np.int32], NDArray[np.int32]]:
    """The vocabulary, and for every token its id (`size` if the vocabulary lacks it) and the number of its sentence.

    Tokens are numbered as they are read, so that a book takes four bytes of memory a token, not a string.
    """
    number: dict[str, int] = {}
    tokens, lengths = array("i"), array("i")
    for words in Tokenizer().sentences(text):
        tokens.extend(number.setdefault(word, len(number)) for word in words)
        lengths.append(len(words))
    sentence = np.repeat(np.arange(len(lengths), dtype=np.int32), np.frombuffer(lengths, np.int32))
    read = np.frombuffer(tokens, np.int32)
    if vocabulary is not None:
        return list(vocabulary), _renumbered(number, vocabulary)[read], sentence
    if len(number) < size:
        raise DataError(
            f"{name!r} is too small: found {len(tokens)} tokens, {len(number)} different ones, "
            f"expected at least {size} different ones"
        )
    counts, names = np.bincount(read), list(number)
    frequent = [names[i] for i in sorted(number.values(), key=lambda i: (-counts[i], names[i]))[:size]]
    return frequent, _renumbered(number, frequent)[read], sentence


def _renumbered(number: Mapping[str, int], vocabulary: Sequence[str]) -> NDArray[np.int32]:
    """The id in the vocabulary, or its length, of each token by the number that it has in the text, and of no token."""
    ids = np.full(len(number) + 1, len(vocabulary), np.int32)
    for i, word in enumerate(vocabulary):
        ids[number.get(word, -1)] = i
    ids[-1] = len(vocabulary)
    return ids


def _grams(
    ids: NDArray[np.int32], sentence: NDArray[np.int32], size: int, order: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """The n-grams that are kept, (N, order), the number of the sentence of each, and how many n-grams there were."""
    if len(ids) < order:
        return np.empty((0, order), np.int32), np.empty(0, np.int32), 0
    windows = np.lib.stride_tricks.sliding_window_view(ids, order)
    last = len(ids) - order + 1
    inside = sentence[:last] == sentence[order - 1 :]
    known = inside & (windows < size).all(axis=1)
    return windows[known], sentence[:last][known], int(inside.sum())


def _split(grams: NDArray[Any], origin: NDArray[np.int32], generator: np.random.Generator, name: str) -> list[Split]:
    """Training, validation and test split: each sentence that has n-grams is in one of them, with all its n-grams."""
    sentences, position = np.unique(origin, return_inverse=True)
    # Ranks of uniform numbers, and not NumPy's shuffle, whose algorithm may change with its version.
    rank = np.argsort(np.argsort(generator.random(len(sentences)), kind="stable"), kind="stable") / len(sentences)
    number = np.searchsorted(np.cumsum(FRACTIONS), rank, side="right")[position]  # of the split of each n-gram
    splits = [grams[number == i] for i in range(3)]
    if not all(map(len, splits)):
        raise DataError(
            f"{name!r} is too small: found {len(grams)} {grams.shape[1]}-grams of known words in {len(sentences)} "
            "sentence(s), expected enough for a training, a validation and a test set"
        )
    return [Split(np.ascontiguousarray(split[:, :-1]), np.ascontiguousarray(split[:, -1])) for split in splits]
