"""Dropout, with random numbers that are a function of place and time, not of what was drawn before.

A number is Philox 2×32 with ten rounds (Salmon, Moraes, Dror and Shaw, 2011, section 4.3; it passes BigCrush)
of where it is used, so that any thread, in any order, in a run resumed in the middle, draws the same.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL

ROUNDS = 10
MULTIPLIER = np.uint64(0xD256D193)
WEYL = np.uint64(0x9E3779B9)
LOW = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)


@inline
def _philox(a, b, key):
    """Two words of 32 bits from two and a key, each in a uint64: no product exceeds 64 bits, so nothing wraps."""
    for _ in range(ROUNDS):
        product = a * MULTIPLIER
        a, b = (product >> WORD) ^ key ^ b, product & LOW
        key = (key + WEYL) & LOW
    return a, b


@inline
def _step_words(key, cursor, stream):
    """The two words that stand for the key, the stream and the step."""
    a, b = _philox(key[0] & LOW, key[0] >> WORD, key[1] & LOW)
    return _philox(a ^ (np.uint64(stream) & LOW), b ^ (np.uint64(cursor[1]) & LOW), key[1] >> WORD)


@kernel(
    work=lambda out, mask, x, key, cursor, stream, n, scalars, first=0: 2 * TRANSCENDENTAL * out.size,
    outputs=2,
    per_sample=True,
)
def dropout_forward(out, mask, x, key, cursor, stream, n, scalars, first=0):
    """mask[i, j] = 1/keep with probability keep, else 0;  out = x · mask, over the first n columns

    out, mask, x : (B, ≥ n); columns from n on stay
    key          : (≥ 2,) uint64; fresh ones for every epoch
    cursor       : (2,) int64, samples and steps of this epoch already used
    stream       : which layer draws; numbers of different streams are independent
    scalars        : (keep,), 0 < keep ≤ 1
    first        : the place of row 0 in the batch

    The number at row i and column j depends on (key, stream, cursor[1], cursor[0] + first + i, j) and nothing
    else; of each of the last four on its last 32 bits. It has 24 bits, so float32 and float64 draw the
    same mask.
    """
    keep = scalars[0]
    scale, unit, shift = type(keep)(1) / keep, type(keep)(2**-24), np.uint64(8)
    a, b = _step_words(key, cursor, stream)
    for i in prange(out.shape[0]):
        c, d = _philox((np.uint64(cursor[0]) + np.uint64(first) + np.uint64(i)) & LOW, a, b)
        for j in range(n):
            word, _ = _philox(np.uint64(j), c, d)
            # Through int32: from 64-bit integers only few processors convert in vector registers.
            number = type(keep)(np.int32(word >> shift)) * unit
            mask[i, j] = scale if number < keep else type(keep)(0)
            out[i, j] = x[i, j] * mask[i, j]


@kernel(work=lambda dx, dout, mask, n: ELEMENT * dx.size, per_sample=True)
def dropout_backward(dx, dout, mask, n):
    """dx = dout · mask

    dx, dout, mask : (B, ≥ n); columns from n on stay
    """
    for i in prange(dx.shape[0]):
        for j in range(n):
            dx[i, j] = dout[i, j] * mask[i, j]
