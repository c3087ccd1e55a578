"""The generated corpus: its exact entropies against brute force, its samples against the source they are drawn from."""

import hashlib
import itertools
import math
import tracemalloc
from collections import defaultdict

import numpy as np
import pytest

from fastnn.common.errors import DataError
from fastnn.data import generate_trigrams, load_trigram
from fastnn.data.generated import markov, toy_source
from fastnn.data.generated.toy_english import BENDS, CLASSES, FOLLOWERS, KINDS, WORDS, ZIPF_EXPONENTS


@pytest.fixture(scope="module")
def corpus():
    return generate_trigrams()


@pytest.fixture(scope="module")
def tiny():
    """Five words in two classes, every probability different, one of them zero."""
    rng = np.random.default_rng(1)
    transition = rng.random((2, 2, 2, 2)) ** 2 + 0.01
    emission = rng.random((2, 5))
    emission[1, 3] = 0
    for words in (slice(0, 2), slice(2, 5)):
        emission[:, words] /= emission[:, words].sum(axis=1, keepdims=True)
    return markov.ClassChain(np.array([0, 0, 1, 1, 1]), transition / transition.sum(axis=-1, keepdims=True), emission)


def brute_force(chain):
    """P(word 1, word 2, word 3, word 4) as a dict, by adding up every path of classes and words."""
    k, v = chain.emission.shape
    p = dict.fromkeys(itertools.product(range(k), repeat=3), k**-3.0)
    for _ in range(500):
        following = defaultdict(float)
        for (a, b, c), mass in p.items():
            for d in range(k):
                following[b, c, d] += mass * chain.transition[a, b, c, d]
        p = following
    joint = defaultdict(float)
    for first in range(k):
        for words in itertools.product(range(v), repeat=4):
            c = [first, *(chain.class_of[w] for w in words)]
            mass = p[tuple(c[:3])] * chain.transition[tuple(c[:4])] * chain.transition[tuple(c[1:])]
            for i, w in enumerate(words):
                mass *= chain.emission[c[i], w]
            joint[words] += mass
    return joint


def log_probability(chain, x, y):
    """log P(y | x), (N,), for ids x (N, 3) and y (N,): the output of a perfect model."""
    c1, c2, c3 = chain.class_of[x].T
    return np.log(chain.transition[c1, c2, c3, chain.class_of[y]]) + np.log(chain.emission[c3, y])


def conditional_entropy(joint, before):
    """H(word 4 | the `before` words just before it)."""
    pairs, contexts = defaultdict(float), defaultdict(float)
    for words, mass in joint.items():
        pairs[words[3 - before :]] += mass
        contexts[words[3 - before : 3]] += mass
    return -sum(mass * math.log(mass / contexts[key[:-1]]) for key, mass in pairs.items() if mass > 0)


def test_entropies_equal_brute_force(tiny):
    joint, got = brute_force(tiny), tiny.entropies()
    assert sum(joint.values()) == pytest.approx(1, abs=1e-12)
    names = ("unigram_entropy", "bigram_entropy", "two_word_entropy", "true_entropy")
    want = {name: conditional_entropy(joint, before) for before, name in enumerate(names)}
    assert got == pytest.approx(want, abs=1e-11)
    assert min(-np.diff(list(want.values()))) > 1e-4, "the tiny chain must tell the four apart"


def test_accuracy_and_log_probability_equal_brute_force(tiny):
    joint = brute_force(tiny)
    contexts, best = defaultdict(float), defaultdict(float)
    for words, mass in joint.items():
        contexts[words[:3]] += mass
        best[words[:3]] = max(best[words[:3]], mass)
    assert tiny.accuracy() == pytest.approx(sum(best.values()), abs=1e-11)
    possible = np.array([words for words, mass in joint.items() if mass > 0])
    got = log_probability(tiny, possible[:, :3], possible[:, 3])
    want = [math.log(joint[tuple(words)] / contexts[tuple(words[:3])]) for words in possible.tolist()]
    np.testing.assert_allclose(got, want, atol=1e-10)


def test_samples_follow_the_joint_distribution(tiny):
    joint, n = brute_force(tiny), 400_000
    cells = tiny.sample(n, np.random.default_rng(0)).astype(int) @ [125, 25, 5, 1]
    p = np.array([joint[words] for words in itertools.product(range(5), repeat=4)])
    count = np.bincount(cells, minlength=625)
    assert count[p == 0].sum() == 0
    chi2 = ((count - n * p)[p > 0] ** 2 / (n * p[p > 0])).sum()
    freedom = (p > 0).sum() - 1
    assert abs(chi2 - freedom) < 5 * math.sqrt(2 * freedom)


def test_a_chain_that_does_not_settle_or_fit_is_refused(tiny):
    swinging = np.zeros((3, 3, 3, 3))  # Class 0 comes at every second position: its probability swings from ⅓ to ⅔.
    swinging[:, :, 0, 1:] = 0.5
    swinging[:, :, 1:, 0] = 1
    with pytest.raises(DataError, match="does not settle"):
        markov.ClassChain(np.arange(3), swinging, np.ones((3, 3))).entropies()
    with pytest.raises(DataError, match="expected ascending class_of"):
        markov.ClassChain(tiny.class_of[::-1], tiny.transition, tiny.emission)


def test_the_source_is_a_distribution():
    chain = markov.toy_chain()
    assert chain.transition.min() > 0
    np.testing.assert_allclose(chain.transition.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(chain.emission.sum(axis=-1), sum(KINDS.values()), rtol=1e-12)
    np.testing.assert_allclose(np.einsum("abc,abcd->bcd", chain.contexts, chain.transition), chain.contexts, atol=1e-13)


def test_the_grammar_names_classes_that_exist():
    for pattern, weights in FOLLOWERS + BENDS:
        assert len(pattern) == 3
        assert set(pattern) <= {*CLASSES, "*"}
        assert {item[0] for item in weights.split()} <= set(CLASSES)
    assert sorted(pattern for pattern, _ in FOLLOWERS) == sorted(f"**{c}" for c in CLASSES)
    assert len({pattern for pattern, _ in BENDS}) == len(BENDS)
    assert set(ZIPF_EXPONENTS) == set(WORDS) == set(KINDS) == set(CLASSES)


def test_kinds_do_not_change_the_grammar():
    """Given the kinds before, the classes that follow are as likely as their own classes make them."""
    names = [name for name, _ in toy_source.ALL_KINDS]
    classes = np.array([CLASSES.index(name) for name in names])
    by_class = np.stack([toy_source.transition()[..., classes == c].sum(axis=-1) for c in range(len(CLASSES))], axis=-1)
    np.testing.assert_allclose(by_class, toy_source._grammar()[np.ix_(classes, classes, classes)], rtol=1e-12)
    assert sorted(word for kind in toy_source.words_by_kind() for word in kind) == sorted(
        word for text in WORDS.values() for word in text.split()
    )


def test_sizes_and_types(corpus):
    assert [len(split) for split in corpus.splits().values()] == [372_500, 46_500, 46_500]
    for split in corpus.splits().values():
        assert split.x.dtype == split.y.dtype == np.uint8
        assert split.x.shape == (len(split), 3)
        assert split.x.flags.c_contiguous
        assert split.x.max() == split.y.max() == 249
        assert split.x.min() == split.y.min() == 0
    words = corpus.meta["words"]
    assert len(words) == len(set(words)) == 250
    assert all(isinstance(word, str) and 1 <= len(word) <= 12 for word in words)
    assert corpus.meta["source"] == "generated"


def test_every_word_is_worth_learning(corpus):
    counts = np.bincount(corpus.train.y, minlength=250)
    assert counts.min() >= 5
    assert counts.max() < 0.2 * len(corpus.train)


def test_all_three_words_matter(corpus):
    meta = corpus.meta
    assert 4 < meta["unigram_entropy"] < 5
    assert meta["unigram_entropy"] - meta["bigram_entropy"] > 0.5
    assert meta["bigram_entropy"] - meta["two_word_entropy"] > 0.1
    assert meta["two_word_entropy"] - meta["true_entropy"] > 0.1
    assert meta["bigram_entropy"] - meta["true_entropy"] > 0.3


def test_the_true_model_reaches_the_true_entropy_on_each_split(corpus):
    for split in corpus.splits().values():
        loss = -log_probability(markov.toy_chain(), split.x, split.y)
        error = loss.std() / math.sqrt(len(loss))
        assert error < 0.01
        assert abs(loss.mean() - corpus.meta["true_entropy"]) < 4 * error


def test_the_best_guess_reaches_the_true_accuracy(corpus):
    x = corpus.test.x[:4000]
    scores = np.stack([log_probability(markov.toy_chain(), x, np.full(len(x), w)) for w in range(250)], axis=1)
    hits = scores.argmax(axis=1) == corpus.test.y[:4000]
    assert abs(hits.mean() - corpus.meta["true_accuracy"]) < 4 * 0.5 / math.sqrt(len(x))


def test_any_position_has_the_same_words(corpus):
    """Stationary: the four columns have one distribution, up to chance."""
    counts = [np.bincount(column, minlength=250) for column in (*corpus.train.x.T, corpus.train.y)]
    for other in counts[:3]:
        chi2 = ((other - counts[3]) ** 2 / (other + counts[3])).sum()
        assert abs(chi2 - 249) < 5 * math.sqrt(2 * 249)


def test_equal_seeds_equal_bytes(corpus):
    again, other = generate_trigrams(seed=0), generate_trigrams(500, 100, 100, seed=1)
    assert again.train.x.tobytes() == corpus.train.x.tobytes()
    assert again.test.y.tobytes() == corpus.test.y.tobytes()
    assert other.train.x.tobytes() != corpus.train.x[:500].tobytes()
    assert other.meta["true_entropy"] == corpus.meta["true_entropy"]


def test_splits_differ_and_do_not_depend_on_each_other(corpus, monkeypatch):
    assert not np.array_equal(corpus.val.x, corpus.test.x)
    assert not np.array_equal(corpus.train.x[:46_500], corpus.val.x)
    monkeypatch.setattr(markov, "CHUNK", 1000)
    small = generate_trigrams(train=10, val=2500, test=1)
    assert np.array_equal(small.val.x, corpus.val.x[:2500])
    assert np.array_equal(small.val.y, corpus.val.y[:2500])


def test_the_bytes_are_those_of_every_other_machine(corpus):
    digest = hashlib.sha256()
    for split in corpus.splits().values():
        digest.update(split.x.tobytes() + split.y.tobytes())
    assert digest.hexdigest()[:16] == "b7fd61ef8129c50e"
    assert corpus.meta["true_entropy"] == pytest.approx(2.225938000321, abs=1e-9)


def test_drawing_is_frugal():
    tracemalloc.start()
    try:
        generate_trigrams()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6


def test_drawing_searches_whole_chunks_and_never_sample_by_sample(tiny, monkeypatch):
    """A chunk takes one search for its first classes, two for the next ones and four for its words."""
    searches = []
    search = np.searchsorted
    monkeypatch.setattr(np, "searchsorted", lambda *args, **keywords: searches.append(1) or search(*args, **keywords))
    monkeypatch.setattr(markov, "CHUNK", 1000)
    tiny.sample(5000, np.random.default_rng(0))
    assert len(searches) == 5 * 7


def test_no_path_means_the_generated_corpus(corpus):
    assert load_trigram().test.x.tobytes() == corpus.test.x.tobytes()


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_empty_splits_are_refused(name):
    with pytest.raises(DataError, match=f"{name}=0 four-grams asked for, expected at least 1"):
        generate_trigrams(**{"train": 5, "val": 5, "test": 5, name: 0})
