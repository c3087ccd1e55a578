"""Reference of the losses of narrow nets against numbers: those of `losses`, block by block."""

import numpy as np

from fastnn_kernels.reference.losses import binary_cross_entropy, huber, mae, mse, poisson
from fastnn_kernels.reference.narrow import blocks_of

__all__ = ["narrow_binary_cross_entropy", "narrow_huber", "narrow_mae", "narrow_mse", "narrow_poisson"]


def _in_blocks(of_rows, loss, correct, gradients, values, target, loss_weight, scalars, at, n):
    """`of_rows` of rows at to at + n; the gradient in rows 0 to n, 0 behind the last sample"""
    blocks = (blocks_of(array, len(loss)) for array in (values, gradients, target))
    for (block, own), (dblock, _), (aims, _) in zip(*blocks, strict=True):
        x, t = (np.ascontiguousarray(part[:, : len(own)].T) for part in (block[at : at + n], aims[:n]))
        dx, parts = np.zeros_like(x), np.zeros((2, len(own)))
        of_rows(*parts, dx, x, t, loss_weight[own], *scalars, n)
        loss[own], correct[own] = parts
        dblock[:n] = 0
        dblock[:n, : len(own)] = dx.T


def narrow_binary_cross_entropy(loss, correct, gradients, values, target, loss_weight, at, n):
    """loss = mean of log(1 + exp(x)) − t·x, dx = loss_weight / n · (sigmoid(x) − t)"""
    _in_blocks(binary_cross_entropy, loss, correct, gradients, values, target, loss_weight, [], at, n)


def narrow_huber(loss, correct, gradients, values, target, loss_weight, scalars, at, n):
    """loss = mean of (½ d² where |d| ≤ δ, else δ · (|d| − ½ δ)), d = x − t; dx = loss_weight / n · (d, within ±δ)"""
    _in_blocks(huber, loss, correct, gradients, values, target, loss_weight, [scalars], at, n)


def narrow_mae(loss, correct, gradients, values, target, loss_weight, at, n):
    """loss = mean of |d|, dx = loss_weight / n · sign(d), where d = x − t"""
    _in_blocks(mae, loss, correct, gradients, values, target, loss_weight, [], at, n)


def narrow_mse(loss, correct, gradients, values, target, loss_weight, scalars, at, n):
    """loss = scale · mean of d², dx = loss_weight · 2 · scale / n · d, where d = x − t"""
    _in_blocks(mse, loss, correct, gradients, values, target, loss_weight, [scalars], at, n)


def narrow_poisson(loss, correct, gradients, values, target, loss_weight, at, n):
    """loss = mean of exp(x) − t + t · (log t − x), t log t = 0 at 0; dx = loss_weight / n · (exp(x) − t)"""
    _in_blocks(poisson, loss, correct, gradients, values, target, loss_weight, [], at, n)
