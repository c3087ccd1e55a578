"""Reference of the loss of narrow nets."""

import numpy as np

from fastnn_kernels.reference.narrow import blocks_of
from fastnn_kernels.reference.softmax import softmax_cross_entropy

__all__ = ["narrow_cross_entropy"]


def narrow_cross_entropy(loss, correct, gradients, values, labels, loss_weight, at, n):
    """`softmax_cross_entropy` of rows at to at + n; the gradient in rows 0 to n, 0 behind the last sample

    Rows n and n + 1, unless n is 2: the largest score of each sample; its loss_weight, divided by the sum of
    exponentials.
    """
    for (block, own), (dblock, _) in zip(
        blocks_of(values, len(labels)), blocks_of(gradients, len(labels)), strict=True
    ):
        x = np.ascontiguousarray(block[at : at + n, : len(own)].T)
        dx, parts = np.zeros_like(x), np.zeros((2, len(own)))
        softmax_cross_entropy(*parts, dx, x, labels[own], loss_weight[own], n)
        loss[own], correct[own] = parts
        dblock[:n] = 0
        dblock[:n, : len(own)] = dx.T
        if n != 2:
            dblock[n, : len(own)] = largest = x.max(axis=1)
            dblock[n + 1, : len(own)] = loss_weight[own] / np.exp(x - largest[:, None]).sum(axis=1)
