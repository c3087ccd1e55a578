"""Softmax alone, for predictions, and fused with the cross-entropy on integer labels and its gradient."""

from numba import prange

from fastnn_kernels._jit import always_inline, inline, kernel
from fastnn_kernels._lanes.lanes import LANES, spread
from fastnn_kernels._lanes.lanes import total as total_of
from fastnn_kernels._lanes.memory import load, load_first
from fastnn_kernels._lanes.sums import first_position, row_max, row_sum
from fastnn_kernels._math.elementary import exp_nonpositive, log, stored_exp_nonpositive
from fastnn_kernels._memory.scratch import SCRATCH, scratch_row
from fastnn_kernels._tuning import TRANSCENDENTAL

__all__ = ["softmax_cross_entropy", "softmax_cross_entropy_value", "softmax_forward"]


@inline
def _exponentials(out, x, i, n):
    """out[i, :n] = exp(x[i, :n] − max); returns the maximum and the sum. NaN anywhere makes the sum NaN."""
    largest = row_max(x, i, n)
    for j in range(n):
        out[i, j] = exp_nonpositive(x[i, j] - largest)
    return largest, row_sum(out, i, n)


@inline
def _is_first_max(x, i, label, largest):
    """Whether `label` is the argmax of row i, the first of equals."""
    return x[i, label] == largest and first_position(x, i, label, largest) == label


@kernel(work=lambda out, x, n: TRANSCENDENTAL * out.size, per_sample=True, cut=("out", "x"))
def softmax_forward(out, x, n):
    """out[i, j] = exp(x[i, j]) / Σⱼ exp(x[i, j]) over the first n columns

    out, x : (B, ≥ n), n ≥ 1; columns from n on stay
    """
    for i in prange(out.shape[0]):
        _, total = _exponentials(out, x, i, n)
        for j in range(n):
            out[i, j] /= total


@inline
def _narrow_cross_entropy(loss, correct, dx, x, labels, loss_weight, n):
    """`softmax_cross_entropy` for few columns, where a row leaves most of a vector register empty.

    Exponentials run over whole rows, padding included. Logarithms run along the batch.
    """
    for i in range(x.shape[0]):
        largest = row_max(x, i, n)
        loss[i] = largest - x[i, labels[i]]
        correct[i] = type(largest)(1) if _is_first_max(x, i, labels[i], largest) else type(largest)(-1)
        for j in range(n):
            dx[i, j] = x[i, j] - largest
    flat = dx.reshape(-1)
    for e in range(flat.shape[0]):
        flat[e] = exp_nonpositive(flat[e])
    for i in range(x.shape[0]):
        correct[i] *= row_sum(dx, i, n)
        scale = loss_weight[i] / abs(correct[i])
        for j in range(dx.shape[1]):
            dx[i, j] = dx[i, j] * scale if j < n else type(scale)(0)
        dx[i, labels[i]] -= loss_weight[i]
    for i in range(x.shape[0]):
        total = abs(correct[i])
        loss[i] = log(total) + loss[i]
        correct[i] = type(total)(1) if correct[i] > 0 else type(total)(0)


@kernel(
    work=lambda loss, correct, dx, x, *rest: TRANSCENDENTAL * x.size,
    outputs=3,
    per_sample=True,
    cut=("loss", "correct", "dx", "x", "labels", "loss_weight"),
)
def softmax_cross_entropy(loss, correct, dx, x, labels, loss_weight, n):
    """loss[i] = log Σⱼ exp(x[i, j]) − x[i, labels[i]];  dx[i] = loss_weight[i] · (softmax(x[i]) − onehot(labels[i]))

    loss        : (B,)      cross-entropy of each sample, in nats, unweighted
    correct     : (B,)      1 if the label is the argmax of the row (the first of equals), else 0; 0 if the row has NaN
    dx          : (B, ≥ n)  gradient of Σᵢ loss_weight[i] · loss[i]; columns from n on become 0
    x           : (B, ≥ n)  scores, n ≥ 1
    labels      : (B,)      integers in [0, n), checked by the caller
    loss_weight : (B,)      already holds any division: 1/B for the mean of a batch
    """
    if n < LANES:
        _narrow_cross_entropy(loss, correct, dx, x, labels, loss_weight, n)
        return
    for i in prange(x.shape[0]):
        label = labels[i]
        largest, total = _exponentials(dx, x, i, n)
        loss[i] = log(total) + (largest - x[i, label])
        correct[i] = total == total and _is_first_max(x, i, label, largest)  # total: NaN if any score is
        scale = loss_weight[i] / total
        for j in range(n):
            dx[i, j] *= scale
        dx[i, label] -= loss_weight[i]
        for j in range(n, dx.shape[1]):
            dx[i, j] = 0


@always_inline
def _shifted_exponentials(terms, x, largest):
    """terms[0, :len(x)] = exp(x − largest)"""
    for j in range(x.shape[0]):
        terms[0, j] = stored_exp_nonpositive(x[j] - largest)


@always_inline
def _sum_of_exponentials(x, i, n, largest):
    """The sum that `_exponentials` returns, bit for bit, of exponentials that are nowhere kept: SCRATCH at a time."""
    terms, zero = scratch_row(largest), type(largest)(0)
    even = odd = spread(zero)
    whole = n - n % (2 * LANES)
    for first in range(0, n, SCRATCH):  # SCRATCH is whole pairs of lanes, so these stay the lanes of a row
        last = min(n, first + SCRATCH)
        _shifted_exponentials(terms, x[i, first:last], largest)
        end = min(whole, last) - first
        for j in range(0, end, 2 * LANES):
            even = even + load(terms, 0, j)
            odd = odd + load(terms, 0, j + LANES)
        if last > whole:
            count = min(n - whole, LANES)
            even = even + load_first(terms, 0, end, count, zero)
            odd = odd + load_first(terms, 0, end + count, n - whole - count, zero)
    return total_of(even + odd)


@kernel(
    work=lambda loss, correct, x, *rest: TRANSCENDENTAL * x.size,
    outputs=2,
    per_sample=True,
    cut=("loss", "correct", "x", "labels"),
)
def softmax_cross_entropy_value(loss, correct, x, labels, n):
    """`softmax_cross_entropy` without the gradient, with the same bits of loss and correct.

    loss, correct, x, labels : as for `softmax_cross_entropy`

    For evaluations: the gradient of 64 samples by 50,000 scores would be 13 MB.
    """
    for i in prange(x.shape[0]):
        largest = row_max(x, i, n)
        total = _sum_of_exponentials(x, i, n, largest)
        loss[i] = log(total) + (largest - x[i, labels[i]])
        correct[i] = total == total and _is_first_max(x, i, labels[i], largest)
