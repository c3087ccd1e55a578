"""Reference of dropout and of its random numbers."""

import numpy as np

__all__ = ["dropout_backward", "dropout_forward"]

LOW = np.uint64(2**32 - 1)
WORD = np.uint64(32)


def _philox(a, b, key):
    """Seven rounds of Philox 2×32 on two words and a key of 32 bits each"""
    for _ in range(7):
        product = a * np.uint64(0xD256D193)
        a, b, key = (product >> WORD) ^ key ^ b, product & LOW, (key + np.uint64(0x9E3779B9)) & LOW
    return a, b


def dropout_forward(out, mask, x, key, cursor, stream, n, scalars, offset=0):
    """mask = 1/keep where a number of (key, stream, step, sample, column) is below keep, else 0;  out = x · mask"""
    a, b = _philox(key[:1] & LOW, key[:1] >> WORD, key[1:2] & LOW)
    a, b = _philox(a ^ np.uint64(stream), b ^ np.uint64(cursor[1]), key[1:2] >> WORD)
    samples = np.arange(cursor[0] + offset, cursor[0] + offset + len(x), dtype=np.uint64)
    c, d = _philox(samples[:, None] & LOW, a, b)
    columns = np.arange(n, dtype=np.uint64)
    second = columns // np.uint64(16) % np.uint64(2)  # two words a call, for columns j and j + 16 of every 32
    words = np.where(second == 1, *_philox(columns - second * np.uint64(16), c, d)[::-1])
    mask[:, :n] = np.where((words >> np.uint64(8)) * 2.0**-24 < scalars[0], 1 / scalars[0], 0)
    out[:, :n] = x[:, :n] * mask[:, :n]


def dropout_backward(dx, dout, mask, n):
    """dx = dout · mask"""
    dx[:, :n] = dout[:, :n] * mask[:, :n]
