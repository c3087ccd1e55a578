"""Softmax over a sample of many classes: which classes are drawn, and the scores that stand for all of them.

S classes are drawn with replacement, class v with probability q[v], the same ones for all samples of a batch. In

    Ẑ = exp(s_y) + Σ_{c ≠ y} exp(s_c) / (S · q[c])      over the drawn classes c

the target y counts once and a drawn class by the inverse of how often it is expected; one that is the target itself is
left out. The mean of Ẑ over all draws is Z = Σᵥ exp(sᵥ): importance sampling (Bengio and Senécal 2003, eq. 5; Jean et
al. 2015, section 3.1). In scores the factor is the addend −log(S · q[c]), and softmax and loss are those of S + 1
columns.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._math import log
from fastnn_kernels._product import product
from fastnn_kernels._sums import row_dot
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD, SERIAL_ELEMENT
from fastnn_kernels.dropout import LOW, _philox, _step_words
from fastnn_kernels.matmul import _block

__all__ = ["add_target_rows", "alias_table", "draw_classes", "sampled_scores", "sampled_shifts"]


@kernel(outputs=3)
def alias_table(thresholds, aliases, pending, q):
    """A table by which one of V classes is drawn in constant time, class v with probability q[v] / Σ q

    thresholds : (V,) float64, aliases : (V,)  draw a cell uniformly, and u in [0, 1): the class is the cell where
                                               u < thresholds[cell], else aliases[cell]
    pending    : (V,) scratch
    q          : (V,) ≥ 0, not all 0

    Walker (1977), made in linear time as by Vose (1991). Cells short of 1 wait at the front of `pending`, fuller ones
    at its back; the rest of a short one is filled by a full one.
    """
    V = q.shape[0]
    total = 0.0
    for v in range(V):
        total += np.float64(q[v])
    short, full = 0, V
    for v in range(V):
        thresholds[v] = np.float64(q[v]) / total * V
        aliases[v] = v
        if thresholds[v] < 1:
            pending[short] = v
            short += 1
        else:
            full -= 1
            pending[full] = v
    while short > 0 and full < V:
        short -= 1
        filled, filler = pending[short], pending[full]
        aliases[filled] = filler
        thresholds[filler] -= 1 - thresholds[filled]
        if thresholds[filler] < 1:
            pending[short] = filler
            short += 1
            full += 1
    for i in range(short):  # only rounding has left these short of 1
        thresholds[pending[i]] = 1


@kernel(work=lambda ids, *rest: 4 * SERIAL_ELEMENT * ids.size, cut=("ids",))
def draw_classes(ids, thresholds, aliases, key, cursor, stream, offset=0):
    """ids[s] = a class, drawn by `alias_table`: a function of (key, stream, cursor[1], offset + s)

    ids                 : (S,), from number `offset` on of those that a step draws
    thresholds, aliases : (V,), V < 2³²
    key                 : (≥ 2,) uint64; fresh ones for every epoch
    cursor              : (4,) int64, as `batch` explains
    stream              : number of the layer that draws
    """
    a, b = _step_words(key, cursor, stream)
    for s in prange(ids.shape[0]):
        near, far = _philox(np.uint64(offset + s), a, b)
        cell = np.int64(((near & LOW) * np.uint64(thresholds.shape[0])) >> np.uint64(32))
        u = np.float64(np.int64(far & LOW)) * 2.0**-32
        ids[s] = cell if u < thresholds[cell] else aliases[cell]


@kernel(
    work=lambda shifts, b, q, ids, count, offset=0: 4 * SERIAL_ELEMENT * ids.shape[0],
    cut=("shifts", "ids"),
)
def sampled_shifts(shifts, b, q, ids, count, offset=0):
    """shifts[s] = b[c] − log(count · q[c]) for the drawn class c = ids[s]: what is added to its product

    shifts : (S,)    b, q : (V,)    ids : (S,)    count : S, how many classes are drawn
    """
    for s in prange(ids.shape[0]):
        c = ids[s]
        shifts[s] = b[c] - log(type(q[c])(count) * q[c])


@inline
def _shift_row(scores, i, shifts, ids, label):
    """scores[i, s] += shifts[s], or −∞ where ids[s] is the label"""
    own = type(ids[0])(label)  # of one dtype, so that all are compared at once
    for s in range(ids.shape[0]):
        shifted = scores[i, s] + shifts[s]
        scores[i, s] = shifted if ids[s] != own else type(shifted)(-np.inf)


@kernel(
    work=lambda scores, column, x, rows, *rest: MULTIPLY_ADD * scores.size * rows.shape[0] + 2 * ELEMENT * x.size,
    outputs=2,
    per_sample=True,
    cut=("scores", "column", "x", "labels"),
)
def sampled_scores(scores, column, x, rows, w, b, shifts, ids, labels, n):
    """scores[i, s] = x[i]·w[ids[s]] + shifts[s], or −∞ where ids[s] is sample i's target y

    scores[i, S] = x[i]·w[y] + b[y]

    scores : (B, ≥ S + 1)  columns past S become 0
    column : (B,)          becomes S, the column of the target's score
    x      : (B, ≥ n)      w : (V, ≥ n)    b : (V,)
    rows   : (n, ≥ S)      the drawn rows of w, transposed; not wider than scores
    shifts : (S,)          ids : (S,) the drawn classes
    labels : (B,)          the targets y, in [0, V), checked by the caller
    """
    S, size = ids.shape[0], _block(scores.shape[0])
    for block in prange((scores.shape[0] + size - 1) // size):
        own = slice(block * size, block * size + size)
        # Not of all columns: where S fills whole lines, as 256 does, that of the target's score would be one line more.
        product(scores[own, : rows.shape[1]], x[own], rows)
    for i in prange(scores.shape[0]):
        label = np.int64(labels[i])  # as `load` takes it
        _shift_row(scores, i, shifts, ids, label)
        scores[i, S] = row_dot(x, i, w, label, n) + b[label]
        column[i] = S
        for s in range(S + 1, scores.shape[1]):
            scores[i, s] = 0


@kernel(
    work=lambda dx, dscores, w, labels, S, n: 2 * ELEMENT * dx.size,
    per_sample=True,
    cut=("dx", "dscores", "labels"),
)
def add_target_rows(dx, dscores, w, labels, S, n):
    """dx[i] += dscores[i, S] · w[labels[i]]: what the target's score adds to the gradient of the input

    dx : (B, ≥ n)    dscores : (B, ≥ S + 1)    w : (V, ≥ n)    labels : (B,)
    """
    for i in prange(dx.shape[0]):
        row, g = w[labels[i]], dscores[i, S]
        for j in range(n):
            dx[i, j] += g * row[j]
