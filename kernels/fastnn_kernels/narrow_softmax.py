"""The loss of narrow nets: softmax and cross-entropy of few scores, with samples side by side (`_narrow.layout`)."""

from numba import prange

from fastnn_kernels._jit import always_inline, kernel
from fastnn_kernels._math.elementary import exp_minus_abs, log_from_one, rounded_product, stored_exp_nonpositive
from fastnn_kernels._narrow.layout import block_of, fill
from fastnn_kernels._tuning import BLOCK, TRANSCENDENTAL

__all__ = ["narrow_cross_entropy"]


@always_inline
def _first_row(largest, choice, own, x):
    """The start of `_next_row`."""
    for s in range(own.shape[0]):
        largest[s] = x[s]
        own[s] = x[s]
        choice[s] = 0


@always_inline
def _next_row(largest, choice, own, x, j, labels):
    """Score j: largest = the largest so far, NaN ignored; choice = its number, the first of equals; own = the label's

    NaN in the first row stays, and any other makes the sum of the exponentials NaN.
    """
    # What may be chosen is read first: a read that only some samples need is a branch, and then the loop runs sample by
    # sample. For the same reason number and label have the types of what they replace or meet. With this here and in
    # `_column_cross_entropy` a step of 4-32-16-4 on 10,000 samples takes 438 instead of 483 us (two cores, AVX-512).
    # With AVX2 code the kernel takes as long as before.
    number, label = type(choice[0])(j), type(labels[0])(j)
    for s in range(own.shape[0]):
        score, most, chosen = x[s], largest[s], choice[s]
        larger = score > most
        largest[s] = score if larger else most
        choice[s] = number if larger else chosen
    for s in range(own.shape[0]):
        score, mine = x[s], own[s]
        own[s] = score if labels[s] == label else mine


@always_inline
def _exponentials(d, total, x, largest):
    """d = exp(x − largest), total = the sum of each column"""
    for j in range(x.shape[0]):
        row, own = x[j], d[j]
        for s in range(total.shape[0]):
            own[s] = stored_exp_nonpositive(row[s] - largest[s])
        for s in range(total.shape[0]):
            total[s] = own[s] if j == 0 else total[s] + own[s]


@always_inline
def _column_cross_entropy(loss, correct, d, x, labels, loss_weight):
    """`narrow_cross_entropy` of one block: d (≥ n + 2, width), x (n, width), the others (samples,)"""
    n, samples = x.shape[0], loss.shape[0]
    zero, one = type(loss[0])(0), type(loss[0])(1)
    largest, total = d[n, :samples], d[n + 1, :samples]
    _first_row(largest, correct, loss, x[0])
    for j in range(1, n):
        _next_row(largest, correct, loss, x[j], j, labels)
    _exponentials(d, total, x, largest)
    for s in range(samples):
        loss[s] = log_from_one(total[s]) + (largest[s] - loss[s])
        right = correct[s] == type(correct[0])(labels[s]) and total[s] == total[s]
        correct[s] = one if right else zero
        total[s] = loss_weight[s] / total[s]
    for j in range(n):
        own, label = d[j], type(labels[0])(j)
        for s in range(samples):
            weight = loss_weight[s]
            own[s] = rounded_product(own[s], total[s]) - (weight if labels[s] == label else zero)
        fill(own, samples, 0)


@always_inline
def _two_cross_entropy(loss, correct, d, x, labels, loss_weight):
    """`_column_cross_entropy` of two scores in one pass, with the same bits: of the exponentials the larger one is 1

    Samples take .7 of the time (Zen 3). `top` is NaN, as exp(largest − largest) is, where the largest score is NaN or
    infinite.
    """
    samples, first, second = loss.shape[0], x[0], x[1]
    zero, one = type(loss[0])(0), type(loss[0])(1)
    for s in range(samples):
        a, b, weight = first[s], second[s], loss_weight[s]
        is_first, larger = labels[s] == type(labels[0])(0), b > a
        largest = b if larger else a
        top, other = one + (largest - largest), exp_minus_abs(a - b)
        total = top + other
        loss[s] = log_from_one(total) + (largest - (a if is_first else b))
        correct[s] = one if is_first != larger and total == total else zero
        scale = weight / total
        d[0, s] = rounded_product(other if larger else top, scale) - (weight if is_first else zero)
        d[1, s] = rounded_product(top if larger else other, scale) - (zero if is_first else weight)
    fill(d[0], samples, 0)
    fill(d[1], samples, 0)


@kernel(
    work=lambda loss, correct, gradients, values, labels, loss_weight, at, n: TRANSCENDENTAL * n * loss.size, outputs=3
)
def narrow_cross_entropy(loss, correct, gradients, values, labels, loss_weight, at, n):
    """`softmax_cross_entropy` of few scores, with samples side by side; three scores or more are added in another order

    loss, correct, labels, loss_weight : (B,), as there
    gradients : (blocks, rows · BLOCK), in blocks: that of score j in row j; unless n is 2, rows n and n + 1 are
                overwritten, too
    values    : (blocks, rows · BLOCK), in blocks: score j in row at + j
    at, n     : the row of the first score; their number, 1 ≤ n < NARROW
    """
    for b in prange(values.shape[0]):
        block, dblock = block_of(values, b, labels.shape[0]), block_of(gradients, b, labels.shape[0])
        own = slice(b * BLOCK, b * BLOCK + BLOCK)
        given = dblock, block[at : at + n], labels[own], loss_weight[own]
        if n == 2:
            _two_cross_entropy(loss[own], correct[own], *given)
        else:
            _column_cross_entropy(loss[own], correct[own], *given)
