"""Reference of the drawing of classes."""

import numpy as np

from fastnn_kernels.reference.dropout import LOW, WORD, _philox

__all__ = ["alias_table", "distinct_classes", "draw_classes"]


def alias_table(thresholds, aliases, pending, q):
    """Cells that are filled to 1: each by its own class, then by one that has more than 1 to give."""
    V = len(q)
    thresholds[:] = q.astype(np.float64) / np.cumsum(q, dtype=np.float64)[-1:] * V
    aliases[:] = np.arange(V)
    short, full = np.flatnonzero(thresholds < 1), np.flatnonzero(thresholds >= 1)[::-1]
    pending[: len(short)], pending[len(short) :] = short, full
    a, b = len(short), len(short)
    while a > 0 and b < V:
        a -= 1
        filled, filler = pending[a], pending[b]
        aliases[filled] = filler
        thresholds[filler] -= 1 - thresholds[filled]
        if thresholds[filler] < 1:
            pending[a] = filler
            a, b = a + 1, b + 1
    thresholds[pending[:a]] = 1


def draw_classes(ids, thresholds, aliases, key, cursor, stream, offset=0):
    """ids = a cell where u < its threshold, else its alias; cell and u from Philox of (key, stream, step, number)"""
    a, b = _philox(key[:1] & LOW, key[:1] >> WORD, key[1:2] & LOW)
    a, b = _philox(a ^ np.uint64(stream), b ^ np.uint64(cursor[1]), key[1:2] >> WORD)
    near, far = _philox(np.arange(offset, offset + len(ids), dtype=np.uint64), a, b)
    cells = ((near * np.uint64(len(thresholds))) >> WORD).astype(np.int64)
    ids[:] = np.where(far * 2.0**-32 < thresholds[cells], cells, aliases[cells])


def distinct_classes(classes, times, firsts, count, slots, ids):
    """The distinct ids by their first occurrence, and how often each occurs."""
    values, begins, occurrences = np.unique(ids, return_index=True, return_counts=True)
    order, D = np.argsort(begins), len(values)
    classes[:D], times[:D], count[0] = values[order], occurrences[order], D
    slots[values[order]] = np.arange(D)
    firsts[:] = -1
    firsts[begins[order]] = np.arange(D)
