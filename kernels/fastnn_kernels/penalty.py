"""Penalties on weights, and bounds on gradients and weights. Arrays are flat, except in `max_norm_columns`.

λ is scalars[0], an operand, so that a schedule of it recompiles no kernel. Sums are in float64 and in one order for any
number of threads: one thread sums a chunk of CHUNK elements into partial[c], then the chunks are added in ascending
order.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.sums import CHUNK, square, sum_sizes, sum_squares
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT

__all__ = [
    "add_l1",
    "add_l2",
    "clip_by_global_norm",
    "clip_by_value",
    "max_norm_columns",
    "penalty_l1",
    "penalty_l2",
    "sum_of_squares",
    "zero",
]


@kernel(work=lambda dw, w, scalars: ELEMENT * w.size)
def add_l2(dw, w, scalars):
    """dw += λ · w, the gradient of ½ · λ · Σ w²

    dw, w : (N,)    scalars : (λ,)
    """
    strength = scalars[0]
    for i in prange(w.shape[0]):
        dw[i] += strength * w[i]


@kernel(work=lambda dw, w, scalars: ELEMENT * w.size)
def add_l1(dw, w, scalars):
    """dw += λ · sign(w), the gradient of λ · Σ |w|; nothing where w = 0

    dw, w : (N,)    scalars : (λ,)
    """
    strength = scalars[0]
    for i in prange(w.shape[0]):
        sign = type(w[i])(1) if w[i] > 0 else (type(w[i])(-1) if w[i] < 0 else w[i])  # NaN stays NaN
        dw[i] += strength * sign


@kernel(work=lambda out: ELEMENT * out.size)
def zero(out):
    """out = 0

    out : (N,)
    """
    for i in prange(out.shape[0]):
        out[i] = 0


@inline
def _total(partial):
    total = 0.0
    for c in range(partial.shape[0]):
        total += partial[c]
    return total


@kernel(work=lambda losses, partial, cursor, w, scalars: ELEMENT * w.size, outputs=2)
def penalty_l2(losses, partial, cursor, w, scalars):
    """losses[step] += ½ · λ · Σ w², before `record_step` adds the loss of the batch

    losses  : (steps of an epoch,) float64; step = cursor[1]
    partial : (⌈N / CHUNK⌉,) float64, Σ w² of each chunk
    cursor  : (4,) int64
    w       : (N,)    scalars : (λ,)
    """
    for c in prange(partial.shape[0]):
        partial[c] = sum_squares(w[c * CHUNK : (c + 1) * CHUNK])
    losses[cursor[1]] += 0.5 * np.float64(scalars[0]) * _total(partial)


@kernel(work=lambda losses, partial, cursor, w, scalars: ELEMENT * w.size, outputs=2)
def penalty_l1(losses, partial, cursor, w, scalars):
    """losses[step] += λ · Σ |w|, before `record_step` adds the loss of the batch

    losses, partial, cursor, w, scalars : as for `penalty_l2`, partial with Σ |w|
    """
    for c in prange(partial.shape[0]):
        partial[c] = sum_sizes(w[c * CHUNK : (c + 1) * CHUNK])
    losses[cursor[1]] += np.float64(scalars[0]) * _total(partial)


@kernel(work=lambda out, partial, w: ELEMENT * w.size, outputs=2)
def sum_of_squares(out, partial, w):
    """out[0] = Σ w², the square of a norm

    out : (1,) float64    partial : (⌈N / CHUNK⌉,) float64, the sums of the chunks    w : (N,)
    """
    for c in prange(partial.shape[0]):
        partial[c] = sum_squares(w[c * CHUNK : (c + 1) * CHUNK])
    out[0] = _total(partial)


@kernel(work=lambda dw, norm2, scalars: ELEMENT * dw.size)
def clip_by_global_norm(dw, norm2, scalars):
    """dw *= min(1, max_norm / ‖g‖), where g are the gradients of all parameters together

    dw      : (N,)
    norm2   : (1,) float64, ‖g‖² from `sum_of_squares`; NaN makes dw NaN
    scalars : (max_norm,)
    """
    norm, most = np.sqrt(norm2[0]), np.float64(scalars[0])
    factor = 1.0 if norm <= most else most / norm
    for i in prange(dw.shape[0]):
        dw[i] *= type(dw[i])(factor)


@kernel(work=lambda dw, scalars: ELEMENT * dw.size)
def clip_by_value(dw, scalars):
    """dw = min(max(dw, −limit), limit); NaN stays NaN

    dw : (N,)    scalars : (limit,)
    """
    limit = scalars[0]
    for i in prange(dw.shape[0]):
        v = -limit if dw[i] < -limit else dw[i]
        dw[i] = limit if v > limit else v


@inline
def _factor(norm2, most):
    """most / √norm2 where the norm is larger than `most`, else 1; also for NaN. In the type of `most`."""
    norm, bound = np.sqrt(norm2), np.float64(most)
    return type(most)(bound / norm) if norm > bound else type(most)(1)


@kernel(work=lambda w, scalars: 2 * ELEMENT * w.size)
def max_norm_columns(w, scalars):
    """w[:, j] *= min(1, c / ‖w[:, j]‖) for every column j, the weights of one unit; a column with NaN stays

    w : (k, ≥ n); padding columns, too, are columns    scalars : (c,)
    """
    # A block of columns is one cache line wide: the thread that owns it loads each line once.
    width = ALIGNMENT // w.itemsize
    for block in prange((w.shape[1] + width - 1) // width):
        start, end = block * width, min((block + 1) * width, w.shape[1])
        for j in range(start, end - 7, 8):  # eight sums at once: a single one waits for each addition
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
            for i in range(w.shape[0]):
                s0 += square(np.float64(w[i, j]))
                s1 += square(np.float64(w[i, j + 1]))
                s2 += square(np.float64(w[i, j + 2]))
                s3 += square(np.float64(w[i, j + 3]))
                s4 += square(np.float64(w[i, j + 4]))
                s5 += square(np.float64(w[i, j + 5]))
                s6 += square(np.float64(w[i, j + 6]))
                s7 += square(np.float64(w[i, j + 7]))
            most = scalars[0]
            f0, f1, f2, f3 = (_factor(s0, most), _factor(s1, most), _factor(s2, most), _factor(s3, most))
            f4, f5, f6, f7 = (_factor(s4, most), _factor(s5, most), _factor(s6, most), _factor(s7, most))
            for i in range(w.shape[0]):
                w[i, j] *= f0
                w[i, j + 1] *= f1
                w[i, j + 2] *= f2
                w[i, j + 3] *= f3
                w[i, j + 4] *= f4
                w[i, j + 5] *= f5
                w[i, j + 6] *= f6
                w[i, j + 7] *= f7
        for j in range(start + (end - start) // 8 * 8, end):
            total = 0.0
            for i in range(w.shape[0]):
                total += square(np.float64(w[i, j]))
            factor = _factor(total, scalars[0])
            for i in range(w.shape[0]):
                w[i, j] *= factor
