"""Softmax over a sample of many classes: the scores of the drawn ones, which stand for all, and their gradients.

S classes are drawn with replacement, class v with probability q[v], the same ones for all samples of a batch
(`draws`). In

    Ẑ = exp(s_y) + Σ_{c ≠ y} exp(s_c) / (S · q[c])      over the drawn classes c

the target y counts once and a drawn class by the inverse of how often it is expected; one that is the target itself is
left out. The mean of Ẑ over all draws is Z = Σᵥ exp(sᵥ): importance sampling (Bengio and Senécal 2003, eq. 5; Jean et
al. 2015, section 3.1).

A class that was drawn n_c times has n_c equal terms in the sum. So it is computed once:

    Ẑ = exp(s_y) + Σ_{c ≠ y} exp(s_c + log(n_c / (S · q[c])))      over the distinct drawn classes c

The logarithm is what is added to a score; softmax and loss are those of these scores and the target's. The derivative
of log Ẑ with respect to s_c is the whole term divided by Ẑ: the sum of the derivatives of its n_c equal parts. Of 256
classes drawn log-uniformly from 10,000, 174 are distinct on average, from 50,000 190.

How many are distinct, count[0], is not known before. Arrays have room for all S draws; what is behind those rows or
columns is neither read nor, where it is not said, written.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.sums import row_dot
from fastnn_kernels._math.elementary import log
from fastnn_kernels._memory.prefetch import prefetch_row
from fastnn_kernels._products.product import product, product_xt
from fastnn_kernels._products.transpose import transposed
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT, LISTED_ROW, MULTIPLY_ADD, SERIAL_ELEMENT
from fastnn_kernels.matmul import _block

__all__ = [
    "add_target_rows",
    "sampled_matmul",
    "sampled_matmul_xt",
    "sampled_rows",
    "sampled_scores",
]


@inline
def _first_and_last(count, shares, parts):
    """The first row and the end of the rows that `shares` stand for, if count[0] rows are cut into equal parts."""
    size = shares.shape[0]
    if size == 0:
        return count[0], count[0]
    return shares[0] * count[0] // parts, (shares[size - 1] + 1) * count[0] // parts


@kernel(
    work=lambda rows, columns, shifts, w, b, q, classes, times, count, draws, shares, parts: (
        shares.size * (5 * ELEMENT * (w.shape[1] + LISTED_ROW) + 4 * SERIAL_ELEMENT)
    ),
    outputs=3,
)
def sampled_rows(rows, columns, shifts, w, b, q, classes, times, count, draws, shares, parts):
    """rows[s] = columns[:, s] = w[c], shifts[s] = b[c] − log(draws · q[c] / times[s]) for the distinct class c

    rows                  : (S, ≥ n)    columns : (n, ≥ S)    shifts : (S,)
    w                     : (V, ≥ n)    b, q : (V,)    draws : S
    classes, times, count : from `distinct_classes`; c = classes[s], s < count[0]
    shares                : (r,) consecutive ones of 0 … parts − 1: the rows that these parts of count[0] rows take
    """
    first, last = _first_and_last(count, shares, parts)
    for s in prange(first, last):
        row = w[classes[s]]
        if s + 1 < last:
            prefetch_row(w, classes[s + 1])
        for j in range(w.shape[1]):
            rows[s, j] = row[j]
    for s in prange(first, last):
        c = classes[s]
        shifts[s] = b[c] - log(type(q[c])(draws) * q[c] / type(q[c])(times[s]))
    lanes = ALIGNMENT // rows.itemsize
    for block in prange((columns.shape[0] + lanes - 1) // lanes):
        own = columns[block * lanes : block * lanes + lanes, first:last]
        transposed(own, rows[first:last, block * lanes : block * lanes + own.shape[0]])


@inline
def _shift_row(scores, i, shifts, classes, count, label):
    """scores[i, s] += shifts[s], or −∞ where classes[s] is the label, and from s = count on"""
    own = type(classes[0])(label)  # of one dtype, so that all are compared at once
    for s in range(count):
        shifted = scores[i, s] + shifts[s]
        scores[i, s] = shifted if classes[s] != own else type(shifted)(-np.inf)
    for s in range(count, classes.shape[0]):
        scores[i, s] = -np.inf


@kernel(
    work=lambda scores, column, x, rows, *rest: MULTIPLY_ADD * scores.size * rows.shape[0] + 2 * ELEMENT * x.size,
    outputs=2,
    per_sample=True,
    cut=("scores", "column", "x", "labels"),
)
def sampled_scores(scores, column, x, columns, w, b, shifts, classes, count, labels, n):
    """scores[i, s] = x[i]·columns[:, s] + shifts[s], or −∞ where classes[s] is sample i's target y, for s < count[0]

    scores[i, S] = x[i]·w[y] + b[y]

    scores  : (B, ≥ S + 1)  columns from count[0] to S become −∞, those past S 0
    column  : (B,)          becomes S, the column of the target's score
    x       : (B, ≥ n)      w : (V, ≥ n)    b : (V,)
    columns : (n, ≥ S)      the rows of the distinct classes, transposed; not wider than scores
    shifts  : (S,)          classes, count : from `distinct_classes`
    labels  : (B,)          the targets y, in [0, V), checked by the caller
    """
    S, size = classes.shape[0], _block(scores.shape[0])
    # Whole lines. Not of all columns: where S fills whole lines, as 256 does, that of the target's score is one more.
    lanes = ALIGNMENT // scores.itemsize
    width = min((count[0] + lanes - 1) // lanes * lanes, columns.shape[1])
    for block in prange((scores.shape[0] + size - 1) // size):
        own = slice(block * size, block * size + size)
        product(scores[own, :width], x[own], columns[:, :width])
    for i in prange(scores.shape[0]):
        label = np.int64(labels[i])  # as `load` takes it
        _shift_row(scores, i, shifts, classes, count[0], label)
        scores[i, S] = row_dot(x, i, w, label, n) + b[label]
        column[i] = S
        for s in range(S + 1, scores.shape[1]):
            scores[i, s] = 0


@kernel(
    work=lambda dx, dscores, rows, count: MULTIPLY_ADD * dx.size * rows.shape[0],
    per_sample=True,
    cut=("dx", "dscores"),
)
def sampled_matmul(dx, dscores, rows, count):
    """dx = Σ dscores[:, s] · rows[s] over s < count[0], in ascending order

    dx : (B, n)    dscores : (B, ≥ S)    rows : (S, n)    count : (1,)
    """
    size, used = _block(dx.shape[0]), rows[: count[0]]
    for block in prange((dx.shape[0] + size - 1) // size):
        own = slice(block * size, block * size + size)
        product(dx[own], dscores[own], used)


@kernel(work=lambda drows, dscores, x, count, shares, parts: MULTIPLY_ADD * shares.size * x.size)
def sampled_matmul_xt(drows, dscores, x, count, shares, parts):
    """drows[s] = Σᵢ dscores[i, s] · x[i], in ascending i, for those rows s < count[0] that belong to `shares`

    drows  : (S, n)    dscores : (B, ≥ S)    x : (B, n)    count : (1,)
    shares : as for `sampled_rows`
    """
    first, last = _first_and_last(count, shares, parts)
    size = _block(last - first)
    for block in prange((last - first + size - 1) // size):
        begin = first + block * size
        product_xt(drows[begin : min(begin + size, last)], dscores, begin, x)


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
