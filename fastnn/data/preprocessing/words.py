"""Words as ids for a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.common.text import plural
from fastnn.data.preprocessing.base import Preprocessing
from fastnn.text.tokens import Tokenizer
from fastnn.text.vocabulary import UNKNOWN, Vocabulary, check_different

# What models hold that were saved before tokenizers had configurations. None: what stands between spaces, as it is.
NAMED = {"spaces": None, "text": Tokenizer()}
MOST_NAMED = 5  # words that a line names
PLAIN = Tokenizer("spaces", lower=False, sentences_end="lines")  # what is nearest to None


@dataclass(frozen=True, eq=False)
class Words(Preprocessing):
    """Words as ids for a network: its vocabulary, in the order of the ids.

    Data may be texts (N,), rows of words (N, C), or ids (N, C), which stay as they are. A word that the vocabulary
    lacks is looked up in small letters, then it is `<unk>`, if the vocabulary has that. If it has `<s>`, texts and rows
    may have any number of words: of a text the words of its last sentence are taken, of those the last C, and `<s>`
    fills the places before fewer. Without `<s>` there must be C words.

    A network that predicts the word at each place of a row, such as the default one of a text, then predicts the next
    word at the last place, after it has read these `<s>`. It was trained on rows without them. `fn.LanguageModel`
    begins a row with the text, and reads earlier sentences, too, so that its figures differ a little.

    Args:
        vocabulary: The words, by id.
        tokenizer: How a text is cut into words: the `config()` of a `fastnn.text.tokens.Tokenizer`, or the name of one,
            at "spaces", or by the rules of "text", which makes a full stop a word of its own.

    Raises:
        TypeError: For what is no vocabulary or no tokenizer.
        ValueError: For a vocabulary that holds a word twice, or a tokenizer of that kind that cannot be.

    Examples:
        >>> model = fn.Sequential([fn.Embedding(4, 8), fn.Flatten(), fn.Dense(4)], input_shape=3)
        >>> model.preprocessing = fn.Words(["how", "are", "you", "."])
        >>> model.predict(["how are you"]).shape
        (1, 4)
    """

    vocabulary: Sequence[str]
    tokenizer: str | Mapping[str, Any] = "spaces"
    _rules: Tokenizer | None = field(init=False)
    kind: ClassVar[str] = "words"

    def __post_init__(self) -> None:
        given = self.vocabulary
        if not isinstance(given, tuple | list) or not given or not all(isinstance(word, str) for word in given):
            raise TypeError(f"Words: vocabulary is {given!r:.60}, expected a list of words, by id")
        check_different(given, "Words: vocabulary")
        object.__setattr__(self, "vocabulary", tuple(given))
        object.__setattr__(self, "_rules", _tokenizer(self.tokenizer))

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
        """The ids of the `count` words of a text or a row.

        Args:
            text: A text or a row of words.
            what: What messages call it.
            count: How many words the network takes.

        Raises:
            DataError: For another number of them, or an unknown word, where the vocabulary has nothing that stands for
                it.
        """
        words = self._words_of(text) if isinstance(text, str) else text
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise DataError(f"{what} is no text and no list of words")
        start = self.known.start
        if start is not None:
            words = words[-count:]
        elif len(words) != count:
            hint = '; put quotes around them: "how are you"' if len(words) == 1 else ""
            raise DataError(f"{what} has {plural(len(words), 'word')}, expected {count} separated by spaces{hint}")
        found = [self._id_of(word, what) for word in words]
        return found if start is None else [start] * (count - len(found)) + found

    def _words_of(self, text: str) -> list[str]:
        """The words of a text; of its last sentence, if what is before a sentence does not count."""
        if self._rules is None:
            return text.split()
        if self.known.start is None:
            return self._rules.tokens(text)
        return [[], *self._rules.sentences(text)][-1]

    def _id_of(self, word: str, what: str) -> int:
        found = self.known.id_of(word)
        if found is None:
            hint = near(word.lower(), self.vocabulary)
            raise DataError(
                f"{what}: the word {word!r:.60} is not among the {len(self.vocabulary):,} of the vocabulary; {hint}"
            )
        return found

    def told_unknown(self, text: str) -> list[str]:
        """A line that names the words of a text that are read as `<unk>`, for people; none, if there are none.

        Args:
            text: Any text.
        """
        unknown = self.known.unknown
        if unknown is None:
            return []
        words = [word for sentence in self.rules.sentences(text) for word in sentence]
        found = [one for one, i in zip(words, self.known.ids(words), strict=True) if i == unknown and one != UNKNOWN]
        named = list(dict.fromkeys(found))
        more = f" and {plural(len(named) - MOST_NAMED, 'other')}" if len(named) > MOST_NAMED else ""
        shown = ", ".join(f"{word!r:.40}" for word in named[:MOST_NAMED])
        return [f"not in the vocabulary, read as {UNKNOWN}: {shown}{more}"] if named else []

    @cached_property
    def known(self) -> Vocabulary:
        """The vocabulary as one that looks words up."""
        return Vocabulary(self.vocabulary)

    @property
    def rules(self) -> Tokenizer:
        """How texts are cut into words, and words put together to texts."""
        return self._rules or PLAIN

    def config(self) -> dict[str, Any]:
        rules = self.tokenizer if isinstance(self.tokenizer, str) else dict(self.tokenizer)
        return {"kind": self.kind, "vocabulary": list(self.vocabulary), "tokenizer": rules}


def _tokenizer(given: Any) -> Tokenizer | None:
    """The tokenizer of that name or configuration. TypeError or ValueError for anything else."""
    if isinstance(given, str) and given in NAMED:
        return NAMED[given]
    if not isinstance(given, Mapping):
        raise ValueError(f"Words: tokenizer is {given!r:.60}, expected a configuration or one of {', '.join(NAMED)}")
    try:
        made = Tokenizer.from_config(given)
    except TypeError:
        raise TypeError(f"Words: tokenizer is {given!r:.100}, expected what Tokenizer().config() gives") from None
    if not isinstance(made.lower, bool):
        raise TypeError(f"Words: the tokenizer's lower is {made.lower!r:.60}, expected True or False")
    return made


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
