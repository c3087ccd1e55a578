"""Losses fused with their gradients: the loss of each sample, whether its prediction is correct, and dx.

All have the outputs of `softmax_cross_entropy`: loss (B,), unweighted; correct (B,); dx (B, ≥ n), the gradient
of Σᵢ loss_weight[i] · loss[i]. Columns from n on keep their values. Each row of dx first holds the terms of the
row's loss, so that they can be summed in lanes without an array of their own.
"""

from numba import prange

from fastnn_kernels._expm1 import log1p
from fastnn_kernels._jit import Kernel, inline, kernel
from fastnn_kernels._math import exp, log, sigmoid
from fastnn_kernels._sums import row_sum
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL
from fastnn_kernels.softmax import _exponentials, _is_first_max, _row_max

__all__ = ["binary_cross_entropy", "huber", "mae", "mse", "softmax_cross_entropy_smooth"]

# The operands with one row, or one number, a sample: `cut` of these kernels.
_LABELLED = ("loss", "correct", "dx", "x", "labels", "loss_weight")
_TARGETED = ("loss", "correct", "dx", "x", "target", "loss_weight")


@inline
def _sign(v):
    """1, 0 or −1; NaN stays NaN."""
    return type(v)(1) if v > 0 else (type(v)(-1) if v < 0 else v)


@inline
def _first_max(x, i, n):
    """The argmax of x[i, :n], the first of equals; −1 if any element is NaN."""
    largest, best, nans = _row_max(x, i, n), n, 0
    for j in range(n):  # without a branch, and of whole numbers: so it runs in vector registers
        nans += x[i, j] != x[i, j]
        position = j if x[i, j] == largest else n
        best = position if position < best else best
    return -1 if nans else best


@inline
def _same_choice(x, target, i, n):
    """With one output: the signs are equal. With more: the argmax is the same. False if any element is NaN."""
    if n == 1:
        return _sign(x[i, 0]) == _sign(target[i, 0])
    best = _first_max(x, i, n)
    return best >= 0 and best == _first_max(target, i, n)


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
        largest = _row_max(x, i, n)
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


@kernel(work=lambda loss, correct, dx, x, *rest: 3 * TRANSCENDENTAL * x.size, outputs=3, per_sample=True, cut=_TARGETED)
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
        for j in range(n):
            positive = x[i, j] if x[i, j] > 0 else type(x[i, j])(0)
            dx[i, j] = (positive - x[i, j] * target[i, j]) + log1p(exp(-abs(x[i, j])))
        loss[i] = row_sum(dx, i, n) / type(x[i, 0])(n)
        correct[i] = _fraction_correct(x, target, i, n)
        scale = loss_weight[i] / type(x[i, 0])(n)
        for j in range(n):
            dx[i, j] = scale * (sigmoid(x[i, j]) - target[i, j])


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * ELEMENT * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def mse(loss, correct, dx, x, target, loss_weight, scalars, n):
    """loss[i] = scale / n · Σⱼ (x − t)²;  dx[i] = loss_weight[i] · 2 · scale / n · (x − t)

    loss, loss_weight : (B,)
    correct           : (B,)      n = 1: sign(x) = sign(t); n > 1: argmax(x) = argmax(t)
    dx, x, target     : (B, ≥ n)  n ≥ 1
    scalars           : (scale,)  1, or ½ for the half-squared form
    """
    for i in prange(x.shape[0]):
        for j in range(n):
            difference = x[i, j] - target[i, j]
            dx[i, j] = difference * difference
        scale = type(x[i, 0])(scalars[0]) / type(x[i, 0])(n)
        loss[i] = scale * row_sum(dx, i, n)
        correct[i] = _same_choice(x, target, i, n)
        scale *= type(x[i, 0])(2) * loss_weight[i]
        for j in range(n):
            dx[i, j] = scale * (x[i, j] - target[i, j])


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * ELEMENT * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def mae(loss, correct, dx, x, target, loss_weight, n):
    """loss[i] = 1/n Σⱼ |x − t|;  dx[i] = loss_weight[i] / n · sign(x − t), 0 where x = t

    loss, correct, loss_weight, dx, x, target : as for `mse`
    """
    for i in prange(x.shape[0]):
        for j in range(n):
            dx[i, j] = abs(x[i, j] - target[i, j])
        loss[i] = row_sum(dx, i, n) / type(x[i, 0])(n)
        correct[i] = _same_choice(x, target, i, n)
        scale = loss_weight[i] / type(x[i, 0])(n)
        for j in range(n):
            dx[i, j] = scale * _sign(x[i, j] - target[i, j])


@kernel(work=lambda loss, correct, dx, x, *rest: 2 * ELEMENT * x.size, outputs=3, per_sample=True, cut=_TARGETED)
def huber(loss, correct, dx, x, target, loss_weight, scalars, n):
    """loss[i] = 1/n Σⱼ h(x − t);  dx[i] = loss_weight[i] / n · h'(x − t)

    where h(d) = ½ d² for |d| ≤ δ, else δ · (|d| − ½ δ), so h'(d) is d clipped to [−δ, δ]

    loss, correct, loss_weight, dx, x, target : as for `mse`    scalars : (δ,), δ > 0
    """
    for i in prange(x.shape[0]):
        real = type(x[i, 0])
        half, delta = real(0.5), real(scalars[0])
        for j in range(n):
            size = abs(x[i, j] - target[i, j])
            dx[i, j] = half * size * size if size <= delta else delta * (size - half * delta)
        loss[i] = row_sum(dx, i, n) / real(n)
        correct[i] = _same_choice(x, target, i, n)
        scale = loss_weight[i] / real(n)
        for j in range(n):
            size = abs(x[i, j] - target[i, j])
            slope = x[i, j] - target[i, j] if size <= delta else delta * _sign(x[i, j] - target[i, j])
            dx[i, j] = scale * slope


def elementwise_loss(value, gradient, name):
    """A kernel for a user's own loss, with the arguments of `mae`.

    loss[i] = 1/n Σⱼ value(x, t);  dx[i] = loss_weight[i] / n · gradient(x, t)

    value, gradient : functions of two numbers that Numba can compile; gradient is the derivative by x
    name            : of the kernel; must not be used twice
    """
    value, gradient = inline(value), inline(gradient)

    def body(loss, correct, dx, x, target, loss_weight, n):
        for i in prange(x.shape[0]):
            for j in range(n):
                dx[i, j] = value(x[i, j], target[i, j])
            loss[i] = row_sum(dx, i, n) / type(x[i, 0])(n)
            correct[i] = _same_choice(x, target, i, n)
            scale = loss_weight[i] / type(x[i, 0])(n)
            for j in range(n):
                dx[i, j] = scale * gradient(x[i, j], target[i, j])

    body.__name__ = body.__qualname__ = name
    work = lambda loss, correct, dx, x, *rest: TRANSCENDENTAL * x.size  # noqa: E731
    return Kernel(body, work, cached=False, outputs=3, per_sample=True, cut=_TARGETED)
