"""Kneser-Ney beside the formula in plain Python, and beside NLTK's."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from fastnn.common.errors import DataError
from fastnn.text import kneser_ney
from fastnn.text.kneser_ney import KneserNey, modified_discounts

WORDS = 7


def windows(order, count=300, seed=0, words=WORDS):
    """Rows in which the last word depends on the one before, and some of which are there often."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, words, (count, order)) // rng.integers(1, 4, (count, order))
    if order > 1:
        rows[:, -1] = (rows[:, -2] + (rng.random(count) < 0.3)) % words
    return rows


def counted(grams, order, k, start=None):
    """c of each k-gram: occurrences of the longest and of those after a start, else how many words stand before it."""
    occurrences = Counter(tuple(row[order - k :]) for row in grams)
    before = Counter(longer[1:] for longer in {tuple(row[-k - 1 :]) for row in grams})
    return {gram: c if k == order or gram[0] == start else before[gram] for gram, c in occurrences.items()}


def by_the_formula(grams, words, discounts, context, word, start=None):
    """p(word | context) by recursion over dictionaries."""
    order, k = len(grams[0]), len(context) + 1
    shorter = by_the_formula(grams, words, discounts, context[1:], word, start) if context else 1 / words
    counts = {gram: c for gram, c in counted(grams, order, k, start).items() if gram[:-1] == context}
    if not counts:
        return shorter
    taken = {gram: discounts[k][min(c, 3)] for gram, c in counts.items()}
    total, gram = sum(counts.values()), (*context, word)
    return (counts.get(gram, 0) - taken.get(gram, 0)) / total + sum(taken.values()) / total * shorter


@pytest.mark.parametrize(("order", "start"), [(1, None), (2, None), (3, None), (4, None), (2, 1), (3, 1), (4, 1)])
def test_probabilities_are_those_of_the_formula(order, start):
    grams = windows(order).tolist()
    asked = windows(order, count=40, seed=1)
    asked[:3] = WORDS - 1  # contexts that were never seen
    discounts = {
        k: modified_discounts(np.array(list(counted(grams, order, k, start).values()))) for k in range(1, order + 1)
    }
    got = KneserNey(np.array(grams), WORDS, start=start).probabilities(asked)
    want = [by_the_formula(grams, WORDS, discounts, tuple(row[:-1]), row[-1], start) for row in asked.tolist()]
    np.testing.assert_allclose(got, want, rtol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_of_all_words_sum_to_one(order):
    model, asked = KneserNey(windows(order), WORDS), windows(order, seed=3).repeat(WORDS, axis=0)
    asked[:, -1] = np.tile(np.arange(WORDS), len(asked) // WORDS)
    p = model.probabilities(asked)
    np.testing.assert_allclose(p.reshape(-1, WORDS).sum(axis=1), 1, rtol=1e-13)
    assert p.min() > 0


@pytest.mark.parametrize("order", [2, 3])
def test_nltk_has_the_same_probabilities(order, monkeypatch):
    """NLTK has one discount for all counts, and none for single words."""
    lm = pytest.importorskip("nltk.lm", reason="NLTK is not installed")
    text = windows(1, count=200, seed=5)[:, 0].tolist()
    words = sorted(set(text))
    theirs = lm.KneserNeyInterpolated(order, discount=0.4)
    named = [str(word) for word in text]
    grams = [tuple(named[i - k + 1 : i + 1]) for i in range(order - 1, len(text)) for k in range(1, order + 1)]
    theirs.fit([grams], vocabulary_text=named)
    rows = np.lib.stride_tricks.sliding_window_view(np.array(text), order)
    discounts = iter([*[0.4] * (order - 1), 0])  # of the longest n-grams first
    monkeypatch.setattr(kneser_ney, "modified_discounts", lambda counts: np.append(0, np.full(3, next(discounts))))
    ours = KneserNey(rows, max(words) + 1)
    for row in rows[:60].tolist():
        context = tuple(str(word) for word in row[:-1])
        want = [theirs.score(str(word), context) for word in words]
        got = ours.probabilities([[*row[:-1], word] for word in words])
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_more_words_of_context_help_on_a_text_that_repeats():
    text = np.tile([0, 1, 2, 0, 3, 4, 0, 1, 5], 30)
    losses = []
    for order in (1, 2, 3):
        rows = np.lib.stride_tricks.sliding_window_view(text, order)
        losses.append(-np.log(KneserNey(rows, 6).probabilities(rows)).mean())
    assert all(shorter > longer for shorter, longer in pairwise(losses))


def test_discounts_are_those_of_the_formula():
    counts = np.repeat([1, 2, 3, 4], [8, 4, 2, 1])
    np.testing.assert_allclose(modified_discounts(counts), [0, 0.5, 1.25, 2], rtol=1e-15)


@pytest.mark.parametrize("counts", [[1], [1, 1, 2, 3], [5, 6, 7], [1, 2, 3, 3, 3, 3, 4]])
def test_a_text_without_some_count_has_usual_discounts(counts):
    assert modified_discounts(np.array(counts)).tolist() == [0, 0.5, 1, 1.5]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((0, 3), int), "expected ids"),
        (np.zeros(3, int), "expected ids"),
        (np.zeros((2, 3)), "of float64"),
        ([[1, 2, -1]], "ids from -1"),
        ([[1, 2, WORDS]], "ids from 1 to 7, expected 0 to 6"),
        ([[1, 2]], r"expected ids \(N, 3\)"),
    ],
)
def test_what_is_no_window_is_refused(given, message):
    with pytest.raises(DataError, match=message):
        KneserNey(windows(3), WORDS).probabilities(np.asarray(given))


@pytest.mark.parametrize("dtype", ["uint16", "int32", "int64"])
@pytest.mark.parametrize("highest", [7, 60_000, 2**62])  # four of the last ones are more than a whole number holds
def test_different_rows_are_counted_in_their_order(dtype, highest):
    grams = np.random.default_rng(3).integers(0, 4, (300, 4)).astype(dtype)
    grams[grams == 3] = min(highest, np.iinfo(dtype).max)
    for got, want in zip(kneser_ney._types(grams), np.unique(grams, axis=0, return_counts=True), strict=True):
        np.testing.assert_array_equal(got, want, strict=True)
