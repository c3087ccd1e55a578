"""Losses fused with their gradients: the loss of each sample, whether its prediction is correct, and dx.

All have the outputs of `softmax_cross_entropy`: loss (B,), unweighted; correct (B,); dx (B, ≥ n), the gradient
of Σᵢ loss_weight[i] · loss[i]. Columns from n on keep their values. Terms of a loss are summed in lanes as they
arise, or kept until they are summed: in the row of dx, or in a scratch row where dx is written in the same pass.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import Kernel, always_inline, inline, kernel, of_user
from fastnn_kernels._lanes.regression import huber_row, mae_row, mse_row, same_choice
from fastnn_kernels._lanes.sums import row_distances, row_max, row_sum
from fastnn_kernels._math.elementary import exp, log
from fastnn_kernels._math.loss_terms import deviance, logistic
from fastnn_kernels._memory.scratch import SCRATCH, scratch_row
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL
from fastnn_kernels.softmax import _exponentials, _is_first_max, _sum_of_exponentials

__all__ = [
    "binary_cross_entropy",
    "exp_forward",
    "huber",
    "mae",
    "mse",
    "poisson",
    "softmax_cross_entropy_smooth",
    "softmax_cross_entropy_smooth_value",
]

# The operands with one row, or one number, a sample: `cut` of these kernels.
_LABELLED = ("loss", "correct", "dx", "x", "labels", "loss_weight")
_TARGETED = ("loss", "correct", "dx", "x", "target", "loss_weight")


@inline
def _fraction_correct(x, target, i, n):
    """The fraction of the n outputs for which (x[i, j] > 0) = (target[i, j] > ½). A NaN is never correct."""
    half, right = type(x[i, 0])(0.5), 0
    for j in range(n):
        right += ((x[i, j] > 0) & (target[i, j] > half)) | ((x[i, j] <= 0) & (target[i, j] <= half))
    return type(x[i, 0])(right) / type(x[i, 0])(n)


@kernel(
    work=lambda loss, correct, dx, x, labels, loss_weight, scalars, n: TRANSCENDENTAL * x.size,
    outputs=3,
    per_sample=True,
    cut=_LABELLED,
)
def softmax_cross_entropy_smooth(loss, correct, dx, x, labels, loss_weight, scalars, n):
    """loss = log Σⱼ exp(xⱼ) − Σⱼ tⱼ xⱼ;  dx = loss_weight · (softmax(x) − t)

    where t = (1 − s) · onehot(label) + s / n

    loss, correct, dx, x, labels, loss_weight : as for `softmax_cross_entropy`    scalars : (s,), 0 ≤ s ≤ 1
    """
    for i in prange(x.shape[0]):
        label, count, smoothing = labels[i], type(x[i, 0])(n), type(x[i, 0])(scalars[0])
        largest = row_max(x, i, n)
        for j in range(n):
            dx[i, j] = largest - x[i, j]
        spread, distance = row_sum(dx, i, n), dx[i, label]
        _, total = _exponentials(dx, x, i, n)
        # smoothing · spread / count ends in a division: of a sum of two products either may be fused with the addition.
        loss[i] = log(total) + ((type(total)(1) - smoothing) * distance + smoothing * spread / count)
        correct[i] = total == total and _is_first_max(x, i, label, largest)
        scale, everywhere = loss_weight[i] / total, loss_weight[i] * smoothing / count
        for j in range(n):
            dx[i, j] = dx[i, j] * scale - everywhere
        dx[i, label] -= loss_weight[i] * (type(total)(1) - smoothing)


@kernel(
    work=lambda loss, correct, x, *rest: TRANSCENDENTAL * x.size,
    outputs=2,
    per_sample=True,
    cut=("loss", "correct", "x", "labels"),
)
def softmax_cross_entropy_smooth_value(loss, correct, x, labels, scalars, n):
    """`softmax_cross_entropy_smooth` without the gradient, with the same bits of loss and correct.

    loss, correct, x, labels, scalars : as for `softmax_cross_entropy_smooth`
    """
    for i in prange(x.shape[0]):
        label, count, smoothing = labels[i], type(x[i, 0])(n), type(x[i, 0])(scalars[0])
        largest = row_max(x, i, n)
        distances, distance = row_distances(x, i, n, largest), largest - x[i, label]
        total = _sum_of_exponentials(x, i, n, largest)
        loss[i] = log(total) + ((type(total)(1) - smoothing) * distance + smoothing * distances / count)
        correct[i] = total == total and _is_first_max(x, i, label, largest)


def _part_of_row(term, name):
    """A function that computes dx and the sum of the terms of at most SCRATCH outputs, by one of `_math.loss_terms`."""

    def part(dx, x, target, scale):
        terms = scratch_row(scale)
        for j in range(x.shape[0]):
            terms[0, j], slope = term(x[j], target[j], scale)
            dx[j] = scale * slope
        return row_sum(terms, 0, x.shape[0])

    part.__qualname__ = f"part.{name}"
    return always_inline(part)


_cross_entropies, _deviances = _part_of_row(logistic, "logistic"), _part_of_row(deviance, "deviance")


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * TRANSCENDENTAL * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def binary_cross_entropy(loss, correct, dx, x, target, loss_weight, n):
    """loss[i] = 1/n Σⱼ log(1 + exp(x)) − t · x;  dx[i] = loss_weight[i] / n · (sigmoid(x) − t)

    loss        : (B,)      mean of −t log p − (1 − t) log(1 − p) over the n outputs of a sample, p = sigmoid(x)
    correct     : (B,)      fraction of the outputs with (x > 0) = (t > ½)
    dx          : (B, ≥ n)
    x           : (B, ≥ n)  scores, n ≥ 1
    target      : (B, ≥ n)  probabilities t, usually 0 or 1
    loss_weight : (B,)
    """
    for i in prange(x.shape[0]):
        scale = loss_weight[i] / type(x[i, 0])(n)
        summed = type(x[i, 0])(0)
        for first in range(0, n, SCRATCH):
            last = min(n, first + SCRATCH)
            summed += _cross_entropies(dx[i, first:last], x[i, first:last], target[i, first:last], scale)
        loss[i] = summed / type(x[i, 0])(n)
        correct[i] = _fraction_correct(x, target, i, n)


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * ELEMENT * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def mse(loss, correct, dx, x, target, loss_weight, scalars, n):
    """loss[i] = scale / n · Σⱼ (x − t)²;  dx[i] = loss_weight[i] · 2 · scale / n · (x − t)

    loss, loss_weight : (B,)
    correct           : (B,)      n = 1: sign(x) = sign(t); n > 1: argmax(x) = argmax(t)
    dx, x, target     : (B, ≥ n)  n ≥ 1
    scalars           : (scale,)  1, or ½ for the half-squared form
    """
    for i in prange(x.shape[0]):
        scale = type(x[i, 0])(scalars[0]) / type(x[i, 0])(n)
        factor = scale * type(x[i, 0])(2) * loss_weight[i]
        summed, correct[i] = mse_row(dx, x, target, i, n, factor, scale)
        loss[i] = scale * summed


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * ELEMENT * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def mae(loss, correct, dx, x, target, loss_weight, n):
    """loss[i] = 1/n Σⱼ |x − t|;  dx[i] = loss_weight[i] / n · sign(x − t), 0 where x = t

    loss, correct, loss_weight, dx, x, target : as for `mse`
    """
    for i in prange(x.shape[0]):
        count = type(x[i, 0])(n)
        summed, correct[i] = mae_row(dx, x, target, i, n, loss_weight[i] / count, count)
        loss[i] = summed / count


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * ELEMENT * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def huber(loss, correct, dx, x, target, loss_weight, scalars, n):
    """loss[i] = 1/n Σⱼ h(x − t);  dx[i] = loss_weight[i] / n · h'(x − t)

    where h(d) = ½ d² for |d| ≤ δ, else δ · (|d| − ½ δ), so h'(d) is d clipped to [−δ, δ]

    loss, correct, loss_weight, dx, x, target : as for `mse`    scalars : (δ,), δ > 0
    """
    for i in prange(x.shape[0]):
        count = type(x[i, 0])(n)
        summed, correct[i] = huber_row(dx, x, target, i, n, loss_weight[i] / count, type(count)(scalars[0]))
        loss[i] = summed / count


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * TRANSCENDENTAL * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def poisson(loss, correct, dx, x, target, loss_weight, n):
    """loss[i] = 1/n Σⱼ exp(x) − t + t · (log t − x);  dx[i] = loss_weight[i] / n · (exp(x) − t)

    loss              : (B,)      half the Poisson deviance of t from the mean exp(x)
    correct           : (B,)      n = 1: t > 0, as exp(x) is; n > 1: argmax(x) = argmax(t)
    dx, x             : (B, ≥ n)  n ≥ 1
    target            : (B, ≥ n)  t ≥ 0, with t log t = 0 at 0
    loss_weight       : (B,)
    """
    for i in prange(x.shape[0]):
        scale = loss_weight[i] / type(x[i, 0])(n)
        summed = type(x[i, 0])(0)
        for first in range(0, n, SCRATCH):
            last = min(n, first + SCRATCH)
            summed += _deviances(dx[i, first:last], x[i, first:last], target[i, first:last], scale)
        loss[i] = summed / type(x[i, 0])(n)
        if n == 1:
            correct[i] = (summed == summed) and target[i, 0] > 0
        else:
            correct[i] = same_choice(x, target, i, n, row_max(x, i, n), row_max(target, i, n), summed)


@kernel(work=lambda out, x, n: TRANSCENDENTAL * out.size, per_sample=True, cut=("out", "x"))
def exp_forward(out, x, n):
    """out = exp(x)

    out, x : (B, ≥ n); columns from n on stay
    """
    for i in prange(out.shape[0]):
        for j in range(n):
            out[i, j] = exp(x[i, j])


def elementwise_loss(value, gradient, name):
    """A kernel for a user's own loss, with the arguments of `mae`.

    loss[i] = 1/n Σⱼ value(x, t);  dx[i] = loss_weight[i] / n · gradient(x, t)

    value, gradient : functions of two numbers that Numba can compile; gradient is the derivative by x
    name            : of the kernel; must not be used twice
    """
    value, gradient = of_user(value), of_user(gradient)

    def body(loss, correct, dx, x, target, loss_weight, n):
        for i in prange(x.shape[0]):
            for j in range(n):
                dx[i, j] = value(x[i, j], target[i, j])
            loss[i] = row_sum(dx, i, n) / type(x[i, 0])(n)
            # NaN: a user's function may make a number of it, so both rows are searched for it
            best, aim, unknown = row_max(x, i, n), row_max(target, i, n), type(x[i, 0])(np.nan)
            correct[i] = same_choice(x, target, i, n, best, aim, unknown)
            scale = loss_weight[i] / type(x[i, 0])(n)
            for j in range(n):
                dx[i, j] = scale * gradient(x[i, j], target[i, j])

    body.__name__ = body.__qualname__ = name
    work = lambda loss, correct, dx, x, *rest: TRANSCENDENTAL * x.size  # noqa: E731
    return Kernel(body, work, cached=False, outputs=3, per_sample=True, cut=_TARGETED)
