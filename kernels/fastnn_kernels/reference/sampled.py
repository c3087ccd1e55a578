"""Reference of the softmax over a sample of classes: their scores, and the gradients."""

import numpy as np

__all__ = [
    "add_target_rows",
    "sampled_matmul",
    "sampled_matmul_xt",
    "sampled_rows",
    "sampled_scores",
]


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
