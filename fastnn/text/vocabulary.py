"""Which tokens have ids, and which id a token has."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal

from fastnn.common.errors import DataError

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
SPECIALS = (UNKNOWN, START, END)


def check_different(words: Sequence[str], what: str, error: type[ValueError] = ValueError) -> None:
    """`error` for a word that stands in `words` twice: its two ids could not be told from each other.

    what : what messages call the words
    """
    if len(set(words)) == len(words):
        return
    first: dict[str, int] = {}
    for i, word in enumerate(words):
        if first.setdefault(word, i) != i:
            raise error(f"{what} holds {word!r:.60} twice, at {first[word]} and {i}, expected each word once")


class Vocabulary:
    """Tokens by id, from 0.

    words : the tokens. Three of them are no tokens of a text, where the vocabulary has them: `<unk>` stands for every
            token that has no id, `<s>` for what was before a sentence, `</s>` is what follows its last token.

    ValueError for a word that it has twice.

    >>> vocabulary = Vocabulary.of_counts({"the": 7, "fox": 2, "sly": 1}, size=5, sentences=2)
    >>> vocabulary.words
    ('the', '</s>', 'fox', '<unk>', '<s>')
    >>> vocabulary.ids(["The", "shy", "fox"])
    [0, 3, 2]
    """

    def __init__(self, words: Iterable[str]):
        self.words = tuple(words)
        check_different(self.words, "a vocabulary")
        found = {word: i for i, word in enumerate(self.words) if word in SPECIALS}
        self.unknown, self.start, self.end = (found.get(special) for special in SPECIALS)

    @cached_property
    def _ids(self) -> dict[str, int]:
        """The id of each token: made when a text is read. Of 50,000 it takes 4 MB, which a training does without."""
        return {word: i for i, word in enumerate(self.words)}

    @classmethod
    def of_counts(
        cls, counts: Mapping[str, int], size: int, min_count: int = 1, sentences: int | None = None
    ) -> "Vocabulary":
        """The most frequent tokens and the specials, by falling count; ties are broken by alphabet.

        counts     how often each token is in the text
        size       how many ids there are at most, those of the specials among them; if there are fewer tokens, all
                   have ids
        min_count  how often a token that has an id is in the text, at least
        sentences  how many sentences the text has, as many times `</s>` is predicted; None: never, it gets no id

        `<s>` is never predicted and stands last. DataError unless there is an id for a token.
        """
        specials = SPECIALS if sentences is not None else SPECIALS[:2]
        usual = {word: count for word, count in counts.items() if count >= min_count and word not in specials}
        room = size - len(specials)
        if room < 1 or not usual:
            raise DataError(
                f"a vocabulary of {size:,} of {len(counts):,} different tokens, {len(usual):,} of which occur at least "
                f"{min_count:,} times, has no token beside {', '.join(specials)}"
            )
        kept = sorted(usual, key=lambda word: (-usual[word], word))[:room]
        found = {word: usual[word] for word in kept}
        found |= {UNKNOWN: sum(counts.values()) - sum(found.values())}
        found |= {END: sentences} if sentences is not None else {}
        return cls([*sorted(found, key=lambda word: (-found[word], word)), START])

    def __len__(self) -> int:
        return len(self.words)

    @property
    def ids_file(self) -> Literal["auto"] | None:
        """The `ids_file` of `load_text` for a text of these words.

        Without all marks there are words that are no sample, so there is no place for them in a file.
        """
        return None if None in (self.unknown, self.start, self.end) else "auto"

    def id_of(self, token: str) -> int | None:
        """The id of the token, else that of the token in small letters, else that of `<unk>`; None without any."""
        found = self._ids.get(token)
        return found if found is not None else self._ids.get(token.lower(), self.unknown)

    def ids(self, tokens: Iterable[str]) -> list[int | None]:
        """The id of each token."""
        return [self.id_of(token) for token in tokens]
