"""Words as ids for a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.common.text import plural
from fastnn.data.preprocessing.base import Preprocessing
from fastnn.text.tokens import Tokenizer

TOKENIZERS = ("spaces", "text")


@dataclass(frozen=True, eq=False)
class Words(Preprocessing):
    """Words as ids for a network: its vocabulary, in the order of the ids.

    vocabulary  the words, by id
    tokenizer   how a text is cut into words: at "spaces", or as `load_text` does ("text"), which makes a full stop a
                word of its own

    Data may be texts (N,), each of as many words as the network takes, rows of words (N, C), or ids (N, C), which stay
    as they are. A word that the vocabulary lacks is looked up in small letters. TypeError or ValueError for what is no
    vocabulary.

    >>> model.preprocessing = fn.Words(["how", "are", "you", "."])
    >>> model.predict(["how are you"])
    """

    vocabulary: Sequence[str]
    tokenizer: str = "spaces"
    kind: ClassVar[str] = "words"

    def __post_init__(self) -> None:
        given = self.vocabulary
        if not isinstance(given, tuple | list) or not given or not all(isinstance(word, str) for word in given):
            raise TypeError(f"Words: vocabulary is {given!r:.60}, expected a list of words, by id")
        if self.tokenizer not in TOKENIZERS:
            raise ValueError(f"Words: tokenizer is {self.tokenizer!r}, expected one of {', '.join(TOKENIZERS)}")
        object.__setattr__(self, "vocabulary", tuple(given))
        object.__setattr__(self, "_ids", {word: i for i, word in enumerate(given)})

    def check(self, shape: tuple[int, ...], ids: int | None) -> None:
        if ids is None or len(shape) != 1:
            raise ValueError(f"Words makes rows of ids, but this model takes numbers of shape {shape}")
        if len(self.vocabulary) > ids:
            raise ValueError(f"Words has {len(self.vocabulary)} words, but this model knows {ids} ids")

    def check_shape(self, given: tuple[int, ...], what: str, shape: tuple[int, ...]) -> None:
        validation.check_sample_shape(given, what, shape)

    def converted(self, x: Any, what: str, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        rows = _texts(x)
        if rows is None:
            return x
        if not rows:
            raise DataError(f"{what} is empty, expected at least one text")
        return np.array([self.ids_of(row, f"{what}[{i}] ({row!r:.60})", shape[0]) for i, row in enumerate(rows)])

    def ids_of(self, text: Any, what: str, count: int) -> list[int]:
        """The ids of the `count` words of a text or a row. DataError for another number of them, or an unknown word."""
        words = list(self.words_of(text)) if isinstance(text, str) else text
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise DataError(f"{what} is no text and no list of words")
        if len(words) != count:
            hint = '; put quotes around them: "how are you"' if len(words) == 1 else ""
            raise DataError(f"{what} has {plural(len(words), 'word')}, expected {count} separated by spaces{hint}")
        return [self._id_of(word, what) for word in words]

    def words_of(self, text: str) -> Iterator[str]:
        """The words of a text."""
        if self.tokenizer == "spaces":
            yield from text.split()
        else:
            yield from Tokenizer().tokens(text)

    def _id_of(self, word: str, what: str) -> int:
        known: dict[str, int] = getattr(self, "_ids")  # noqa: B009, it is no field
        found = known.get(word, known.get(word.lower()))
        if found is None:
            hint = near(word.lower(), self.vocabulary)
            raise DataError(
                f"{what}: the word {word!r:.60} is not among the {len(self.vocabulary)} of the vocabulary; {hint}"
            )
        return found

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind, "vocabulary": list(self.vocabulary), "tokenizer": self.tokenizer}


def _texts(x: Any) -> list[Any] | None:
    """Texts or rows of words as a list; None if x holds none."""
    if isinstance(x, str):
        return [x]
    if hasattr(x, "__array__"):
        array = np.asarray(x)
        if array.dtype.kind not in "OU":
            return None
        x = array.tolist()
    first = x
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return list(x) if isinstance(first, str) and isinstance(x, list | tuple) else None
