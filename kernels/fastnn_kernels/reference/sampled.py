"""Reference of the softmax over a sample of classes."""

import numpy as np

from fastnn_kernels.reference.dropout import LOW, WORD, _philox

__all__ = [
    "add_target_rows",
    "alias_table",
    "distinct_classes",
    "draw_classes",
    "sampled_matmul",
    "sampled_matmul_xt",
    "sampled_rows",
    "sampled_scores",
]


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


def _rows_of(count, shares, parts):
    """Those of count[0] rows that the given parts of them take."""
    bounds = np.arange(parts + 1) * count[0] // max(parts, 1)
    return slice(bounds[shares[0]], bounds[shares[-1] + 1]) if len(shares) else slice(0)


def sampled_rows(rows, columns, shifts, w, b, q, classes, times, count, draws, shares, parts):
    """rows = w[classes], columns = rowsᵀ, shifts = b[classes] − log(draws · q[classes] / times)"""
    own, n = _rows_of(count, shares, parts), w.shape[1]
    c = classes[own]
    rows[own, :n], columns[:, own] = w[c], w[c, : len(columns)].T
    shifts[own] = b[c] - np.log(draws * q[c] / times[own])


def sampled_scores(scores, column, x, columns, w, b, shifts, classes, count, labels, n):
    """scores = x·columns + shifts, −∞ where a class is the target or there is none; the target's own; then 0"""
    S, D = len(classes), count[0]
    sums = x[:, : len(columns)] @ columns[:, :D] + shifts[:D]
    scores[:, :D] = np.where(classes[:D] == labels[:, None], -np.inf, sums)
    scores[:, D:S] = -np.inf
    scores[:, S] = (x[:, :n] * w[labels, :n]).sum(axis=1) + b[labels]
    scores[:, S + 1 :] = 0
    column[:] = S


def sampled_matmul(dx, dscores, rows, count):
    """dx = dscores · rows, of the distinct classes"""
    dx[:] = dscores[:, : count[0]] @ rows[: count[0]]


def sampled_matmul_xt(drows, dscores, x, count, shares, parts):
    """drows = dscoresᵀ · x, of those distinct classes that belong to the shares"""
    own = _rows_of(count, shares, parts)
    drows[own] = dscores[:, own].T @ x


def add_target_rows(dx, dscores, w, labels, S, n):
    """dx += dscores[:, S] · w[labels]"""
    dx[:, :n] += dscores[:, S : S + 1] * w[labels, :n]
