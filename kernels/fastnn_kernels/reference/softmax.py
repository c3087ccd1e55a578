"""Reference of softmax, alone and fused with the cross-entropy."""

import numpy as np

__all__ = ["softmax_cross_entropy", "softmax_cross_entropy_value", "softmax_forward"]


def softmax_forward(out, x, n):
    """out[i, j] = exp(x[i, j]) / Σⱼ exp(x[i, j]) over the first n columns, shifted by the row's maximum"""
    e = np.exp(x[:, :n] - x[:, :n].max(axis=1, keepdims=True))
    out[:, :n] = e / e.sum(axis=1, keepdims=True)


def softmax_cross_entropy(loss, correct, dx, x, labels, loss_weight, n):
    """loss = log Σⱼ exp(xⱼ) − x[label], dx = loss_weight · (softmax(x) − onehot(label)); correct: argmax = label"""
    softmax_cross_entropy_value(loss, correct, x, labels, n)
    rows = np.arange(len(x))
    softmax_forward(dx, x, n)
    dx[:, n:] = 0
    dx[rows, labels] -= 1
    dx[:, :n] *= loss_weight[:, None]


def softmax_cross_entropy_value(loss, correct, x, labels, n):
    """loss and correct of `softmax_cross_entropy`"""
    x, rows = x[:, :n], np.arange(len(x))
    largest = x.max(axis=1)
    loss[:] = np.log(np.exp(x - largest[:, None]).sum(axis=1)) + (largest - x[rows, labels])
    correct[:] = (x.argmax(axis=1) == labels) & ~np.isnan(x).any(axis=1)
