"""Vocabularies: which tokens get ids, and what stands for the others."""

import pytest

from fastnn.common.errors import DataError
from fastnn.text.vocabulary import Vocabulary

COUNTS = {"the": 7, "fox": 2, "sly": 1, "all": 2}


@pytest.mark.parametrize(
    ("size", "min_count", "sentences", "want"),
    [
        (5, 1, 2, ["the", "<unk>", "</s>", "all", "<s>"]),
        (4, 1, 3, ["the", "<unk>", "</s>", "<s>"]),
        (5, 1, None, ["the", "all", "fox", "<unk>", "<s>"]),
        (9, 1, None, ["the", "all", "fox", "sly", "<unk>", "<s>"]),
        (10**9, 2, 1, ["the", "all", "fox", "</s>", "<unk>", "<s>"]),
    ],
)
def test_the_most_frequent_first_and_ties_by_alphabet(size, min_count, sentences, want):
    assert list(Vocabulary.of_counts(COUNTS, size, min_count, sentences).words) == want


def test_specials_of_a_text_are_the_specials():
    got = Vocabulary.of_counts({"<unk>": 5, "a": 3, "<s>": 1}, 9)
    assert (got.words, got.unknown, got.start, got.end) == (("<unk>", "a", "<s>"), 0, 2, None)


def test_ids():
    known = Vocabulary(["the", "The", "<unk>", "fox"])
    assert known.ids(["The", "the", "THE", "Fox", "sly"]) == [1, 0, 0, 3, 2]
    assert Vocabulary(["the"]).ids(["The", "fox"]) == [0, None]
    assert (len(known), known.start) == (4, None)


def test_a_word_twice():
    with pytest.raises(ValueError, match=r"^a vocabulary holds 'fox' twice, at 1 and 2, expected each word once$"):
        Vocabulary(iter(["the", "fox", "fox", "the"]))


@pytest.mark.parametrize(
    ("counts", "size", "min_count"), [(COUNTS, 3, 1), (COUNTS, 9, 8), ({}, 9, 1), ({"<s>": 4}, 9, 1)]
)
def test_no_token_has_an_id(counts, size, min_count):
    with pytest.raises(DataError, match="has no token beside <unk>, <s>, </s>"):
        Vocabulary.of_counts(counts, size, min_count, 1)
