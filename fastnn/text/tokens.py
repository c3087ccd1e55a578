"""Text to tokens, sentence by sentence, and tokens back to text.

Every pattern takes time in proportion to the text, whatever is in it: none begins anew at each mark of a run.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from fastnn.text import bpe

Kind = Literal["words", "spaces", "characters", "bytes", "bpe"]
Sentences = Literal["punctuation", "lines", "none"]

TITLES = [form for title in ("mr", "mrs", "ms", "dr", "st") for form in (title, title.capitalize(), title.upper())]
# Longer than any letter's marks are in a text that is meant to be read (Unicode's stream-safe format allows 30).
MANY_MARKS = re.compile(r"[^\w\s\x00-\x7f]{31,}")
PLAIN = {ord(typeset): typed for typeset, typed in zip("‘’“”—–", ["'", "'", '"', '"', "--", "-"], strict=True)}
JOINERS = "\u200c\u200d"  # zero-width: they shape the letters on both sides, or join pictographs to one
NO_SPACE_BEFORE = {*",.;:!?…)]}%", "...", "''"}
NO_SPACE_AFTER = {*"([{$£€#@", "``"}
QUOTES = {'"', "'"}  # the same mark opens and closes


@dataclass(frozen=True)
class Tokenizer:
    """How a text becomes tokens.

    kind       "words": words, numbers and punctuation marks, each a token. A word keeps its combining marks, its
               zero-width joiners, digits within it and inner apostrophes, and is one word with or without a soft
               hyphen; typographic quotes and dashes are written as a typewriter does; "Mr." and its like keep their dot
               "spaces": what stands between white space
               "characters": every character; "bytes": every byte of the text in UTF-8, as the character of that code
               "bpe": the tokens of a tokenizer of the package `tokenizers`, which leaves the text as it is
    lower      whether letters become lower-case ones
    sentences_end  where one ends: at "punctuation" or an empty line, at the end of "lines", or nowhere ("none")
    rules      of "bpe": the tokenizer as JSON text

    >>> list(Tokenizer().sentences("Mr. Fox can't wait. Can he?"))
    [['mr.', 'fox', "can't", 'wait', '.'], ['can', 'he', '?']]

    ValueError for another kind or other sentences.
    """

    kind: Kind = "words"
    lower: bool = True
    sentences_end: Sentences = "punctuation"
    rules: str = ""

    def __post_init__(self) -> None:
        for name, given, known in (
            ("kind", self.kind, get_args(Kind)),
            ("sentences_end", self.sentences_end, get_args(Sentences)),
        ):
            if given not in known:
                raise ValueError(f"Tokenizer: {name} is {given!r:.60}, expected one of {', '.join(known)}")
        if not isinstance(self.rules, str) or bool(self.rules) != (self.kind == "bpe"):
            raise ValueError(f"Tokenizer: rules is {self.rules!r:.60}, expected JSON text of bpe, of others none")

    def sentences(self, text: str) -> Iterator[list[str]]:
        """The tokens of each sentence; sentences without tokens are left out."""
        for tokens in self.pieces(text):
            if tokens:
                yield tokens

    def pieces(self, text: str) -> Iterator[list[str]]:
        """The same, and empty lists of sentences without tokens: one list more than there are ends of sentences."""
        return map(self._tokens, self._cut(self.prepared(text)))

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, whatever sentences it has."""
        return self._tokens(self.prepared(text))

    def joined(self, tokens: Iterable[str]) -> str:
        """A text of such tokens, as people write it: words with spaces between them, but none before a full stop."""
        if self.kind == "words":
            return _joined(tokens)
        if self.kind == "bpe":
            return bpe.decoded(self.rules, tokens)
        text = (" " if self.kind == "spaces" else "").join(tokens)
        return text.encode("latin-1", "replace").decode("utf-8", "replace") if self.kind == "bytes" else text

    def text_of(self, sentences: Iterable[Iterable[str]]) -> str:
        """A text of sentences of such tokens."""
        if self.kind == "bpe" and self.sentences_end != "lines":
            return self.joined(itertools.chain.from_iterable(sentences))
        between = " " if self.kind in ("words", "spaces") else ""  # characters have white space among them
        return ("\n" if self.sentences_end == "lines" else between).join(map(self.joined, sentences))

    @property
    def noun(self) -> str:
        """What one of the tokens is called."""
        return {"characters": "character", "bytes": "byte", "bpe": "token"}.get(self.kind, "word")

    def config(self) -> dict[str, Any]:
        """As JSON and model files hold it."""
        config = asdict(self)
        return config if self.rules else {name: value for name, value in config.items() if name != "rules"}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Tokenizer":
        return cls(**config)

    def prepared(self, text: str) -> str:
        """The text as tokens are found in it."""
        if self.kind == "bpe":
            return text.lower() if self.lower else text
        text = unicodedata.normalize("NFC", MANY_MARKS.sub(_in_order, text))
        if self.kind == "words":
            text = text.translate(_plain())
        return text.lower() if self.lower else text

    def _cut(self, text: str) -> Iterator[str]:
        if self.sentences_end == "punctuation":
            ends = [match.end() for match in sentence_end().finditer(text)]
            yield from (text[low:high] for low, high in zip([0, *ends], [*ends, len(text)], strict=True))
        elif self.sentences_end == "lines":
            yield from text.splitlines()
        else:
            yield text

    def _tokens(self, text: str) -> list[str]:
        if self.kind == "words":
            return _word().findall(text)
        if self.kind == "spaces":
            return text.split()
        if self.kind == "bpe":
            return bpe.encoded(self.rules, text)
        return list(text if self.kind == "characters" else text.encode().decode("latin-1"))


@functools.cache
def sentence_end() -> re.Pattern[str]:
    """The end of a sentence: . ! ? … and closing quotes or brackets, followed by white space, but not the dot of a
    title; or an empty line. (To compile it takes 2 ms, which an import does not need.)"""
    # A run of such marks is looked at from its first one, after a title from its second: from each of them in turn the
    # time would grow with the square of the run. Chinese and Japanese write no spaces, so that their marks end a
    # sentence wherever they stand; those of Arabic, Urdu and Hindi do before white space.
    first_mark = "(?<![.!?…].)" + "".join(rf"(?<!\b{title}.)" for title in TITLES)
    second_mark = "|".join(rf"(?<=\b{title}[.!?…].)" for title in TITLES)
    closing = "[\"')\\]”’」』）】》]*"
    return re.compile(
        rf"[.!?…](?:{first_mark}|{second_mark})[.!?…]*{closing}(?=\s|$)|[。！？｡]+{closing}"
        rf"|(?<![؟۔।॥])[؟۔।॥]+{closing}(?=\s|$)|{empty_line()}"
    )


def empty_line(removed: str = "") -> str:
    """The pattern of an empty line, or of another end of a paragraph; characters of `removed` are as if not there.

    Lines end with \\n, \\r\\n or \\r, or with Unicode's next line or line separator. A paragraph separator is enough.
    """
    # It begins with a set, which Python searches for four times as fast as for alternatives.
    is_half = rf"(?<=\r)[{removed}]*\n" if removed else r"(?<=\r)\n"
    return rf"[\n\r\x85\u2028\u2029](?:(?<=\u2029)|(?!{is_half})[\s{removed}]*[\n\r\x85\u2028\u2029])"


@functools.cache
def _characters(*categories: str) -> str:
    """All characters of these categories of Unicode, those of private use and beyond them left out."""
    ranges = range(0x20000), range(0xE0000, 0xE0200)
    return "".join(chr(code) for code in itertools.chain(*ranges) if unicodedata.category(chr(code)) in categories)


@functools.cache
def nothing() -> str:
    """The characters that words are without: control characters and invisible ones, soft hyphens among them."""
    return "".join(one for one in _characters("Cc", "Cf") if one not in JOINERS and not one.isspace())


@functools.cache
def _plain() -> dict[int, str | None]:
    """What becomes of typographic marks, and of those characters nothing."""
    return dict.fromkeys(map(ord, nothing())) | PLAIN


@functools.cache
def _word() -> re.Pattern[str]:
    """A token: a title with its dot, a word, a dash (--) or dots (...) as typewriters write them, a number, or any
    other visible character with its marks; pictographs that are joined are one."""
    # Python searches so large a set slowly: to see first whether a mark is possible at all makes it four times as fast.
    mark = rf"(?=[\u0300-\U0010ffff])[{_characters('Mn', 'Mc', 'Me')}{JOINERS}]"
    word = rf"[^\W\d_]+(?:(?:{mark}|\d)+[^\W_]*)*"
    other = rf"(?:[^\w\s]|_)(?:[{JOINERS}][^\w\s]|{mark})*"
    number = r"\d+(?:[.,]\d+)*"
    return re.compile(rf"\b(?:{'|'.join(TITLES)})\.|{word}(?:'{word})*|--+|\.\.+|{number}|{other}")


def _in_order(match: re.Match[str]) -> str:
    """The same characters taken apart, their combining marks in the canonical order.

    `unicodedata` sorts the marks of a letter by exchanging neighbours: hours for a million marks. Of sorted ones it
    makes the same text in linear time.
    """
    apart = "".join(unicodedata.normalize("NFD", one) for one in match[0])
    runs = itertools.groupby(apart, lambda one: unicodedata.combining(one) > 0)
    return "".join("".join(sorted(run, key=unicodedata.combining) if marks else run) for marks, run in runs)


def _joined(tokens: Iterable[str]) -> str:
    """Spaces between words, but none before a mark that closes, or after one that opens."""
    text, is_open, glued = "", dict.fromkeys(QUOTES, False), True
    for token in tokens:
        closes = token in NO_SPACE_BEFORE or is_open.get(token, False)
        text += token if glued or closes else f" {token}"
        glued = token in NO_SPACE_AFTER or (token in QUOTES and not is_open[token])
        if token in QUOTES:
            is_open[token] = not is_open[token]
    return text
