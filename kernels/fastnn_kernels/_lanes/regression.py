"""A row of a regression loss in one pass: terms summed in lanes, gradients, and whether the prediction is correct."""

import numpy as np

from fastnn_kernels._jit import always_inline, inline
from fastnn_kernels._lanes.lanes import LANES, half, larger, largest, negative, sign, size, smaller, spread, total
from fastnn_kernels._lanes.memory import load, load_first, store, store_first
from fastnn_kernels._lanes.sums import first_position


@inline
def _same_argmax(x, target, i, n, best, aim):
    """Whether the first `best` in row i of x stands where the first `aim` of the target does: the maxima of both."""
    at = first_position(target, i, n, aim)
    return at < n and first_position(x, i, n, best) == at


@inline
def _has_nan(x, i, n):
    nans = 0
    for j in range(n):  # without a branch, so it runs in vector registers
        nans += x[i, j] != x[i, j]
    return nans > 0


@inline
def same_choice(x, target, i, n, best, aim, total):
    """With one output: the signs are equal. With more: the argmax is the same. False if any element is NaN.

    best, aim : the largest numbers of both rows    total : a sum of their differences, NaN if any element is
    """
    if n == 1:
        return np.sign(x[i, 0]) == np.sign(target[i, 0])
    if total != total and (_has_nan(x, i, n) or _has_nan(target, i, n)):
        return False
    return _same_argmax(x, target, i, n, best, aim)


def _regression(value, slope, name):
    """A function that computes Σ value(d), the gradients factor · slope(d), d = x − t, and whether row i is correct.

    It reads both rows once. value, slope : functions of (d, setting), both in lanes
    """

    def row(dx, x, target, i, n, factor, setting):
        factors, settings, lowest = spread(factor), spread(setting), type(factor)(-np.inf)
        terms, best = spread(type(factor)(0)), spread(lowest)
        aim, zero, whole = best, type(factor)(0), n - n % LANES
        for j in range(0, whole, LANES):
            scores, targets = load(x, i, j), load(target, i, j)
            d = scores - targets
            store(factors * slope(d, settings), dx, i, j)
            terms = terms + value(d, settings)
            best, aim = larger(scores, best), larger(targets, aim)
        count = n - whole
        d = load_first(x, i, whole, count, zero) - load_first(target, i, whole, count, zero)
        store_first(factors * slope(d, settings), dx, i, whole, count)
        summed = total(terms + value(d, settings))
        best = largest(larger(load_first(x, i, whole, count, lowest), best))
        aim = largest(larger(load_first(target, i, whole, count, lowest), aim))
        return summed, same_choice(x, target, i, n, best, aim, summed)

    row.__qualname__ = name  # symbols are made of it
    return always_inline(row)


@inline
def _square(d, setting):
    return d * d


@inline
def _itself(d, setting):
    return d


@inline
def _size(d, setting):
    return size(d)


@inline
def _sign(d, setting):
    return sign(d)


@inline
def _huber(d, delta):
    """near · (|d| − ½ · near), where near = min(|d|, δ): NaN stays NaN"""
    near = smaller(delta, size(d))
    return near * (size(d) - half(near))


@inline
def _clipped(d, delta):
    """d within ±δ; NaN stays NaN"""
    within = smaller(delta, d)
    return larger(negative(delta), within)


mse_row = _regression(_square, _itself, "mse_row")
mae_row = _regression(_size, _sign, "mae_row")
huber_row = _regression(_huber, _clipped, "huber_row")
