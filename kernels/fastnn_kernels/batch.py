"""The first and the last operations of a training step: choose the samples, gather their rows, record the loss.

`cursor` is (4,) int64 in every kernel that has one:

    cursor[0]  samples of this epoch that are already used
    cursor[1]  steps of this epoch that are already done: the number of the current step
    cursor[2]  steps of this call that are already done
    cursor[3]  samples of this epoch that came from earlier arrays, if an epoch's samples come in several arrays
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._memory.prefetch import prefetch_row
from fastnn_kernels._tuning import ELEMENT

__all__ = [
    "add_scaled",
    "advance_cursor",
    "gather_ids",
    "gather_labels",
    "gather_rows",
    "gather_values",
    "normalise_weights",
    "permuted_indices",
    "record_step",
    "scale_values",
    "select_scalars",
    "sequential_indices",
]

ROUNDS = 5  # with 3, sets of 3 or 5 samples fail the uniformity tests clearly; with 4 a trace was left at 16


@inline
def _mix(value, key, bits):
    """A keyed bijection of the integers below 2^bits: add, multiply by an odd number, fold, ROUNDS times.

    Each step can be undone modulo 2^bits, so distinct values stay distinct. bits ≤ 32, so that no
    product exceeds 64 bits.
    """
    one = np.uint64(1)
    mask = (one << bits) - one
    half = (bits + one) // np.uint64(2)
    for r in range(ROUNDS):
        value = (value + (key[2 * r] & mask)) & mask
        value = (value * ((key[2 * r + 1] | one) & mask)) & mask
        value ^= value >> half
    return value


@kernel
def permuted_indices(indices, cursor, key, count):
    """indices[i] = π(cursor[0] − cursor[3] + i), where π is a permutation of range(count) that `key` chooses

    indices : (B,) int64
    cursor  : (4,) int64, cursor[0] − cursor[3] + B ≤ count ≤ 2³²
    key     : (2·ROUNDS,) uint64; fresh ones for every epoch

    A bijection of the next power of two, applied again until the result is below `count` (cycle walking:
    fewer than 2 times on average), is a bijection of range(count). The order is stored nowhere, so an epoch
    can be resumed at any sample.
    """
    bits = np.uint64(0)
    while (np.int64(1) << np.int64(bits)) < count:
        bits += np.uint64(1)
    for i in range(indices.shape[0]):
        value = _mix(np.uint64(cursor[0] - cursor[3] + i), key, bits)
        while value >= np.uint64(count):
            value = _mix(value, key, bits)
        indices[i] = np.int64(value)


@kernel
def sequential_indices(indices, cursor):
    """indices[i] = cursor[0] − cursor[3] + i

    indices : (B,) int64    cursor : (4,) int64
    """
    for i in range(indices.shape[0]):
        indices[i] = cursor[0] - cursor[3] + i


@inline
def _advance(cursor, batch):
    cursor[0] += batch
    cursor[1] += 1
    cursor[2] += 1


@kernel
def advance_cursor(cursor, indices):
    """cursor[:3] += (B, 1, 1)

    cursor : (4,) int64    indices : (B,)

    The last operation of a step that records no loss; `record_step` does the same.
    """
    _advance(cursor, indices.shape[0])


@kernel
def select_scalars(scalars, table, cursor):
    """scalars = table[cursor[2]]: the row of the current step

    scalars : (r,)    table : (steps of a call, r)    cursor : (4,) int64

    The table holds learning rates by schedule and Adam's bias corrections, computed in float64 before the call.
    """
    for j in range(scalars.shape[0]):
        scalars[j] = table[cursor[2], j]


@kernel(
    work=lambda out, source, indices: ELEMENT * indices.size * source.shape[1], per_sample=True, cut=("out", "indices")
)
def gather_rows(out, source, indices):
    """out[i, :C] = source[indices[i]], cast to out's dtype

    out : (B, ≥ C)    source : (N, C), any integer or float dtype    indices : (B,) in [0, N)
    """
    for i in prange(indices.shape[0]):
        row = indices[i]
        if i + 1 < indices.shape[0]:
            prefetch_row(source, indices[i + 1])
        for j in range(source.shape[1]):
            out[i, j] = source[row, j]


@kernel(per_sample=True, cut=("out", "indices"))
def gather_values(out, source, indices):
    """out[i] = source[indices[i]], cast to out's dtype; gathers sample weights

    out : (B,)    source : (N,)    indices : (B,) in [0, N)
    """
    for i in range(indices.shape[0]):
        out[i] = source[indices[i]]


@inline
def _inside(value, count):
    """The nearest id in [0, count)"""
    return min(max(value, np.int64(0)), np.int64(count - 1))


@kernel(
    work=lambda out, wrong, source, indices, count: ELEMENT * indices.size * source.shape[1],
    outputs=2,
    per_sample=True,
    cut=("out", "wrong", "indices"),
)
def gather_ids(out, wrong, source, indices, count):
    """out[i, :C] = source[indices[i]]; an id out of range becomes the nearest, and wrong[i] becomes 1

    out : (B, ≥ C) integers    wrong : (B,) int32, 1 stays 1    source : (N, C), any integer dtype
    indices : (B,) in [0, N)    count : of the ids, which are in [0, count), checked by the caller

    But a caller may write to the array that he gave while kernels run, and an id is an index: one out of range would
    be a segmentation fault. So what is gathered is in range, and whoever ran the kernel looks at `wrong`.
    """
    for i in prange(indices.shape[0]):
        row = indices[i]
        for j in range(source.shape[1]):
            value = np.int64(source[row, j])
            out[i, j] = _inside(value, count)
            wrong[i] |= value != _inside(value, count)


@kernel(outputs=2, per_sample=True, cut=("out", "wrong", "indices"))
def gather_labels(out, wrong, source, indices, count):
    """out[i] = source[indices[i]], as `gather_ids` does it

    out : (B,) integers    source : (N,)    wrong, indices, count : as there
    """
    for i in range(indices.shape[0]):
        value = np.int64(source[indices[i]])
        out[i] = _inside(value, count)
        wrong[i] |= value != _inside(value, count)


@kernel
def normalise_weights(loss_weight, sample_weight):
    """loss_weight[i] = sample_weight[i] / Σ sample_weight, summed in float64 in ascending i; 0 if all are 0

    loss_weight, sample_weight : (B,)
    """
    total = 0.0
    for i in range(sample_weight.shape[0]):
        total += np.float64(sample_weight[i])
    scale = 1.0 / total if total != 0 else 0.0
    for i in range(sample_weight.shape[0]):
        loss_weight[i] = np.float64(sample_weight[i]) * scale


@kernel(per_sample=True, cut=("out", "values"))
def scale_values(out, values, scalars):
    """out[i] = scalars[0] · values[i]

    out, values : (B,)    scalars : (1,)
    """
    for i in range(out.shape[0]):
        out[i] = scalars[0] * values[i]


@kernel(per_sample=True, cut=("out", "a", "b"))
def add_scaled(out, a, b, scalars):
    """out[i] = a[i] + scalars[0] · b[i]; adds up the losses of several outputs

    out, a, b : (B,)    scalars : (1,)
    """
    for i in range(out.shape[0]):
        out[i] = a[i] + scalars[0] * b[i]


@kernel(outputs=3)
def record_step(losses, sums, cursor, loss, correct, sample_weight, loss_weight):
    """Record the loss and the metrics of a step, then advance the cursor by that step.

    losses[step] += Σ loss_weight · loss
    sums[step]    = (Σ sample_weight · loss, Σ sample_weight · correct, Σ sample_weight, penalties)

    Sums run over the samples of the batch, in float64 in ascending order: an epoch adds up hundreds of thousands.
    step = cursor[1]. `penalties` is what losses[step] was before: `penalty_l1` and `penalty_l2` run earlier in a step.

    losses : (steps of an epoch,) float64    sums : (steps of an epoch, 4) float64    cursor : (4,) int64
    loss, correct, sample_weight, loss_weight : (B,); loss_weight already holds any division, by B or Σ sample_weight
    """
    step = cursor[1]
    sums[step, 3] = losses[step]
    step_loss = total = hits = count = 0.0
    for i in range(loss.shape[0]):
        w = np.float64(sample_weight[i])
        step_loss += np.float64(loss_weight[i]) * np.float64(loss[i])
        total += w * np.float64(loss[i])
        hits += w * np.float64(correct[i])
        count += w
    losses[step] += step_loss
    sums[step, 0] = total
    sums[step, 1] = hits
    sums[step, 2] = count
    _advance(cursor, loss.shape[0])
