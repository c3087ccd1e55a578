"""Reference of steps of several narrow nets at once: one net after the other."""

import numpy as np

from fastnn_kernels.reference.narrow import backward_block, forward_block, weights_of
from fastnn_kernels.reference.softmax import softmax_cross_entropy

__all__ = ["narrow_many"]


def narrow_many(
    record, parameters, gradients, sums, loss, correct, values, d,
    rates, l2, x, labels, loss_weight, chains, places, geometry,
):  # fmt: skip
    """All samples forward and backward, w −= lr · (dw + λ · w) for weights, lr · dw for biases

    Working memory is 0 in the end.
    """
    nets = rates.shape[1]
    for work in gradients, sums, values, d:
        work[:] = 0
    for net in range(nets):
        for step, lr in enumerate(rates[:, net]):
            own = parameters[:, net].copy()
            figures = _step(own, lr, l2[:, net], x, labels, loss_weight, places, geometry)
            record[step, net::nets], loss[:, net], correct[:, net] = figures
            parameters[:, net] = own


def _step(parameters, lr, l2, x, labels, loss_weight, places, geometry):
    inputs, last = geometry[0, 0], geometry[-1]
    units, y, dy = last[[1, 8, 9]]
    rows = int(geometry[:, [7, 8]].max() + geometry[:, 1].max()) + 1
    block, dblock, dw = np.zeros((rows, len(x))), np.zeros((2 * rows + 2, len(x))), np.zeros_like(parameters)
    block[:inputs], block[inputs] = x.T, 1
    forward_block(block, parameters, geometry)
    each, right, down = np.zeros(len(x)), np.zeros(len(x)), np.zeros((len(x), units))
    softmax_cross_entropy(each, right, down, block[y : y + units].T, labels, loss_weight, units)
    dblock[dy : dy + units] = down.T
    backward_block(dw, dblock, block, parameters, geometry)
    penalties = 0.0
    for layer, strength in zip(geometry, l2, strict=True):
        w, g = weights_of(parameters, layer)[:, : layer[1]], weights_of(dw, layer)[:, : layer[1]]
        penalties += 0.5 * strength * (w[: layer[0]] ** 2).sum()
        g[: layer[0]] += strength * w[: layer[0]]
        w -= lr * g
    figures = penalties + (loss_weight * each).sum(), each.sum(), right.sum(), penalties
    return figures, each, right
