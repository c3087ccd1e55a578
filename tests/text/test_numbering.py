"""Text in pieces gives the tokens and sentences of the whole text, wherever it is cut."""

import itertools

import numpy as np
import pytest

from fastnn.common.errors import FileFormatError
from fastnn.text import corpus, numbering
from fastnn.text.corpus import TextFile, between_words
from fastnn.text.numbering import Numbering
from fastnn.text.tokens import Tokenizer

KINDS = "words", "spaces", "characters", "bytes"
ENDS = "punctuation", "lines", "none"
# Ends of sentences that are none, empty lines with what is invisible in them, marks, and a sigma at the end of a word.
HOSTILE = (
    "\ufeff \n\nMr. Fox can't\u00adwait… (“Can he?”)  St. Ives.) No!\u200b\n\u200b\r\n\ufeff x ΟΔΟΣ\n "
    "e\u0301\u0327\u0301. "
    "a\u200b \u0301b\x85c\u2028\u200bd. . .\n...\n--x--\t1,000.5 so\n\u200b\nit\n \u200b\u00ad\r\nis \n \n\n"
    "他说：「好。」走了！？\u200b。 क्या? हाँ। नहीं॥ ۔؟x كيف؟\n"
    "p\r\rq\r\u200b\nr\r \rs\x85\x85t\u2029u\u2028\u200b\u2028v\n\rw"
)


def wanted(text, rules):
    return list(rules.sentences(text))


def found(pieces, rules):
    """The sentences of a text that comes in these pieces."""
    numbers = Numbering(rules)
    file = TextFile("a.txt")
    file.pieces = lambda: iter(pieces)
    flat = np.concatenate([np.empty(0, np.int32), *numbers.of_files([file])]).tolist()
    words = ["", *numbers]
    grouped = [[words[i] for i in run] for is_end, run in itertools.groupby(flat, lambda i: i == 0) if not is_end]
    assert flat.count(0) == (0 if rules.sentences_end == "none" else len(grouped))
    return grouped


@pytest.mark.parametrize(("kind", "ends", "lower"), [*itertools.product(KINDS, ENDS, [True, False])])
def test_a_text_may_be_cut_anywhere(kind, ends, lower):
    rules = Tokenizer(kind, lower, ends)
    want = wanted(HOSTILE, rules)
    for at in range(len(HOSTILE) + 1):
        assert found([HOSTILE[:at], HOSTILE[at:]], rules) == want, at
    assert found(list(HOSTILE), rules) == want
    assert found([], rules) == []


def test_drawn_texts(monkeypatch):
    monkeypatch.setattr(numbering, "MOST_KNOWN", 5)
    rng = np.random.default_rng(0)
    for kind, ends, _ in itertools.product(KINDS, ENDS, range(20)):
        text = "".join(rng.choice([*HOSTILE], 60))
        rules, cuts = Tokenizer(kind, True, ends), sorted(rng.integers(0, 60, 4).tolist())
        pieces = [text[low:high] for low, high in zip([0, *cuts], [*cuts, 60], strict=True)]
        assert found(pieces, rules) == wanted(text, rules), (text, rules)


def test_pieces_end_after_words():
    assert list(between_words(["ab cd", "e f", " \n", " g ", "hi"], "", "x")) == ["ab", " cde", " f \n g", " hi"]
    assert list(between_words([" ", "  "], "", "x")) == ["   "]


def test_a_text_without_white_space(monkeypatch):
    monkeypatch.setattr(corpus, "LONGEST", corpus.PIECE_BYTES)
    with pytest.raises(FileFormatError, match="'x' has 1,048,576 characters without white space between them"):
        list(between_words(["a" * 9] * 9, "", "'x'"))
