"""Interpolated modified Kneser-Ney: the language model of counts that a net has to beat.

The formulas are those of S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling"
(1999), section 3. For a word w after the words h, of which h' lacks the first,

    p(w | h) = max(c(hw) − D(c(hw)), 0) / c(h) + γ(h) · p(w | h'),

where c counts occurrences for the longest h, and for shorter ones in how many contexts hw stands: the number of
different words before it. Before the first word of a text there is none, so h that begin with the mark of a start keep
their occurrences. γ(h) is the share that the discounts D took away. Without any word, p(w) is interpolated with
1 / V. After an h that was never seen, p(w | h) = p(w | h').
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


def modified_discounts(counts: Ids) -> Floats:
    """D of the counts 0, 1, 2 and of all from 3 on, (4,), from how many n-grams have the counts 1, 2, 3 and 4.

    Small texts may have none of one of these counts, or so few that the formula gives less than 0. Then it is ½, 1 and
    1½: a discount of 0 would leave nothing for words that were not seen.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)
    usual = np.array([0, 0.5, 1, 1.5])
    if not n[1:5].all():
        return usual
    y = n[1] / (n[1] + 2 * n[2])
    found = np.array([0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]])
    return found if (found[1:] > 0).all() else usual


@dataclass
class _Level:
    """What was counted of k-grams: k − 1 words, the context, and one that follows.

    chain      to number contexts: for each word of it but the first the sorted keys of the beginnings seen
    keys       number of the context · V + the word, sorted
    share      max(c − D, 0) / c(context) of each k-gram
    back_off   γ of each context
    """

    chain: list[Ids]
    keys: Ids
    share: Floats
    back_off: Floats


class KneserNey:
    """Probabilities of words after others, from counts.

    windows  (N, order) ids: order − 1 words and the one that followed
    words    V, how many ids there are, from 0
    start    the id that fills windows before the first word of a text; None: no window is filled

    >>> model = KneserNey(np.column_stack([data.train.x, data.train.y]), words=250)
    >>> np.exp(-np.log(model.probabilities(np.column_stack([data.test.x, data.test.y]))).mean())  # perplexity

    DataError for windows of another shape, or ids outside 0 … V − 1.
    """

    def __init__(self, windows: Ids, words: int, start: int | None = None):
        self.words, self.order = words, _checked(windows, words).shape[1]
        self._levels: list[_Level] = []
        types, counts = _types(windows)
        for k in range(self.order, 0, -1):
            self._levels.insert(0, _level(types, counts, words, modified_discounts(counts)))
            # The words before a k-gram: as many as there are different (k + 1)-grams that end with it.
            types, counts = _types(types[:, 1:])
            if start is not None and k > 1:
                occurrences = _types(windows[:, self.order - k + 1 :])[1]  # of the same k-grams, in the same order
                counts = np.where(types[:, 0] == start, occurrences, counts)

    def probabilities(self, windows: Ids) -> Floats:
        """p of the last word of each window after those before it: (N, order) ids, (N,) float64, all above 0."""
        windows = _checked(windows, self.words, self.order)
        p = np.full(len(windows), 1 / self.words)
        for k, level in enumerate(self._levels, 1):
            seen, context = _number(level.chain, windows[:, -k:-1], self.words)
            was, at = _find(level.keys, context * self.words + windows[:, -1])
            share = np.where(was & seen, level.share[at], 0)
            p = np.where(seen, share + level.back_off[context] * p, p)
        return p


def _checked(ids: Ids, words: int, length: int | None = None) -> Ids:
    ids = np.asarray(ids)
    fits = ids.ndim == 2 and len(ids) > 0 and (ids.shape[1] == length if length is not None else ids.shape[1] > 0)
    if not fits or ids.dtype.kind not in "iu":
        expected = "(N, order)" if length is None else f"(N, {length})"
        raise DataError(f"Kneser-Ney: got an array {ids.shape} of {ids.dtype}, expected ids {expected}")
    if ids.size and (ids.min() < 0 or ids.max() >= words):
        raise DataError(f"Kneser-Ney: ids from {ids.min()} to {ids.max()}, expected 0 to {words - 1}")
    return ids.astype(np.int64)


def _types(grams: Ids) -> tuple[Ids, Ids]:
    """The different rows, in the order of their ids, and how often each is there."""
    if not grams.shape[1]:
        return grams[:1], np.array([len(grams)])
    base = int(grams.max()) + 1 if grams.size else 1
    if base ** grams.shape[1] > np.iinfo(np.int64).max:
        return np.unique(grams, axis=0, return_counts=True)
    # Rows as whole numbers: two million rows of four ids are sorted in a tenth of the time.
    keys = np.zeros(len(grams), np.int64)
    for column in grams.T:
        keys = keys * base + column
    different, counts = np.unique(keys, return_counts=True)
    found = np.empty((len(different), grams.shape[1]), grams.dtype)
    for place in range(grams.shape[1] - 1, -1, -1):
        different, found[:, place] = np.divmod(different, base)
    return found, counts


def _level(grams: Ids, counts: Ids, words: int, discounts: Floats) -> _Level:
    """What is kept of the k-grams (n, k), each there once, with their counts (n,)."""
    chain, context = _numbered(grams[:, :-1], words)
    keys = context * words + grams[:, -1]
    order = np.argsort(keys)
    taken = np.minimum(discounts[np.minimum(counts, 3)], counts)
    total = np.bincount(context, weights=counts)
    share = (counts - taken) / total[context]
    return _Level(chain, keys[order], share[order], np.bincount(context, weights=taken) / total)


def _numbered(contexts: Ids, words: int) -> tuple[list[Ids], Ids]:
    """The chain that numbers such contexts, and the number of each row, from 0. Without words all have number 0."""
    chain: list[Ids] = []
    number: Ids = np.zeros(len(contexts), np.int64)
    for column in contexts.T:
        keys, number = np.unique(number * words + column, return_inverse=True)
        chain.append(keys)
    return chain, number


def _number(chain: list[Ids], contexts: Ids, words: int) -> tuple[NDArray[np.bool_], Ids]:
    """Whether each context was seen, and its number; 0 for one that was not."""
    seen = np.ones(len(contexts), bool)
    number: Ids = np.zeros(len(contexts), np.int64)
    for keys, column in zip(chain, contexts.T, strict=True):
        was, number = _find(keys, number * words + column)
        seen &= was
    return seen, np.where(seen, number, 0)


def _find(keys: Ids, wanted: Ids) -> tuple[NDArray[np.bool_], Ids]:
    """Whether the sorted keys have each wanted one, and where; some valid place for one that they lack."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[at] == wanted, at
