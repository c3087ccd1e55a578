"""Losses of narrow nets against targets that are numbers, with samples side by side (`_narrow.layout`).

A sample has few scores, so that a row of them leaves most of a vector register empty. Here score j of all samples of a
block is a row. Results have the bits of the kernels in `losses`: terms are added in the order of their lanes.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import Kernel, always_inline
from fastnn_kernels._math.loss_terms import absolute, deviance, huber, logistic, squared
from fastnn_kernels._memory.scratch import scratch_panel
from fastnn_kernels._memory.view import matrix
from fastnn_kernels._narrow.layout import block_of, fill
from fastnn_kernels._tuning import BLOCK, ELEMENT, NARROW, TRANSCENDENTAL

__all__ = ["narrow_binary_cross_entropy", "narrow_huber", "narrow_mae", "narrow_mse", "narrow_poisson"]

HALF = NARROW // 2  # rows of terms, at most, that are added to others first


@always_inline
def _add_up(terms):
    """terms[0] = Σ terms, the upper half of NARROW lanes added to the lower one, until one is left, as in `total`"""
    half = HALF
    while half > 0:
        for j in range(half, min(2 * half, terms.shape[0])):
            for s in range(terms.shape[1]):
                terms[j - half, s] += terms[j, s]
        half //= 2


@always_inline
def _same_place(correct, best, aim, x, t, j):
    """Whether the first largest score and the first largest target, up to j, stand at one place.

    They do if both were found at j, or both before and at one place.
    """
    if j == 0:
        for s in range(correct.shape[0]):
            correct[s], best[s], aim[s] = 1, x[s], t[s]
        return
    for s in range(correct.shape[0]):
        # All are read before any is chosen: a read under a condition is a branch, and takes samples one by one.
        score, number, most, largest, same = x[s], t[s], best[s], aim[s], correct[s]
        higher, further = score > most, number > largest
        before = type(score)(0) if higher | further else same
        correct[s] = type(score)(1) if higher & further else before
        best[s] = score if higher else most
        aim[s] = number if further else largest


@always_inline
def _same_sign(score, number):
    return np.sign(score) == np.sign(number)


@always_inline
def _is_counted(score, number):
    """Whether there is a count, of which `score` is the logarithm"""
    return (number > 0) & (score == score)


def _agree(alone):
    """A function that says what is right: of one score, whether alone(score, target); of more, `_same_place`"""

    def agree(correct, best, aim, x, t, j, n):
        if n > 1:
            _same_place(correct, best, aim, x, t, j)
            return
        for s in range(correct.shape[0]):
            correct[s] = alone(x[s], t[s])

    agree.__qualname__ = f"agree.{alone.__name__}"
    return always_inline(agree)


@always_inline
def _sides_agree(correct, best, aim, x, t, j, n):
    """The fraction of the n scores for which (x > 0) = (t > ½)"""
    half = type(x[0])(0.5)
    for s in range(correct.shape[0]):
        right = ((x[s] > 0) & (t[s] > half)) | ((x[s] <= 0) & (t[s] <= half))
        correct[s] = right + (type(half)(0) if j == 0 else correct[s])
        if j == n - 1:
            correct[s] /= type(half)(n)


@always_inline
def _refuse_nan(correct, total, x, target):
    """Nothing is correct where a score or a target is NaN. Then `total` is; it may be for infinities, too."""
    doubtful = 0
    for s in range(correct.shape[0]):
        doubtful += total[s] != total[s]
    if doubtful > 0:
        for s in range(correct.shape[0]):
            for j in range(x.shape[0]):
                if x[j, s] != x[j, s] or target[j, s] != target[j, s]:
                    correct[s] = 0


@always_inline
def _of_mean(weight, setting, n):
    """The factor of a slope: the loss is the mean of the terms."""
    return weight / n


@always_inline
def _mean(total, setting, n):
    return total / n


@always_inline
def _of_scaled_mean(weight, setting, n):
    """The factor of half a slope: the loss is the mean of the terms, times a scale."""
    return setting / n * type(n)(2) * weight


@always_inline
def _scaled_mean(total, setting, n):
    return setting / n * total


def _columns(term, agree, factor, mean, name):
    """A function that computes the losses, the gradients and `correct` of one block.

    loss, correct, loss_weight : (samples,)    d : (≥ n, width)    x, target : (n, width)
    """

    is_choice = agree is not _sides_agree

    def columns(loss, correct, d, x, target, loss_weight, setting):
        n, samples, count = x.shape[0], loss.shape[0], type(setting)(x.shape[0])
        noted = matrix(scratch_panel(setting)[0], 0, n + 2, BLOCK)
        terms, best, aim = noted[:n, :samples], noted[n], noted[n + 1]
        for j in range(n):
            scores, own, slopes, t = x[j], terms[j], d[j], target[j]
            for s in range(samples):
                own[s], slope = term(scores[s], t[s], setting)
                slopes[s] = factor(loss_weight[s], setting, count) * slope
            fill(slopes, samples, 0)
            agree(correct, best, aim, scores, t, j, n)
        _add_up(terms)
        for s in range(samples):
            loss[s] = mean(terms[0, s], setting, count)
        if is_choice:
            _refuse_nan(correct, loss, x, target)

    columns.__qualname__ = f"columns.{name}"
    return always_inline(columns)


def _kernel(name, term, agree, factor=_of_mean, mean=_mean, cost=ELEMENT, is_set=False):
    """The kernel `name`, like that of the same name in `losses`, with samples side by side.

    loss, correct, loss_weight : (B,), as there    scalars : as there
    gradients : (blocks, rows · BLOCK), in blocks: that of score j in row j
    values    : (blocks, rows · BLOCK), in blocks: score j in row at + j
    target    : (blocks, rows · BLOCK), in blocks: that of score j in row j
    at, n     : the row of the first score; their number, 1 ≤ n < NARROW
    """
    columns = _columns(term, agree, factor, mean, name)

    def with_setting(loss, correct, gradients, values, target, loss_weight, scalars, at, n):
        for b in prange(values.shape[0]):
            block, dblock = block_of(values, b, loss.shape[0]), block_of(gradients, b, loss.shape[0])
            own, t = slice(b * BLOCK, b * BLOCK + BLOCK), block_of(target, b, loss.shape[0])
            setting = type(loss[0])(scalars[0])
            columns(loss[own], correct[own], dblock, block[at : at + n], t, loss_weight[own], setting)

    def without(loss, correct, gradients, values, target, loss_weight, at, n):
        for b in prange(values.shape[0]):
            block, dblock = block_of(values, b, loss.shape[0]), block_of(gradients, b, loss.shape[0])
            own, t = slice(b * BLOCK, b * BLOCK + BLOCK), block_of(target, b, loss.shape[0])
            none = type(loss[0])(0)
            columns(loss[own], correct[own], dblock, block[at : at + n], t, loss_weight[own], none)

    body = with_setting if is_set else without
    body.__name__ = body.__qualname__ = name
    body.__doc__ = (_kernel.__doc__ or "").replace("The kernel `name`, like", "Like")  # -OO takes it away
    return Kernel(body, lambda loss, correct, gradients, values, *rest: cost * rest[-1] * loss.size, outputs=3)


_signs_agree, _counts_agree = _agree(_same_sign), _agree(_is_counted)

narrow_mse = _kernel("narrow_mse", squared, _signs_agree, _of_scaled_mean, _scaled_mean, is_set=True)
narrow_mae = _kernel("narrow_mae", absolute, _signs_agree)
narrow_huber = _kernel("narrow_huber", huber, _signs_agree, is_set=True)
narrow_binary_cross_entropy = _kernel("narrow_binary_cross_entropy", logistic, _sides_agree, cost=2 * TRANSCENDENTAL)
narrow_poisson = _kernel("narrow_poisson", deviance, _counts_agree, cost=2 * TRANSCENDENTAL)
