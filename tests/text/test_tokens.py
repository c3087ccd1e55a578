"""Texts to tokens by Unicode's rules, in linear time, and back."""

import random
import re
import unicodedata

import pytest

from fastnn.text import tokens as token_patterns
from fastnn.text.corpus import sentences_end_of
from fastnn.text.tokens import Tokenizer
from tests.tiny import python

WORDS = Tokenizer()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Mr. Fox can't wait.", ["mr.", "fox", "can't", "wait", "."]),
        ("nai\u0308ve na\u00efve", ["na\u00efve", "na\u00efve"]),  # composed, and not
        ("x\u0301\u0323y", ["x\u0323\u0301y"]),  # marks that no single letter has, in Unicode's order
        ("İstanbul'da", ["i\u0307stanbul'da"]),
        ("co\u00adop\u00aderate", ["cooperate"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("क्षत्रिय है", ["क्षत्रिय", "है"]),
        ("h2o, 3,141.5 x²", ["h2o", ",", "3,141.5", "x²"]),
        ("a_b", ["a", "_", "b"]),
        ("“Oh—no…” ‘so’", ['"', "oh", "--", "no", "…", '"', "'", "so", "'"]),
        ("\ufeffa\u200bb\u2060c\x07", ["abc"]),
        ("👩\u200d👩\u200d👧👍🏽", ["👩\u200d👩\u200d👧", "👍", "🏽"]),
        ("rock'n'roll 'tis dogs'", ["rock'n'roll", "'", "tis", "dogs", "'"]),
        ("日本語", ["日本語"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_words(text, tokens):
    assert WORDS.tokens(text) == tokens


@pytest.mark.parametrize(
    ("end", "want"),
    [
        ("punctuation", [["a", "mr.", "b", "."], ["c", "?", '"'], ["d"], ["e", "f"]]),
        ("lines", [["a", "mr.", "b", ".", "c", "?", '"'], ["d"], ["e"], ["f"]]),
        ("none", [["a", "mr.", "b", ".", "c", "?", '"', "d", "e", "f"]]),
    ],
)
def test_sentences(end, want):
    assert list(Tokenizer(sentences_end=end).sentences('a Mr. b. c?"\nd\n\ne\nf')) == want


def test_case_is_kept_where_asked_for():
    assert Tokenizer(lower=False).tokens("MR. Fox İs") == ["MR.", "Fox", "İs"]


def test_what_stands_between_spaces():
    assert Tokenizer("spaces").tokens("A <unk>\u00a0N don't.") == ["a", "<unk>", "n", "don't."]


@pytest.mark.parametrize("kind", ["characters", "bytes"])
def test_characters_and_bytes_come_back_as_they_were(kind):
    text = "Ünï — 日本\n\t👍 x"
    tokenizer = Tokenizer(kind, lower=False, sentences_end="none")
    tokens = tokenizer.tokens(text)
    assert all(len(token) == 1 for token in tokens)
    assert tokenizer.joined(tokens) == text
    assert len(tokens) == (len(text) if kind == "characters" else len(text.encode()))


def test_bytes_that_are_no_text_are_shown():
    assert Tokenizer("bytes").joined(["a", "\xff", "b"]) == "a\ufffdb"


@pytest.mark.parametrize(
    "text",
    [
        'he said, "I can\'t." "Why?"',
        "costs $ 3.5 (about 2%), no more; well...",
        "one, two: three",
    ],
)
def test_words_are_joined_as_people_write_them(text):
    want = text.replace("$ ", "$")
    assert Tokenizer(lower=False).joined(Tokenizer(lower=False).tokens(text)) == want


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("The cat sat. It slept!", ["the cat sat .", "it slept !"]),
        ('"Go," he said. "Now!" She left.', ['" go , " he said .', '" now ! "', "she left ."]),
        ("Mrs. Brown met Dr. No. The burst. Ended", ["mrs. brown met dr. no .", "the burst .", "ended"]),
        ("I don't know't", ["i don't know't"]),
        ("I don’t—no… “Yes.” Well", ["i don't -- no …", '" yes . "', "well"]),
        ("what?! so ... no", ["what ? !", "so ...", "no"]),
        ("All:\nSpeak,\nspeak.\n\nTitle\n \nNext line", ["all : speak , speak .", "title", "next line"]),
        ("In 1805, 3.5 miles -- and well-known", ["in 1805 , 3.5 miles -- and well - known"]),
        ("Zoe\u0308 na\u00efve", ["zo\u00eb na\u00efve"]),
        (" \n\n ", []),
        ("他说：「好。」走了！？嗯", ["他说 ： 「 好 。 」", "走了 ！ ？", "嗯"]),
        ("كيف؟ نعم۔ हाँ। a؟b", ["كيف ؟", "نعم ۔", "हाँ ।", "a ؟ b"]),
    ],
)
def test_tokens_and_sentences(text, sentences):
    assert [" ".join(tokens) for tokens in WORDS.sentences(text)] == sentences


# What ends a sentence, as it is read first; the library's pattern finds the same in linear time.
END = re.compile(r"(?<!\bmr)(?<!\bmrs)(?<!\bms)(?<!\bdr)(?<!\bst)[.!?…]+[\"')\]]*(?=\s|$)|\n\s*\n")


def test_sentences_end_where_the_plain_pattern_says():
    pieces = ["mr", "mrs", "dr", "st", "amr", "a", "x1", "_", ".", "..", "!", "?", "…", '"', ")", "'", " ", "\n", "\t"]
    chosen = random.Random(0)
    for _ in range(20_000):
        text = "".join(chosen.choices(pieces, k=chosen.randrange(1, 9)))
        got, want = ([match.span() for match in end.finditer(text)] for end in (token_patterns.sentence_end(), END))
        assert got == want, text


def test_many_marks_on_a_letter_are_sorted_as_unicode_says():
    marks = [*map(chr, range(0x300, 0x370)), "\u0344", "\u0f73", "\u0591", "\u1ea5", "\U0001d15f", "≠", "é", "x", "가"]
    chosen = random.Random(0)
    for _ in range(2_000):
        text = "".join(chosen.choices(marks, k=chosen.randrange(1, 90)))
        got = unicodedata.normalize("NFC", token_patterns.MANY_MARKS.sub(token_patterns._in_order, text))
        assert got == unicodedata.normalize("NFC", text), ascii(text)


LONG = [
    *('"." * n + "x"', '"!?" * n + "x"', '"mr." * n + "x"', '".)" * n + "x"', '"." * n + ")" * n + "x"'),
    *('"a" + "\u0301\u0316" * n', '"a" + "\u0316" * n + "\u0301" * n', '"\u0344\u0316" * n', '"\u0301." * n'),
    *('"\\n" + " " * n + "x"', '"a\'" * n', '"1." * n + "x"', '"a1" * n', '"\u200d" * n', '"👩\u200d" * n'),
    *(
        '"_" * n',
        "'\"' * n",
        '"。" * n + "x"',
        '"。」" * n',
        '"؟" * n + "x"',
        '"؟)" * n + "x"',
        '"؟" * n + ")" * n + "x"',
    ),
]


def test_long_runs_of_any_kind_are_read_in_linear_time():
    """In quadratic time dots took 45 minutes and marks 8, so the limit of `python` needs no clock."""
    code = "from fastnn.text.tokens import Tokenizer\nn = 400_000\nsentences = Tokenizer().sentences\n"
    code += "".join(f"print(sum(map(len, sentences({text}))) >= 0)\n" for text in LONG)
    assert python(code).split() == ["True"] * len(LONG)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_empty_lines_end_sentences_whatever_ends_lines(end):
    assert list(WORDS.sentences(f"a b{end}c{end}{end}d{end} \t{end}e")) == [["a", "b", "c"], ["d"], ["e"]]
    assert sentences_end_of(f"a b c{end}d e f{end}{end}" * 9) == "punctuation"


def test_a_paragraph_separator_ends_a_sentence_alone():
    assert list(WORDS.sentences("a\u2029b\r\nc\n\rd")) == [["a"], ["b", "c"], ["d"]]


def test_a_tokenizer_comes_back_from_its_config():
    tokenizer = Tokenizer("characters", lower=False, sentences_end="lines")
    assert Tokenizer.from_config(tokenizer.config()) == tokenizer


@pytest.mark.parametrize("wrong", [{"kind": "letters"}, {"sentences_end": "dots"}])
def test_unknown_kinds_are_refused(wrong):
    with pytest.raises(ValueError, match="expected one of"):
        Tokenizer(**wrong)
