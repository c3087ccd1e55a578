"""Reference of what metrics measure of each sample. x and t stand for the first n columns."""

import numpy as np

__all__ = [
    "absolute_errors",
    "record_figure",
    "same_sides",
    "same_signs",
    "squared_errors",
    "top_k_correct",
]


def top_k_correct(each, x, labels, k, n):
    """each = the label is among the first k of the row, sorted by falling score and rising class; no NaN in the row"""
    x = x[:, :n]
    order = np.argsort(-x, axis=1, kind="stable")[:, :k]
    each[:] = (order == labels[:, None]).any(axis=1) & ~np.isnan(x).any(axis=1)


def absolute_errors(each, x, target, n):
    """each = mean of |x − t|"""
    each[:] = np.abs(x[:, :n] - target[:, :n]).mean(axis=1)


def squared_errors(each, x, target, n):
    """each = mean of (x − t)²"""
    each[:] = ((x[:, :n] - target[:, :n]) ** 2).mean(axis=1)


def same_signs(each, x, target, n):
    """each = mean of sign(x) = sign(t)"""
    each[:] = (np.sign(x[:, :n]) == np.sign(target[:, :n])).mean(axis=1)


def same_sides(each, x, target, n):
    """each = mean of (x > ½) = (t > ½), where neither is NaN"""
    x, t = x[:, :n], target[:, :n]
    each[:] = (((x > 0.5) == (t > 0.5)) & ~np.isnan(x) & ~np.isnan(t)).mean(axis=1)


def record_figure(sums, cursor, each, sample_weight, column):
    """sums[step, column] = Σ sample_weight · each"""
    sums[cursor[1], column] = np.sum(sample_weight * each)
