"""What metrics measure of each sample: errors, and whether the answer is right.

All write `each` (B,) and compute in float64, whatever the dtype of the scores: a square of a float32 cannot overflow
there. `record_figure` adds them up over a batch. A NaN is never right, and the error of a NaN is NaN.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT

__all__ = [
    "absolute_errors",
    "record_figure",
    "same_sides",
    "same_signs",
    "squared_errors",
    "top_k_correct",
]

_TARGETED = ("each", "x", "target")  # the operands with one row, or one number, a sample


def _work(each, x, target, n):
    return 2 * ELEMENT * x.size


@kernel(work=lambda each, x, labels, k, n: 2 * ELEMENT * x.size, per_sample=True, cut=("each", "x", "labels"))
def top_k_correct(each, x, labels, k, n):
    """each[i] = 1 if fewer than k of the scores x[i, :n] stand before that of labels[i], else 0; 0 if the row has NaN

    Before a score stand the higher ones, and of equal ones those of lower classes: so k = 1 asks for the first argmax.

    each : (B,)    x : (B, ≥ n)    labels : (B,) in [0, n)    k ≥ 1
    """
    for i in prange(x.shape[0]):
        label = labels[i]
        score, before, unknown = x[i, label], 0, 0
        for j in range(n):
            before += (x[i, j] > score) | ((x[i, j] == score) & (j < label))
            unknown += x[i, j] != x[i, j]
        each[i] = (before < k) & (unknown == 0)


@kernel(work=_work, per_sample=True, cut=_TARGETED)
def absolute_errors(each, x, target, n):
    """each[i] = 1/n Σⱼ |x[i, j] − target[i, j]|, summed in ascending j

    each : (B,)    x, target : (B, ≥ n), n ≥ 1
    """
    for i in prange(x.shape[0]):
        total = 0.0
        for j in range(n):
            total += abs(np.float64(x[i, j]) - np.float64(target[i, j]))
        each[i] = total / n


@kernel(work=_work, per_sample=True, cut=_TARGETED)
def squared_errors(each, x, target, n):
    """each[i] = 1/n Σⱼ (x[i, j] − target[i, j])², summed in ascending j

    each : (B,)    x, target : (B, ≥ n), n ≥ 1
    """
    for i in prange(x.shape[0]):
        total = 0.0
        for j in range(n):
            d = np.float64(x[i, j]) - np.float64(target[i, j])
            total += d * d
        each[i] = total / n


@kernel(work=_work, per_sample=True, cut=_TARGETED)
def same_signs(each, x, target, n):
    """each[i] = the fraction of the n outputs for which sign(x[i, j]) = sign(target[i, j]); 0 has a sign of its own

    each : (B,)    x, target : (B, ≥ n), n ≥ 1
    """
    for i in prange(x.shape[0]):
        right = 0
        for j in range(n):
            right += np.sign(x[i, j]) == np.sign(target[i, j])
        each[i] = right / n


@kernel(work=_work, per_sample=True, cut=_TARGETED)
def same_sides(each, x, target, n):
    """each[i] = the fraction of the n outputs for which (x[i, j] > ½) = (target[i, j] > ½)

    each : (B,)    x, target : (B, ≥ n), n ≥ 1
    """
    for i in prange(x.shape[0]):
        right = 0
        for j in range(n):
            s, t = np.float64(x[i, j]), np.float64(target[i, j])
            right += ((s > 0.5) & (t > 0.5)) | ((s <= 0.5) & (t <= 0.5))
        each[i] = right / n


@kernel
def record_figure(sums, cursor, each, sample_weight, column):
    """sums[step, column] = Σ sample_weight · each, in float64 in ascending order; step = cursor[1]

    It runs before `record_step`, which ends the step and records Σ sample_weight.

    sums : (steps of an epoch, > column) float64    cursor : (4,) int64    each, sample_weight : (B,)
    """
    total = 0.0
    for i in range(each.shape[0]):
        total += np.float64(sample_weight[i]) * np.float64(each[i])
    sums[cursor[1], column] = total
