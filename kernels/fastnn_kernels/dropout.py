"""Dropout, with counter-based random numbers: a function of key, layer, step, sample and column.

The function is Philox 2×32 with seven rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
3", 2011, sections 4.3 and 5: the fewest rounds that pass BigCrush; ten are their default, for a margin).
No number depends on an earlier one. So the numbers are the same for any number of threads, for any order of the
work, and after a run is resumed in the middle of an epoch.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.lanes import LANES
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL

__all__ = ["dropout_backward", "dropout_forward"]

ROUNDS = 7
MULTIPLIER = np.uint64(0xD256D193)
WEYL = np.uint64(0x9E3779B9)
LOW = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)


@inline
def _philox(a, b, key):
    """Two words of 32 bits from two words and a key of 32 bits, each in a uint64: no product exceeds 64 bits."""
    for _ in range(ROUNDS):
        product = a * MULTIPLIER
        a, b = (product >> WORD) ^ key ^ b, product & LOW
        key = (key + WEYL) & LOW
    return a, b


@inline
def _step_words(key, cursor, stream):
    """Two words of 32 bits that are a function of key, stream and step."""
    a, b = _philox(key[0] & LOW, key[0] >> WORD, key[1] & LOW)
    return _philox(a ^ (np.uint64(stream) & LOW), b ^ (np.uint64(cursor[1]) & LOW), key[1] >> WORD)


@inline
def _factor(word, keep):
    """1/keep if the number in [0, 1) that the upper 24 bits of `word` make is below keep, else 0"""
    # Through int32: few processors convert 64-bit integers to floats in vector registers.
    number = type(keep)(np.int32(word >> np.uint64(8))) * type(keep)(2**-24)
    return type(keep)(1) / keep if number < keep else type(keep)(0)


@kernel(
    work=lambda out, mask, x, key, cursor, stream, n, scalars, offset=0: TRANSCENDENTAL * out.size,
    outputs=2,
    per_sample=True,
    cut=("out", "mask", "x"),
)
def dropout_forward(out, mask, x, key, cursor, stream, n, scalars, offset=0):
    """mask[i, j] = 1/keep with probability keep, else 0;  out = x · mask, over the first n columns

    out, mask, x : (B, ≥ n); columns from n on stay
    key          : (≥ 2,) uint64; fresh ones for every epoch
    cursor       : (4,) int64, as `batch` explains
    stream       : number of the layer that draws; numbers of different streams are independent
    scalars      : (keep,), 0 < keep ≤ 1
    offset       : number of row 0 in the batch

    Columns j and j + LANES of every 2·LANES share a call of Philox, which gives two words.
    The random number at row i and column j is a function of (key, stream, cursor[1], cursor[0] + offset + i, j),
    and of the last 32 bits of each of the last four. It has 24 bits, so float32 and float64 draw the same mask.
    """
    keep, pair = scalars[0], 2 * LANES
    a, b = _step_words(key, cursor, stream)
    for i in prange(out.shape[0]):
        c, d = _philox((np.uint64(cursor[0]) + np.uint64(offset) + np.uint64(i)) & LOW, a, b)
        for first in range(0, n - n % pair, pair):
            for j in range(first, first + LANES):
                near, far = _philox(np.uint64(j), c, d)
                mask[i, j], mask[i, j + LANES] = _factor(near, keep), _factor(far, keep)
        for j in range(n - n % pair, min(n, n - n % pair + LANES)):
            near, far = _philox(np.uint64(j), c, d)
            mask[i, j] = _factor(near, keep)
            if j + LANES < n:
                mask[i, j + LANES] = _factor(far, keep)
        for j in range(n):
            out[i, j] = x[i, j] * mask[i, j]


@kernel(work=lambda dx, dout, mask, n: ELEMENT * dx.size, per_sample=True, cut=("dx", "dout", "mask"))
def dropout_backward(dx, dout, mask, n):
    """dx = dout · mask

    dx, dout, mask : (B, ≥ n); columns from n on stay
    """
    for i in prange(dx.shape[0]):
        for j in range(n):
            dx[i, j] = dout[i, j] * mask[i, j]
