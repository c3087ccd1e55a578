"""The updates of `update` and `adaptive_update` with their state in bfloat16: half the bytes to read and to write.

Arithmetic is that of the updates with whole state, in the dtype of w. A parameter takes the step that the new state
says before it is rounded. Then the state is rounded stochastically (`_math.bfloat16`), so on average nothing is lost.
All take these operands after those of the update of the same name:

key, cursor, stream  as `dropout_forward` takes them; `stream` is the number of the parameter
width                how many numbers belong to each unit of `offset`: the length of a row, or 1
offset               number of the first row, or element, in the parameter

The random bits of a number are a function of (key, stream, cursor[1], offset · width + i), the last 32 bits of each.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._math.bfloat16 import from_word, random_word, to_word
from fastnn_kernels._tuning import ELEMENT
from fastnn_kernels.adaptive_update import _adagrad_step, _adam_step, _rmsprop_step
from fastnn_kernels.dropout import _step_words
from fastnn_kernels.update import _momentum_step, _nesterov_step

__all__ = [
    "adagrad_update_bfloat16",
    "adagrad_update_rows_bfloat16",
    "adam_update_bfloat16",
    "adamw_update_bfloat16",
    "momentum_update_bfloat16",
    "nesterov_update_bfloat16",
    "rmsprop_update_bfloat16",
]


@inline
def _index(first, i):
    """The number of an element; `prange` counts in another type of integer than `range`."""
    return np.uint64(first) + np.uint64(i)


@inline
def _rounded(x, index, a, b):
    """The word of the only state of an element."""
    return to_word(x, random_word(index, a, b))


@kernel(
    work=lambda w, velocity, dw, scalars, key, cursor, stream, width, offset=0: 7 * ELEMENT * w.size,
    outputs=2,
    cut=("w", "velocity", "dw"),
)
def momentum_update_bfloat16(w, velocity, dw, scalars, key, cursor, stream, width, offset=0):
    """`momentum_update` with velocity in bfloat16

    w, dw : (n,)    velocity : (n,) uint16    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    a, b = _step_words(key, cursor, stream)
    for i in prange(w.shape[0]):
        v = _momentum_step(from_word(velocity[i], w[i]), dw[i], lr, momentum)
        velocity[i] = _rounded(v, _index(offset * width, i), a, b)
        w[i] += v


@kernel(
    work=lambda w, velocity, dw, scalars, key, cursor, stream, width, offset=0: 7 * ELEMENT * w.size,
    outputs=2,
    cut=("w", "velocity", "dw"),
)
def nesterov_update_bfloat16(w, velocity, dw, scalars, key, cursor, stream, width, offset=0):
    """`nesterov_update` with velocity in bfloat16

    w, dw : (n,)    velocity : (n,) uint16    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    a, b = _step_words(key, cursor, stream)
    for i in prange(w.shape[0]):
        v, step = _nesterov_step(from_word(velocity[i], w[i]), dw[i], lr, momentum)
        velocity[i] = _rounded(v, _index(offset * width, i), a, b)
        w[i] += step


@kernel(
    work=lambda w, mean_square, dw, scalars, key, cursor, stream, width, offset=0: 9 * ELEMENT * w.size,
    outputs=2,
    cut=("w", "mean_square", "dw"),
)
def rmsprop_update_bfloat16(w, mean_square, dw, scalars, key, cursor, stream, width, offset=0):
    """`rmsprop_update` with mean_square in bfloat16

    w, dw : (n,)    mean_square : (n,) uint16    scalars : (lr, 1 − decay, eps)
    """
    a, b = _step_words(key, cursor, stream)
    for i in prange(w.shape[0]):
        c, step = _rmsprop_step(from_word(mean_square[i], w[i]), dw[i], scalars)
        mean_square[i] = _rounded(c, _index(offset * width, i), a, b)
        w[i] -= step


@kernel(
    work=lambda w, sum_square, dw, scalars, key, cursor, stream, width, offset=0: 9 * ELEMENT * w.size,
    outputs=2,
    cut=("w", "sum_square", "dw"),
)
def adagrad_update_bfloat16(w, sum_square, dw, scalars, key, cursor, stream, width, offset=0):
    """`adagrad_update` with sum_square in bfloat16

    w, dw : (n,)    sum_square : (n,) uint16    scalars : (lr, eps)
    """
    lr, eps = scalars[0], scalars[1]
    a, b = _step_words(key, cursor, stream)
    for i in prange(w.shape[0]):
        c, step = _adagrad_step(from_word(sum_square[i], w[i]), dw[i], lr, eps)
        sum_square[i] = _rounded(c, _index(offset * width, i), a, b)
        w[i] -= step


@kernel(work=lambda w, sum_square, dw, starts, scalars, key, cursor, stream, width: ELEMENT * w.shape[0], outputs=2)
def adagrad_update_rows_bfloat16(w, sum_square, dw, starts, scalars, key, cursor, stream, width):
    """`adagrad_update_rows` with sum_square in bfloat16: what `adagrad_update_bfloat16` does, if other rows of dw are 0

    w, dw : (V, width)    sum_square : (V, width) uint16    starts : (V + 1,), from `group_by_row`
    scalars : (lr, eps)
    """
    lr, eps = scalars[0], scalars[1]
    a, b = _step_words(key, cursor, stream)
    for v in prange(w.shape[0]):
        if starts[v] < starts[v + 1]:
            for j in range(w.shape[1]):
                c, step = _adagrad_step(from_word(sum_square[v, j], w[v, j]), dw[v, j], lr, eps)
                sum_square[v, j] = _rounded(c, _index(v * width, j), a, b)
                w[v, j] -= step


@kernel(
    work=lambda w, m, v, dw, scalars, key, cursor, stream, width, offset=0: 12 * ELEMENT * w.size,
    outputs=3,
    cut=("w", "m", "v", "dw"),
)
def adam_update_bfloat16(w, m, v, dw, scalars, key, cursor, stream, width, offset=0):
    """`adam_update` with m and v in bfloat16

    w, dw : (n,)    m, v : (n,) uint16    scalars : those of `adam_update`
    """
    a, b = _step_words(key, cursor, stream)
    for i in prange(w.shape[0]):
        first, second, step = _adam_step(from_word(m[i], w[i]), from_word(v[i], w[i]), dw[i], scalars)
        random = random_word(_index(offset * width, i), a, b)
        m[i], v[i] = to_word(first, random), to_word(second, random >> np.uint32(16))
        w[i] -= step


@kernel(
    work=lambda w, m, v, dw, scalars, key, cursor, stream, width, offset=0: 12 * ELEMENT * w.size,
    outputs=3,
    cut=("w", "m", "v", "dw"),
)
def adamw_update_bfloat16(w, m, v, dw, scalars, key, cursor, stream, width, offset=0):
    """`adamw_update` with m and v in bfloat16

    w, dw : (n,)    m, v : (n,) uint16    scalars : those of `adamw_update`
    """
    decay = scalars[5]
    a, b = _step_words(key, cursor, stream)
    for i in prange(w.shape[0]):
        first, second, step = _adam_step(from_word(m[i], w[i]), from_word(v[i], w[i]), dw[i], scalars)
        random = random_word(_index(offset * width, i), a, b)
        m[i], v[i] = to_word(first, random), to_word(second, random >> np.uint32(16))
        w[i] -= decay * w[i] + step
