"""Softmax, alone (for predictions) and fused with the cross-entropy on integer labels and its gradient."""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._math import exp, log
from fastnn_kernels._sums import row_sum
from fastnn_kernels._tuning import TRANSCENDENTAL


@inline
def _row_max(x, i, n):
    """The largest of x[i, :n]. Four chains: one alone waits for each comparison before the next."""
    m0 = m1 = m2 = m3 = x[i, 0]
    whole = n - n % 4
    for j in range(0, whole, 4):
        m0 = max(m0, x[i, j])
        m1 = max(m1, x[i, j + 1])
        m2 = max(m2, x[i, j + 2])
        m3 = max(m3, x[i, j + 3])
    for j in range(whole, n):
        m0 = max(m0, x[i, j])
    return max(max(m0, m1), max(m2, m3))


@inline
def _exponentials(out, x, i, n):
    """out[i, :n] = exp(x[i, :n] − max); returns the maximum and the sum. NaN anywhere makes the sum NaN."""
    largest = _row_max(x, i, n)
    for j in range(n):
        out[i, j] = exp(x[i, j] - largest)
    return largest, row_sum(out, i, n)


@inline
def _is_first_max(x, i, label, largest):
    """Whether `label` is the argmax of row i, the first one of equals."""
    if x[i, label] != largest:
        return False
    for j in range(label):
        if x[i, j] == largest:
            return False
    return True


@kernel(work=lambda out, x, n: TRANSCENDENTAL * out.size, samplewise=True)
def softmax_forward(out, x, n):
    """out[i, j] = exp(x[i, j]) / Σⱼ exp(x[i, j]) over the first n columns

    out, x : (B, ≥ n), n ≥ 1; columns from n on stay
    """
    for i in prange(out.shape[0]):
        _, total = _exponentials(out, x, i, n)
        for j in range(n):
            out[i, j] /= total


@kernel(work=lambda loss, correct, dx, x, labels, weight, n: TRANSCENDENTAL * x.size, outputs=3, samplewise=True)
def softmax_cross_entropy(loss, correct, dx, x, labels, weight, n):
    """loss[i] = log Σⱼ exp(x[i, j]) − x[i, labels[i]];  dx[i] = weight[i] · (softmax(x[i]) − onehot(labels[i]))

    loss    : (B,)      cross-entropy of each sample, in nats, unweighted
    correct : (B,)      1 where the label is the argmax of the row (the first of equals, NaN never), else 0
    dx      : (B, ≥ n)  gradient of Σᵢ weight[i] · loss[i]; columns from n on stay
    x       : (B, ≥ n)  scores, n ≥ 1
    labels  : (B,)      integers in [0, n), checked by the caller
    weight  : (B,)      1/B for the mean of a batch
    """
    for i in prange(x.shape[0]):
        label = labels[i]
        largest, total = _exponentials(dx, x, i, n)
        loss[i] = log(total) + (largest - x[i, label])
        correct[i] = total == total and _is_first_max(x, i, label, largest)  # total: NaN if any score is
        scale = weight[i] / total
        for j in range(n):
            dx[i, j] *= scale
        dx[i, label] -= weight[i]
