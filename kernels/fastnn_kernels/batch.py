"""What feeds a training step: which samples come next, their rows gathered, the step's loss recorded.

`cursor` counts what is already done: (samples of this epoch, steps of this epoch, steps of this call), int64; and, of
an epoch whose samples come in several arrays, the samples of those before the one at hand.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT

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

    indices : (B,) int64, cursor[0] − cursor[3] + B ≤ count ≤ 2³²
    key     : (2·ROUNDS,) uint64; fresh ones for every epoch

    A bijection of the next power of two, applied again until it falls below `count` (cycle walking:
    fewer than 2 times on average), is a bijection of range(count): no array of the order exists,
    and any place of any epoch can be resumed.
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

    indices : (B,) int64
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
    """cursor[:3] += (B, 1, 1), where B is the number of indices: the last row of a step that records no loss"""
    _advance(cursor, indices.shape[0])


@kernel
def select_rates(scalars, table, cursor):
    """scalars = table[step of this call]: what schedules and bias corrections say of this step

    scalars : (r,)    table : (steps of a call, r)
    """
    for j in range(scalars.shape[0]):
        scalars[j] = table[cursor[2], j]


@kernel(work=lambda out, source, indices: ELEMENT * indices.size * source.shape[1], per_sample=True)
def gather_rows(out, source, indices):
    """out[i, :C] = source[indices[i]], cast to out's dtype

    out : (B, ≥ C)    source : (N, C), any integer or float dtype    indices : (B,) in [0, N)
    """
    for i in prange(indices.shape[0]):
        row = indices[i]
        for j in range(source.shape[1]):
            out[i, j] = source[row, j]


@kernel(per_sample=True)
def gather_values(out, source, indices):
    """out[i] = source[indices[i]], cast to out's dtype: labels, weights

    out : (B,)    source : (N,)    indices : (B,) in [0, N)
    """
    for i in range(indices.shape[0]):
        out[i] = source[indices[i]]


@kernel
def normalise_weights(weight, importance):
    """weight[i] = importance[i] / Σ importance, summed in float64 in ascending i; 0 if all are 0

    weight, importance : (B,)
    """
    total = 0.0
    for i in range(importance.shape[0]):
        total += np.float64(importance[i])
    share = 1.0 / total if total != 0 else 0.0
    for i in range(importance.shape[0]):
        weight[i] = np.float64(importance[i]) * share


@kernel(outputs=3)
def record_step(losses, sums, cursor, loss, correct, importance, weight):
    """losses[step] += Σᵢ weight[i] · loss[i];  sums[step] = (Σ share·loss, Σ share·correct, Σ share, penalties)

    where share = importance
    losses : (steps of a walk,) float64, where the step's penalties stand already
    sums   : (steps of a walk, 4) float64    cursor : (4,) int64, moves on
    loss, correct, importance, weight : (B,)

    Summed in float64 in ascending i: an epoch adds up hundreds of thousands of samples.
    """
    step = cursor[1]
    sums[step, 3] = losses[step]
    step_loss = total = hits = count = 0.0
    for i in range(loss.shape[0]):
        share = np.float64(importance[i])
        step_loss += np.float64(weight[i]) * np.float64(loss[i])
        total += share * np.float64(loss[i])
        hits += share * np.float64(correct[i])
        count += share
    losses[step] += step_loss
    sums[step, 0] = total
    sums[step, 1] = hits
    sums[step, 2] = count
    _advance(cursor, loss.shape[0])
