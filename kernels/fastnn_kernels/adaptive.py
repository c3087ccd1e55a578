"""The adaptive softmax: a softmax over frequent classes and clusters of rarer ones, and one over each cluster.

log p(y) = log softmax(head)[y]                                             for one of the K frequent classes
log p(y) = log softmax(head)[K + c] + log softmax(tail of c)[y − first]     for a class of cluster c

(Grave et al. 2017). `cluster_rows` lists the samples whose target is in a cluster, by cluster. The rest works on rows
in that order, those of one cluster alone: row r belongs to sample order[r], and to no other, so no two rows write the
same number. Each row depends on its sample alone, so rows may be shared out in any way: SHARES equal parts of them, of
which a thread takes some. How many rows there are is not known before.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.sums import row_max, row_sum
from fastnn_kernels._math.elementary import log, stored_exp_nonpositive
from fastnn_kernels._products.product import product, product_xt
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD, TRANSCENDENTAL
from fastnn_kernels.matmul import _block
from fastnn_kernels.softmax import _is_first_max

__all__ = [
    "add_cluster_rows",
    "cluster_cross_entropy",
    "cluster_matmul",
    "cluster_matmul_xt",
    "cluster_rows",
    "gather_cluster",
    "place_log_probabilities",
]

SHARES = 64
# A cluster has about this part of the samples, by which work is estimated: a sixth, if classes occur log-uniformly and
# nobody gave the cutoffs (`nn.layers.adaptive`).
PART = 1 / 6


@inline
def _first_and_last(starts, cluster, shares):
    """The rows first ≤ r < last of a cluster that belong to consecutive shares."""
    first, count = starts[cluster], starts[cluster + 1] - starts[cluster]
    parts = shares.shape[0]
    if parts == 0:
        return first, first
    return first + shares[0] * count // SHARES, first + (shares[parts - 1] + 1) * count // SHARES


@kernel(outputs=3)
def cluster_rows(column, order, starts, labels, cutoffs):
    """The samples of each cluster, in ascending order, and the column of each target among the scores of the head

    column  : (B,)      becomes the target itself, if it is frequent, else K + c for one of cluster c
    order   : (m,)      m ≥ B; cluster c has the samples order[starts[c] : starts[c + 1]]; ends with −1
    starts  : (C + 1,)
    labels  : (B,)      the targets, in [0, V)
    cutoffs : (C + 1,)  the first class of each cluster, ascending, and V; cutoffs[0] = K
    """
    count = 0
    for i in range(labels.shape[0]):
        column[i] = labels[i]
    for c in range(cutoffs.shape[0] - 1):
        starts[c] = count
        for i in range(labels.shape[0]):
            if cutoffs[c] <= labels[i] and labels[i] < cutoffs[c + 1]:
                column[i] = cutoffs[0] + c
                order[count] = i
                count += 1
    starts[cutoffs.shape[0] - 1] = count
    for r in range(count, order.shape[0]):
        order[r] = -1


@kernel(work=lambda out, *rest: PART * ELEMENT * out.size)
def gather_cluster(out, x, order, starts, cluster, shares):
    """out[r] = x[order[r]] for those rows r of a cluster that belong to `shares`

    out    : (m, n)    x : (B, n)    order, starts : from `cluster_rows`
    shares : (s,)      consecutive ones of 0 … SHARES − 1
    """
    first, last = _first_and_last(starts, cluster, shares)
    for r in prange(first, last):
        row = x[order[r]]
        for j in range(out.shape[1]):
            out[r, j] = row[j]


@kernel(work=lambda out, x, w, *rest: PART * MULTIPLY_ADD * out.size * w.shape[0])
def cluster_matmul(out, x, w, starts, cluster, shares):
    """out[r] = x[r] · w for those rows r of a cluster that belong to `shares`

    out : (m, n)    x : (m, ≥ k)    w : (k, n)    starts, shares : as for `gather_cluster`
    """
    first, last = _first_and_last(starts, cluster, shares)
    size = _block(last - first)
    for block in prange((last - first + size - 1) // size):
        begin = first + block * size
        own = slice(begin, min(begin + size, last))
        product(out[own], x[own], w)


@kernel(work=lambda dw, x, dout, *rest: PART * MULTIPLY_ADD * dw.size * dout.shape[0], cut=("dw",))
def cluster_matmul_xt(dw, x, dout, starts, cluster, offset=0):
    """dw = Σ x[r]ᵀ · dout[r] over the rows r of a cluster, in ascending order: rows offset ≤ r < offset + k of it

    dw : (k, n)    x : (m, ≥ offset + k)    dout : (m, n)    starts : from `cluster_rows`
    """
    size = _block(dw.shape[0])
    first, last = starts[cluster], starts[cluster + 1]
    for block in prange((dw.shape[0] + size - 1) // size):
        own = slice(block * size, block * size + size)
        product_xt(dw[own], x[first:last], offset + block * size, dout[first:last])


@kernel(work=lambda loss, correct, dx, *rest: PART * TRANSCENDENTAL * dx.size, outputs=3)
def cluster_cross_entropy(loss, correct, dx, order, starts, cluster, labels, first_class, loss_weight, shares, n):
    """`softmax_cross_entropy` in place, for those rows r of a cluster that belong to `shares`

    loss          : (B,)      of the sample i = order[r]: += that of its target in the cluster
    correct       : (B,)      *= whether the target has the highest score of the cluster
    dx            : (m, ≥ n)  before: the scores of the cluster's classes; becomes the gradient; columns from n on: 0
    labels        : (B,)      in [first_class, first_class + n) for samples of the cluster
    loss_weight   : (B,)
    order, starts, shares : as for `gather_cluster`
    """
    begin, last = _first_and_last(starts, cluster, shares)
    for r in prange(begin, last):
        i = order[r]
        label = np.int64(labels[i]) - first_class
        largest = row_max(dx, r, n)
        score, right = dx[r, label], _is_first_max(dx, r, label, largest)
        for j in range(n):
            dx[r, j] = stored_exp_nonpositive(dx[r, j] - largest)
        total = row_sum(dx, r, n)
        loss[i] += log(total) + (largest - score)
        correct[i] *= type(total)(1) if right and total == total else type(total)(0)
        scale = loss_weight[i] / total
        for j in range(n):
            dx[r, j] *= scale
        dx[r, label] -= loss_weight[i]
        for j in range(n, dx.shape[1]):
            dx[r, j] = 0


@kernel(work=lambda dx, *rest: PART * ELEMENT * dx.size)
def add_cluster_rows(dx, rows, order, starts, cluster, shares):
    """dx[order[r]] += rows[r] for those rows r of a cluster that belong to `shares`

    dx : (B, n)    rows : (m, n)    order, starts, shares : as for `gather_cluster`
    """
    first, last = _first_and_last(starts, cluster, shares)
    for r in prange(first, last):
        i = order[r]
        for j in range(dx.shape[1]):
            dx[i, j] += rows[r, j]


@kernel(work=lambda out, scores, *rest: TRANSCENDENTAL * scores.size, outputs=2, per_sample=True, cut=("out", "scores"))
def place_log_probabilities(out, scores, first, column, n):
    """out[i, first + j] = scores[i, j] − log Σⱼ exp(scores[i, j]) + out[i, column], as it was before; column < 0: + 0

    out    : (B, ≥ first + n)
    scores : (B, ≥ n)  become exp(scores − their maximum)
    """
    for i in prange(out.shape[0]):
        before = out[i, column] if column >= 0 else type(out[i, 0])(0)
        for j in range(n):
            out[i, first + j] = scores[i, j]
        largest = row_max(scores, i, n)
        for j in range(n):
            scores[i, j] = stored_exp_nonpositive(scores[i, j] - largest)
        shift = before - (largest + log(row_sum(scores, i, n)))
        for j in range(n):
            out[i, first + j] += shift
