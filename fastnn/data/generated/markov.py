"""Generated four-grams from a known random source. Its exact entropies tell how good a model can become.

The source is a third-order Markov chain of word classes: the class of a word depends on the classes of the three words
before it, the word within its class on the class just before. Words influence later words through their classes alone,
so every entropy is a sum over some thousand triples of classes, and none is estimated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.validation import any_whole_number
from fastnn.data.dataset import CompleteDataset, Split, id_dtype
from fastnn.data.generated import toy_source

Floats = NDArray[np.float64]

CHUNK = 32_768  # Samples drawn at a time, from 1.8 MB of uniform numbers. The samples do not depend on it.


@dataclass(frozen=True, eq=False)
class ClassChain:
    """A stationary random source of V words in K classes.

    class_of : (V,) integer — the class of each word, ascending, so that words of one class are neighbours.
    transition : (K, K, K, K) float64 — P(class 4 | classes 1, 2, 3); the last axis sums to 1.
    emission : (K, V) float64 — [class before, word]: P(word | its class, class before); sums to 1 within each class.

    Raises DataError if the three do not fit together.
    """

    class_of: NDArray[np.int64]
    transition: Floats
    emission: Floats

    def __post_init__(self) -> None:
        k, v = self.emission.shape
        if self.transition.shape != (k,) * 4 or self.class_of.shape != (v,) or np.any(np.diff(self.class_of) < 0):
            raise DataError(
                f"expected ascending class_of (V,), transition (K, K, K, K) and emission (K, V), found class_of "
                f"{self.class_of.shape}, transition {self.transition.shape}, emission {self.emission.shape}"
            )

    @cached_property
    def contexts(self) -> Floats:
        """Stationary distribution of the classes of three neighbouring words, (K, K, K), by power iteration."""
        p = np.full(self.transition.shape[:3], 1.0 / self.transition.shape[0] ** 3)
        for _ in range(10_000):
            last, p = p, np.einsum("abc,abcd->bcd", p, self.transition)
            p /= p.sum()
            if np.abs(p - last).sum() < 1e-14:
                return np.asarray(p)
        raise DataError("the chain of classes does not settle: its transitions have no unique stationary distribution")

    @cached_property
    def quads(self) -> Floats:
        """Stationary distribution of the classes of four neighbouring words, (K, K, K, K)."""
        return self.contexts[..., None] * self.transition

    def entropies(self) -> dict[str, float]:
        """Exact entropies, in nats, of a word given the 0, 1, 2 or 3 words before it.

        Keys: `unigram_entropy`, `bigram_entropy`, `two_word_entropy`, `true_entropy`. The last is a lower bound of the
        expected cross-entropy of every model that predicts a word from the three words before it.
        """
        pairs = self.quads.sum(axis=(0, 1))
        unigram = (pairs[:, self.class_of] * self.emission).sum(axis=0)
        # One word before: it tells its class, and also something about the class before it, which favours some words.
        # Two words before: (word 2, class 3) suffice, because with class 2 known word 3 tells only its class.
        one = np.einsum("pw,pwd->wd", self.emission, self.quads.sum(axis=0)[:, self.class_of])
        blocks = enumerate(self._blocks())
        two = np.concatenate([np.tensordot(block, self.quads[:, c], (0, 0)) for c, block in blocks])
        inside = float((pairs * self._word_entropy()).sum())
        return {
            "unigram_entropy": float(_entropy(unigram)),
            "bigram_entropy": inside + _conditional_entropy(one),
            "two_word_entropy": inside + _conditional_entropy(two),
            "true_entropy": inside + _conditional_entropy(self.quads),
        }

    def accuracy(self) -> float:
        """Exact accuracy of the best possible guess of a word from the three words before it."""
        likeliest = np.stack([block.max(axis=1) for block in self._blocks()], axis=1)
        return float((self.contexts * (self.transition * likeliest).max(axis=-1)).sum())

    def sample(self, count: int, generator: np.random.Generator) -> NDArray[Any]:
        """Draw `count` independent four-grams, (count, 4) of the smallest dtype that holds V ids."""
        k, v = self.emission.shape
        words = np.empty((count, 4), id_dtype(v))
        start, step, emit = self._cumulated
        for low in range(0, count, CHUNK):
            # Multiplied by 1 − 2⁻⁴⁰, so that row + u in the tables below never rounds up to the next row.
            u = generator.random((min(CHUNK, count - low), 7)) * (1 - 2.0**-40)
            classes = self._sample_classes(u, start, step)
            for i in range(4):
                row = classes[i] * k + classes[i + 1]
                words[low : low + len(u), i] = np.searchsorted(emit, row + u[:, 3 + i], side="right") - classes[i] * v
        return words

    def _sample_classes(self, u: Floats, start: Floats, step: Floats) -> list[NDArray[np.int64]]:
        """Classes of five neighbouring words, (N,) each: of the word before the four that are drawn, then of those."""
        k = self.emission.shape[0]
        context = np.searchsorted(start, u[:, 0], side="right")
        classes = [context // k**2, context // k % k, context % k]
        for i in (1, 2):
            classes.append(np.searchsorted(step, context + u[:, i], side="right") - context * k)
            context = context % k**2 * k + classes[-1]
        return classes

    @cached_property
    def _cumulated(self) -> tuple[Floats, Floats, Floats]:
        """What `searchsorted` needs to draw the first three classes, a class after three, and a word."""
        k = self.emission.shape[0]
        start = _cumulate(self.contexts.reshape(1, -1))[0]
        return start, _cumulate(self.transition.reshape(k**3, k)).ravel(), self._cumulated_emission().ravel()

    def _blocks(self) -> Iterator[Floats]:
        """The columns of the emission for each class: (K, words of the class)."""
        for c in range(self.emission.shape[0]):
            yield self.emission[:, self.class_of == c]

    def _cumulated_emission(self) -> Floats:
        """Row `before`, words of class c: before · K + c plus the distribution function. All rows together ascend."""
        k = self.emission.shape[0]
        # `_cumulate` has added `before` once.
        blocks = [_cumulate(block) + c + (k - 1) * np.arange(k)[:, None] for c, block in enumerate(self._blocks())]
        return np.concatenate(blocks, axis=1)

    def _word_entropy(self) -> Floats:
        """Entropy of a word given its class and the class before, (K, K) as [class before, class]."""
        return np.stack([_entropy(block) for block in self._blocks()], axis=1)


def _cumulate(p: Floats) -> Floats:
    """The distribution function of each row plus the number of the row, so that one `searchsorted` serves all rows."""
    total = np.cumsum(p, axis=1)
    total /= total[:, -1:].copy()
    total += np.arange(len(p))[:, None]
    return np.asarray(total)


def _entropy(p: Floats) -> Floats:
    """Σ −p log p over the last axis, in nats, with 0 log 0 = 0."""
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1))


def _conditional_entropy(joint: Floats) -> float:
    """H(last axis | all other axes) of a joint distribution, in nats."""
    rows = joint.reshape(-1, joint.shape[-1])
    return float(_entropy(rows.ravel()) - _entropy(rows.sum(axis=1)))


@cache
def toy_chain() -> ClassChain:
    """The source of the generated corpus: 250 English words of 34 kinds, its classes. It does not depend on a seed."""
    sizes = [len(words) for words in toy_source.words_by_kind()]
    return ClassChain(np.repeat(np.arange(len(sizes)), sizes), toy_source.transition(), toy_source.emission())


def generate_trigrams(train: int = 372_500, val: int = 46_500, test: int = 46_500, seed: int = 0) -> CompleteDataset:
    """Draw independent four-grams of toy English: x (N, 3) uint8 and y (N,) uint8, ids 0 … 249.

    The seed decides the samples, not the source. Equal seeds give equal bytes, and a split does not depend on the sizes
    of the others. meta: `words`, `source`, the four exact entropies of `ClassChain.entropies` in nats, and
    `true_accuracy`, the exact accuracy of the best possible guess.

    Args:
        train: The number of training four-grams.
        val: The number of validation four-grams.
        test: The number of test four-grams.
        seed: A whole number.

    Raises:
        DataError: If a size is below 1.

    Examples:
        >>> data = fn.data.generate_trigrams(100, 10, 10)
        >>> data.train.x.shape, len(data.meta["words"])
        ((100, 3), 250)
    """
    sizes = {"train": train, "val": val, "test": test}
    chain, splits = toy_chain(), {}
    for name, size in sizes.items():
        if any_whole_number(name, size) < 1:
            raise DataError(f"{name}={size} four-grams asked for, expected at least 1")
        grams = chain.sample(size, random.generator(seed, "generated trigrams", name))
        splits[name] = Split(np.ascontiguousarray(grams[:, :3]), np.ascontiguousarray(grams[:, 3]))
    words = [word for kind in toy_source.words_by_kind() for word in kind]
    meta = {"words": words, "source": "generated", **chain.entropies(), "true_accuracy": chain.accuracy()}
    return CompleteDataset(splits["train"], splits["val"], splits["test"], meta)
