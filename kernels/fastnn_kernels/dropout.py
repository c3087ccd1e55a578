"""Dropout, with counter-based random numbers: a function of key, layer, step, sample and column.

The function is Philox 2×32 with ten rounds (Salmon, Moraes, Dror and Shaw, 2011, section 4.3; it passes BigCrush).
No number depends on an earlier one. So the numbers are the same for any number of threads, for any order of the
work, and after a run is resumed in the middle of an epoch.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL

__all__ = ["dropout_backward", "dropout_forward"]

ROUNDS = 10
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


@kernel(
    work=lambda out, mask, x, key, cursor, stream, n, scalars, offset=0: 2 * TRANSCENDENTAL * out.size,
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

    The random number at row i and column j is a function of (key, stream, cursor[1], cursor[0] + offset + i, j),
    and of the last 32 bits of each of the last four. It has 24 bits, so float32 and float64 draw the same mask.
    """
    keep = scalars[0]
    scale, unit, shift = type(keep)(1) / keep, type(keep)(2**-24), np.uint64(8)
    a, b = _step_words(key, cursor, stream)
    for i in prange(out.shape[0]):
        c, d = _philox((np.uint64(cursor[0]) + np.uint64(offset) + np.uint64(i)) & LOW, a, b)
        for j in range(n):
            word, _ = _philox(np.uint64(j), c, d)
            # Through int32: few processors convert 64-bit integers to floats in vector registers.
            number = type(keep)(np.int32(word >> shift)) * unit
            mask[i, j] = scale if number < keep else type(keep)(0)
            out[i, j] = x[i, j] * mask[i, j]


@kernel(work=lambda dx, dout, mask, n: ELEMENT * dx.size, per_sample=True, cut=("dx", "dout", "mask"))
def dropout_backward(dx, dout, mask, n):
    """dx = dout · mask

    dx, dout, mask : (B, ≥ n); columns from n on stay
    """
    for i in prange(dx.shape[0]):
        for j in range(n):
            dx[i, j] = dout[i, j] * mask[i, j]
