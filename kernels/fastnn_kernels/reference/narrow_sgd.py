"""Reference of SGD on a narrow net, one sample a step."""

import numpy as np

from fastnn_kernels.reference.batch import record_step
from fastnn_kernels.reference.narrow import backward_block, forward_block, weights_of
from fastnn_kernels.reference.softmax import softmax_cross_entropy

__all__ = ["narrow_sgd", "record_steps"]


def narrow_sgd(loss, correct, parameters, memory, x, labels, loss_weight, table, cursor, geometry):
    """For each sample: forward, softmax_cross_entropy, backward, w −= table[cursor[2] + s, 0] · dw"""
    inputs, units, y, dy = geometry[0, 0], *geometry[-1, [1, 8, 9]]
    block, dblock, dw = memory[:1].T, memory[1:].T, np.zeros_like(parameters)
    for s in range(len(x)):
        block[:inputs, 0], block[inputs] = x[s, :inputs], 1
        forward_block(block, parameters, geometry)
        one, scores = slice(s, s + 1), block[y : y + units].T
        d = dblock[dy : dy + units].T
        softmax_cross_entropy(loss[one], correct[one], d, scores, labels[one], loss_weight[one], units)
        backward_block(dw, dblock, block, parameters, geometry)
        for layer in geometry:
            weights_of(parameters, layer)[:, : layer[1]] -= (
                table[cursor[2] + s, 0] * weights_of(dw, layer)[:, : layer[1]]
            )


def record_steps(losses, sums, cursor, loss, correct, sample_weight, loss_weight):
    """record_step of each sample by itself"""
    for s in range(len(loss)):
        one = slice(s, s + 1)
        record_step(losses, sums, cursor, loss[one], correct[one], sample_weight[one], loss_weight[one])
