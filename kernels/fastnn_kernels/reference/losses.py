"""Reference of the losses fused with their gradients. x, t and d stand for the first n columns."""

import numpy as np

from fastnn_kernels.reference.softmax import softmax_cross_entropy_value, softmax_forward

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


def softmax_cross_entropy_smooth(loss, correct, dx, x, labels, loss_weight, scalars, n):
    """loss = log Σⱼ exp(xⱼ) − Σⱼ tⱼ xⱼ, dx = loss_weight · (softmax(x) − t), t = (1 − s) · onehot(label) + s / n"""
    softmax_cross_entropy_smooth_value(loss, correct, x, labels, scalars, n)
    softmax_forward(dx, x, n)
    dx[:, :n] -= scalars[0] / n
    dx[np.arange(len(x)), labels] -= 1 - scalars[0]
    dx[:, :n] *= loss_weight[:, None]


def softmax_cross_entropy_smooth_value(loss, correct, x, labels, scalars, n):
    """loss and correct of `softmax_cross_entropy_smooth`"""
    softmax_cross_entropy_value(loss, correct, x, labels, n)
    rows, distance = np.arange(len(x)), x[:, :n].max(axis=1, keepdims=True) - x[:, :n]
    # With distance = max − x, the loss is log Σ exp(−distance) + Σ t · distance; the plain one has t = onehot(label).
    loss[:] = (
        loss - distance[rows, labels] + (1 - scalars[0]) * distance[rows, labels] + scalars[0] * distance.mean(axis=1)
    )


def binary_cross_entropy(loss, correct, dx, x, target, loss_weight, n):
    """loss = mean of log(1 + exp(x)) − t·x, dx = loss_weight / n · (sigmoid(x) − t); correct: (x > 0) = (t > ½)"""
    x, t = x[:, :n], target[:, :n]
    e = np.exp(-np.abs(x))
    loss[:] = (np.maximum(x, 0) - x * t + np.log1p(e)).mean(axis=1)
    correct[:] = (((x > 0) & (t > 0.5)) | ((x <= 0) & (t <= 0.5))).mean(axis=1)
    dx[:, :n] = loss_weight[:, None] / n * (np.where(x < 0, e, 1) / (1 + e) - t)


def _same_choice(x, t):
    """With one output: the signs are equal. With more: the argmax is the same. False if any element is NaN."""
    if x.shape[1] == 1:
        return (np.sign(x) == np.sign(t))[:, 0]
    return (x.argmax(axis=1) == t.argmax(axis=1)) & ~np.isnan(x).any(axis=1) & ~np.isnan(t).any(axis=1)


def mse(loss, correct, dx, x, target, loss_weight, scalars, n):
    """loss = scale · mean of d², dx = loss_weight · 2 · scale / n · d, where d = x − t"""
    d = x[:, :n] - target[:, :n]
    loss[:] = scalars[0] / n * (d**2).sum(axis=1)
    correct[:] = _same_choice(x[:, :n], target[:, :n])
    dx[:, :n] = loss_weight[:, None] * 2 * scalars[0] / n * d


def mae(loss, correct, dx, x, target, loss_weight, n):
    """loss = mean of |d|, dx = loss_weight / n · sign(d), where d = x − t"""
    d = x[:, :n] - target[:, :n]
    loss[:] = np.abs(d).mean(axis=1)
    correct[:] = _same_choice(x[:, :n], target[:, :n])
    dx[:, :n] = loss_weight[:, None] / n * np.sign(d)


def huber(loss, correct, dx, x, target, loss_weight, scalars, n):
    """loss = mean of (½ d² where |d| ≤ δ, else δ · (|d| − ½ δ)), d = x − t; dx = loss_weight / n · (d, within ±δ)"""
    d, delta = x[:, :n] - target[:, :n], scalars[0]
    near = np.abs(d) <= delta
    loss[:] = np.where(near, 0.5 * d**2, delta * (np.abs(d) - 0.5 * delta)).mean(axis=1)
    correct[:] = _same_choice(x[:, :n], target[:, :n])
    dx[:, :n] = loss_weight[:, None] / n * np.where(near, d, delta * np.sign(d))


def poisson(loss, correct, dx, x, target, loss_weight, n):
    """loss = mean of exp(x) − t + t · (log t − x), t log t = 0 at 0; dx = loss_weight / n · (exp(x) − t)"""
    x, t = x[:, :n], target[:, :n]
    loss[:] = (np.exp(x) - t + t * (np.log(np.where(t > 0, t, 1)) - x)).mean(axis=1)
    correct[:] = (t[:, 0] > 0) & ~np.isnan(x[:, 0]) if n == 1 else _same_choice(x, t)
    dx[:, :n] = loss_weight[:, None] / n * (np.exp(x) - t)


def exp_forward(out, x, n):
    """out = exp(x)"""
    out[:, :n] = np.exp(x[:, :n])
