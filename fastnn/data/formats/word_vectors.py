"""Word vectors that were made elsewhere: NumPy arrays, or the two forms of word2vec."""

import logging
import os
from collections.abc import Iterator, Sequence

import numpy as np

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import check_readable
from fastnn.common.text import plural
from fastnn.text.vectors import read_vectors
from fastnn.text.vocabulary import SPECIALS

log = logging.getLogger(__name__)


def load_word_vectors(path: str | os.PathLike[str], words: Sequence[str], width: int) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of the words that the file has: their ids (n,) int64, ascending, and the vectors (n, width) float64.

    .npy   an array (len(words), width), a row for each of `words` in their order
    .npz   `vectors` (V, width) and `words` (V,), strings
    other  UTF-8 text, a line for each word: the word and `width` numbers, separated by spaces; or the binary form of
           word2vec. Either may be packed by gzip. A first line of two whole numbers, as word2vec writes it, is skipped

    A word is looked for as it is, then in small letters. Of a word that occurs twice the first vector counts, as gensim
    reads it, and a warning says so. Raises FileFormatError for a file that is missing, damaged or
    of another layout, DataError for another width, numbers that are not finite, or if it has none of the words.
    """
    name = os.fspath(path)
    check_readable(name)
    if name.endswith(".npy"):
        vectors = _array(name)
        if vectors.shape != (len(words), width):
            raise DataError(f"{name!r} has shape {vectors.shape}, expected {(len(words), width)}: a row for each word")
        return np.arange(len(words)), _finite(vectors, name)
    found = _from_archive(name) if name.endswith(".npz") else read_vectors(name, {*words, *map(str.lower, words)})
    rows: dict[int, np.ndarray] = {}
    table = _first_of_each(found, name)
    for number, word in enumerate(words):
        vector = table.get(word, table.get(word.lower()))
        if vector is not None:
            rows[number] = vector
    if not rows:
        usual = next((word for word in words if word not in SPECIALS), words[0])
        raise DataError(f"{name!r} has a vector for none of the {len(words)} words, such as {usual!r}")
    wrong = next((number for number, vector in rows.items() if len(vector) != width), None)
    if wrong is not None:
        raise DataError(
            f"{name!r}: the vector of {words[wrong]!r} has {len(rows[wrong])} numbers, expected {width}, the width of "
            "the embedding; choose it with --sizes, in Python with width="
        )
    return np.fromiter(rows, np.int64), _finite(np.array(list(rows.values())), name)


def _first_of_each(found: Iterator[tuple[str, np.ndarray]], name: str) -> dict[str, np.ndarray]:
    """The first vector of each word; a warning names words that have several."""
    table: dict[str, np.ndarray] = {}
    twice: dict[str, None] = {}
    for word, vector in found:
        if word in table:
            twice[word] = None
        else:
            table[word] = vector
    if twice:
        which = plural(len(twice), "word")
        log.warning(
            "%r has more than one vector for %s, such as %r: the first one counts", name, which, next(iter(twice))
        )
    return table


def _array(name: str) -> np.ndarray:
    try:
        return np.asarray(np.load(name, allow_pickle=False), np.float64)
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise FileFormatError(f"{name!r} cannot be read as an array of numbers ({error})") from None


def _from_archive(name: str) -> Iterator[tuple[str, np.ndarray]]:
    import zipfile

    try:
        with open(name, "rb") as file, np.load(file, allow_pickle=False) as archive:
            words, vectors = archive["words"], np.asarray(archive["vectors"], np.float64)
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{name!r} cannot be read as an archive of 'words' and 'vectors' ({error})") from None
    if vectors.ndim != 2 or words.shape != vectors.shape[:1] or words.dtype.kind not in "US":
        raise FileFormatError(
            f"{name!r}: words {words.shape} {words.dtype} and vectors {vectors.shape}, expected (V,) strings and (V, D)"
        )
    texts = (word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in words)
    yield from zip(texts, vectors, strict=True)


def _finite(vectors: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(vectors).all():
        raise DataError(f"{name!r} holds numbers that are not finite")
    return vectors
