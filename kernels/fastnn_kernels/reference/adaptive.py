"""Reference of the adaptive softmax."""

import numpy as np

from fastnn_kernels.reference.softmax import softmax_cross_entropy

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


def cluster_rows(column, order, starts, labels, cutoffs):
    """column = the target, or K + its cluster; order = the samples with a cluster, sorted by it"""
    cluster = np.searchsorted(cutoffs, labels, side="right") - 1
    column[:] = np.where(cluster < 0, labels, cutoffs[0] + cluster)
    starts[:] = [(cluster[cluster >= 0] < c).sum() for c in range(len(starts))]
    found = np.argsort(cluster, kind="stable")[(cluster < 0).sum() :]
    order[:] = -1
    order[: len(found)] = found


def _rows(starts, cluster, shares):
    """The rows of a cluster that belong to these shares, of SHARES."""
    at = starts[cluster] + np.arange(SHARES + 1) * (starts[cluster + 1] - starts[cluster]) // SHARES
    return np.concatenate([np.arange(at[share], at[share + 1]) for share in shares])


def gather_cluster(out, x, order, starts, cluster, shares):
    """out[r] = x[order[r]]"""
    rows = _rows(starts, cluster, shares)
    out[rows] = x[order[rows]]


def cluster_matmul(out, x, w, starts, cluster, shares):
    """out[r] = x[r] · w"""
    rows = _rows(starts, cluster, shares)
    out[rows] = x[rows, : len(w)] @ w


def cluster_matmul_xt(dw, x, dout, starts, cluster, offset=0):
    """dw = x[rows]ᵀ · dout[rows]"""
    rows = slice(starts[cluster], starts[cluster + 1])
    dw[:] = x[rows, offset : offset + len(dw)].T @ dout[rows]


def cluster_cross_entropy(loss, correct, dx, order, starts, cluster, labels, first_class, loss_weight, shares, n):
    """`softmax_cross_entropy` of the rows; its losses are added, what is right stays so if it is here, too"""
    rows = _rows(starts, cluster, shares)
    samples = order[rows]
    own, right, gradient = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros((len(rows), dx.shape[1]))
    softmax_cross_entropy(own, right, gradient, dx[rows], labels[samples] - first_class, loss_weight[samples], n)
    dx[rows] = gradient
    loss[samples] += own
    correct[samples] *= right


def add_cluster_rows(dx, rows, order, starts, cluster, shares):
    """dx[order[r]] += rows[r]"""
    own = _rows(starts, cluster, shares)
    dx[order[own]] += rows[own]


def place_log_probabilities(out, scores, first, column, n):
    """out = scores − log Σ exp(scores) + what a column held; scores become exp(scores − max)"""
    before = out[:, column].copy() if column >= 0 else np.zeros(len(out))
    largest = scores[:, :n].max(axis=1, keepdims=True)
    shifted = scores[:, :n] - largest
    scores[:, :n] = np.exp(shifted)
    out[:, first : first + n] = shifted - np.log(scores[:, :n].sum(axis=1, keepdims=True)) + before[:, None]
