"""Tokens as numbers, in the order in which they are met, from pieces of text of any size.

Where sentences end at punctuation or with lines, white space parts tokens: what stands between it becomes numbers once,
and is looked up after that. Measured (Zen 4, one core, 10⁷ words drawn from 50,000 by Zipf's law): 2.4 to 3.0 million
tokens a second, 1.2 million if each sentence is cut and numbered anew.
"""

import itertools
import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from fastnn.text.corpus import TextFile, between_words
from fastnn.text.tokens import Tokenizer, empty_line, nothing

Numbers = NDArray[np.int32]

SENTENCE_ENDS = 0  # stands after a sentence; tokens have numbers from 1
ENDING = "\0"  # and this in a text: no text has it
MOST_KNOWN, LONGEST_KNOWN = 1 << 17, 64  # stretches without white space whose numbers are kept, and their characters


class Numbering(dict[str, int]):
    """Texts to numbers: each token gets the next number when it is first met, from 1.

    tokenizer : how texts become tokens

    >>> numbering = Numbering(Tokenizer())
    >>> numbering.numbers("A fox. A sly fox").tolist(), list(numbering)
    ([1, 2, 3, 0, 1, 4, 2], ['a', 'fox', '.', 'sly'])
    """

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self._known = _Stretches(self)
        removed = re.escape(nothing()) if tokenizer.kind == "words" else ""
        self._empty_line = re.compile(empty_line(removed))

    def __missing__(self, token: str) -> int:
        self[token] = number = len(self) + 1
        return number

    def of_files(self, files: Iterable[TextFile]) -> Iterator[Numbers]:
        """The numbers of texts, one after the other: as many at a time as a piece has.

        After each sentence with tokens stands SENTENCE_ENDS, if sentences end anywhere. Errors as of `TextFile.pieces`.
        """
        ends = np.zeros(int(self.tokenizer.sentences_end != "none"), np.int32)
        last = SENTENCE_ENDS
        for file in files:
            removed = nothing() if self.tokenizer.kind == "words" else ""
            pieces = between_words(file.pieces(), removed, repr(file.name))
            for found in itertools.chain(map(self.numbers, pieces), [ends]):
                kept = found[(found != SENTENCE_ENDS) | (np.append(np.int32(last), found[:-1]) != SENTENCE_ENDS)]
                if len(kept):
                    last = int(kept[-1])
                    yield kept

    def numbers(self, text: str) -> Numbers:
        """The numbers of one of the pieces that `between_words` makes; SENTENCE_ENDS where a sentence may have ended.

        That may stand there several times, and not after the last sentence.
        """
        if self.tokenizer.kind in ("words", "spaces"):
            found = itertools.chain.from_iterable(map(self._known.__getitem__, self._marked(text).split()))
        else:
            sentences = self.tokenizer.pieces(text)
            found = itertools.chain.from_iterable((SENTENCE_ENDS, *map(self.__getitem__, one)) for one in sentences)
            next(found)
        return np.fromiter(found, np.int32)

    def _marked(self, text: str) -> str:
        """The text with ENDING where a sentence ends, but for sentences that end at punctuation."""
        if self.tokenizer.sentences_end == "punctuation":
            return self._empty_line.sub(f" {ENDING} ", text)
        return f" {ENDING} ".join(text.splitlines()) if self.tokenizer.sentences_end == "lines" else text

    def of_stretch(self, text: str) -> tuple[int, ...]:
        """The numbers of a text without white space."""
        if text == ENDING:
            return (SENTENCE_ENDS,)
        if self.tokenizer.sentences_end != "punctuation":
            return tuple(map(self.__getitem__, self.tokenizer.tokens(text)))
        sentences = self.tokenizer.pieces(text)
        return (*itertools.chain.from_iterable((SENTENCE_ENDS, *map(self.__getitem__, one)) for one in sentences),)[1:]


class _Stretches(dict[str, tuple[int, ...]]):
    """The numbers of texts without white space that have been met."""

    def __init__(self, numbering: Numbering):
        self._numbering = numbering

    def __missing__(self, text: str) -> tuple[int, ...]:
        found = self._numbering.of_stretch(text)
        if len(text) <= LONGEST_KNOWN:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[text] = found
        return found
