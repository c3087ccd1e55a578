"""Toy English as probabilities, which `markov.py` samples: the words by kind, and the two tables of a `ClassChain`.

The grammar of `toy_english.py` decides the class of a word from the classes of the three words before it. Each class
has some kinds of word, and which kind of its class comes next depends on the kinds of the three words before. With the
grammar alone, twelve classes, the smallest of the report's nets predicts as well as the largest.
"""

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.data.generated.toy_english import BENDS, CLASSES, FOLLOWERS, KINDS, LEANS, WORDS, ZIPF_EXPONENTS

Floats = NDArray[np.float64]

# The weight of a class that no base rule names, and of a word that the kind before disfavours. With weights of zero, a
# model's loss could become infinite; much smaller weights would be hard to learn and hardly lower the loss.
ALMOST_IMPOSSIBLE = 0.02
DISFAVOURED = 0.03

# Class and number of each kind. The words of a class are dealt to its kinds in turn: each has frequent and rare ones.
ALL_KINDS = [(name, number) for name in CLASSES for number in range(KINDS[name])]


def words_by_kind() -> list[list[str]]:
    """The words of each kind, from the most to the least frequent."""
    return [WORDS[name].split()[number :: KINDS[name]] for name, number in ALL_KINDS]


def _frequencies(kind: tuple[str, int]) -> Floats:
    """Zipf's law, not normalised: the weight of each word of a kind, by its rank in the class."""
    name, number = kind
    rank = np.arange(1.0, len(WORDS[name].split()) + 1.0)
    return np.asarray(rank[number :: KINDS[name]] ** -ZIPF_EXPONENTS[name])


def transition() -> Floats:
    """P(kind 4 | kinds 1, 2, 3), (K, K, K, K): the grammar's P(class 4 | classes), shared among the kinds of class 4.

    A kind's share is its words' frequency times a factor for each of the three kinds before, most of all for the last.
    """
    count = len(ALL_KINDS)
    classes = np.array([CLASSES.index(name) for name, _ in ALL_KINDS])
    firsts = np.searchsorted(classes, np.arange(len(CLASSES)))
    generator = random.generator(0, "toy english", "kinds")
    shares = np.tile([_frequencies(kind).sum() for kind in ALL_KINDS], (count,) * 3 + (1,))
    for axis, lean in zip((2, 1, 0), LEANS, strict=True):
        factors = np.exp(lean * generator.standard_normal((count, count)))
        shares *= np.expand_dims(factors, [other for other in range(3) if other != axis])
    shares /= np.add.reduceat(shares, firsts, axis=3)[..., classes]
    shares *= _grammar()[np.ix_(classes, classes, classes, classes)]
    return np.asarray(shares)


def _grammar() -> Floats:
    """P(class 4 | classes 1, 2, 3): the weights of all rules that match, multiplied, then normalised."""
    weights = np.full((len(CLASSES),) * 4, 1.0)
    for rules, unnamed in ((FOLLOWERS, ALMOST_IMPOSSIBLE), (BENDS, 1.0)):
        for pattern, text in rules:
            factors = np.full(len(CLASSES), unnamed)
            for item in text.split():
                factors[CLASSES.index(item[0])] = float(item[1:])
            weights[tuple(slice(None) if c == "*" else CLASSES.index(c) for c in pattern)] *= factors
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def emission() -> Floats:
    """P(word | its kind, kind before), (K, V): Zipf's law.

    A kind before favours about half of the words, always including the most frequent one of each kind.
    """
    blocks = []
    for name, number in ALL_KINDS:
        frequencies = _frequencies((name, number))
        coins = random.generator(0, "toy english", f"{name}{number}").random((len(ALL_KINDS), len(frequencies)))
        favoured = (coins < 0.5) | (frequencies == frequencies[0])
        weights = frequencies * np.where(favoured, 1.0, DISFAVOURED)
        blocks.append(weights / weights.sum(axis=1, keepdims=True))
    return np.concatenate(blocks, axis=1)
