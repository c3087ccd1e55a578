"""Reference of the updates with state in bfloat16: those of `update` and `adaptive_update`, between two roundings."""

import numpy as np

from fastnn_kernels.reference.adaptive_update import (
    adagrad_update,
    adagrad_update_rows,
    adam_update,
    adamw_update,
    rmsprop_update,
)
from fastnn_kernels.reference.dropout import _philox
from fastnn_kernels.reference.update import momentum_update, nesterov_update

__all__ = [
    "adagrad_update_bfloat16",
    "adagrad_update_rows_bfloat16",
    "adam_update_bfloat16",
    "adamw_update_bfloat16",
    "momentum_update_bfloat16",
    "nesterov_update_bfloat16",
    "rmsprop_update_bfloat16",
]

LOW = np.uint64(2**32 - 1)


def _random_words(key, cursor, stream, first, count):
    """32 random bits for each of the elements first, first + 1, …"""
    a, b = _philox(key[:1] & LOW, key[:1] >> np.uint64(32), key[1:2] & LOW)
    a, b = _philox(a ^ np.uint64(stream), b ^ np.uint64(cursor[1]), key[1:2] >> np.uint64(32))
    x = np.arange(first, first + count, dtype=np.uint64) + a & LOW
    x = (x ^ (x >> np.uint64(16))) * np.uint64(0x7FEB352D) & LOW
    x = x ^ b
    x = (x ^ (x >> np.uint64(15))) * np.uint64(0x846CA68B) & LOW
    return x ^ (x >> np.uint64(16))


def _numbers(words, w):
    """What bfloat16 words stand for, in the dtype of w"""
    return (words.astype(np.uint32) << 16).view(np.float32).astype(w.dtype)


def _words(x, random):
    """x as a float32, whose low half and 16 random bits are added; what overflows goes into the upper half, the result

    Without random bits where that would turn a finite number infinite, or infinity into NaN.
    """
    bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    size = bits & np.uint64(0x7FFFFFFF)
    return bits + np.where(size < 0x7F7F0000, random, 0) >> np.uint64(16)


def _update(plain, w, states, others, noise, width, offset):
    """The update `plain` on the numbers that the states stand for; then these are rounded"""
    numbers = [_numbers(words, w) for words in states]
    plain(w, *numbers, *others)
    random = _random_words(*noise, offset * width, w.size).reshape(w.shape)
    for words, x, shift in zip(states, numbers, (0, 16), strict=False):
        words[...] = _words(x, random >> np.uint64(shift) & np.uint64(0xFFFF))


def momentum_update_bfloat16(w, velocity, dw, scalars, key, cursor, stream, width, offset=0):
    """`momentum_update`, then velocity rounded"""
    _update(momentum_update, w, [velocity], (dw, scalars), (key, cursor, stream), width, offset)


def nesterov_update_bfloat16(w, velocity, dw, scalars, key, cursor, stream, width, offset=0):
    """`nesterov_update`, then velocity rounded"""
    _update(nesterov_update, w, [velocity], (dw, scalars), (key, cursor, stream), width, offset)


def rmsprop_update_bfloat16(w, mean_square, dw, scalars, key, cursor, stream, width, offset=0):
    """`rmsprop_update`, then mean_square rounded"""
    _update(rmsprop_update, w, [mean_square], (dw, scalars), (key, cursor, stream), width, offset)


def adagrad_update_bfloat16(w, sum_square, dw, scalars, key, cursor, stream, width, offset=0):
    """`adagrad_update`, then sum_square rounded"""
    _update(adagrad_update, w, [sum_square], (dw, scalars), (key, cursor, stream), width, offset)


def adagrad_update_rows_bfloat16(w, sum_square, dw, starts, scalars, key, cursor, stream, width):
    """`adagrad_update_rows`, then sum_square rounded"""
    _update(adagrad_update_rows, w, [sum_square], (dw, starts, scalars), (key, cursor, stream), width, 0)


def adam_update_bfloat16(w, m, v, dw, scalars, key, cursor, stream, width, offset=0):
    """`adam_update`, then m and v rounded"""
    _update(adam_update, w, [m, v], (dw, scalars), (key, cursor, stream), width, offset)


def adamw_update_bfloat16(w, m, v, dw, scalars, key, cursor, stream, width, offset=0):
    """`adamw_update`, then m and v rounded"""
    _update(adamw_update, w, [m, v], (dw, scalars), (key, cursor, stream), width, offset)
