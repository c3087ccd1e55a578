"""Updates that divide each step by the size of its own gradients: RMSProp, AdaGrad, Adam, AdamW.

One fused pass over flat arrays, as in `update`. The caller computes the scalars in float64: in float32 the decay .999
is so coarse that 1 − .999 would be wrong in its fifth digit. State that is flushed to 0 is negligible beside any
eps ≥ 1e-10. eps > 0: otherwise the update of a parameter without a gradient would be 0 / 0.

Means move as c += (1 − decay) · (new − c). This is decay · c + (1 − decay) · new with one product: of two products
either may be fused with the addition, and the compiler might choose otherwise in the other version of the kernel.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT
from fastnn_kernels.update import _flush

__all__ = ["adagrad_update", "adagrad_update_rows", "adam_update", "adamw_update", "rmsprop_update"]


@inline
def _rmsprop_step(mean_square, g, scalars):
    """The new mean of squares, and the step lr · g / (√mean + eps)."""
    lr, fresh, eps = scalars[0], scalars[1], scalars[2]
    c = _flush(mean_square + fresh * (g * g - mean_square))
    return c, lr * g / (np.sqrt(c) + eps)


@kernel(work=lambda w, mean_square, dw, scalars: 6 * ELEMENT * w.size, outputs=2)
def rmsprop_update(w, mean_square, dw, scalars):
    """mean_square = decay · mean_square + (1 − decay) · dw²;  w −= lr · dw / (√mean_square + eps)

    w, mean_square, dw : (n,)    scalars : (lr, 1 − decay, eps)
    """
    for i in prange(w.shape[0]):
        mean_square[i], step = _rmsprop_step(mean_square[i], dw[i], scalars)
        w[i] -= step


@inline
def _adagrad_step(sum_square, g, lr, eps):
    """The new sum of squares, and the step lr · g / (√sum + eps)."""
    c = _flush(sum_square + g * g)
    return c, lr * g / (np.sqrt(c) + eps)


@kernel(work=lambda w, sum_square, dw, scalars: 6 * ELEMENT * w.size, outputs=2)
def adagrad_update(w, sum_square, dw, scalars):
    """sum_square += dw²;  w −= lr · dw / (√sum_square + eps)

    w, sum_square, dw : (n,)    scalars : (lr, eps)
    """
    lr, eps = scalars[0], scalars[1]
    for i in prange(w.shape[0]):
        sum_square[i], step = _adagrad_step(sum_square[i], dw[i], lr, eps)
        w[i] -= step


@kernel(work=lambda w, sum_square, dw, starts, scalars: ELEMENT * w.shape[0], outputs=2)
def adagrad_update_rows(w, sum_square, dw, starts, scalars):
    """`adagrad_update` of row v for every id v that occurs in the batch: the same if all other rows of dw are 0

    w, sum_square, dw : (V, ≥ n)    starts : (V + 1,), from `group_by_row`    scalars : (lr, eps)
    """
    lr, eps = scalars[0], scalars[1]
    for v in prange(w.shape[0]):
        if starts[v] < starts[v + 1]:
            for j in range(w.shape[1]):
                sum_square[v, j], step = _adagrad_step(sum_square[v, j], dw[v, j], lr, eps)
                w[v, j] -= step


@inline
def _adam_step(m, v, g, scalars):
    """The new m and v, and the step lr · m̂ / (√v̂ + eps)."""
    m = _flush(m + scalars[1] * (g - m))
    v = _flush(v + scalars[2] * (g * g - v))
    return m, v, scalars[0] * m / (np.sqrt(v) * scalars[3] + scalars[4])


@kernel(work=lambda w, m, v, dw, scalars: 8 * ELEMENT * w.size, outputs=3)
def adam_update(w, m, v, dw, scalars):
    """m = β₁·m + (1 − β₁)·dw;  v = β₂·v + (1 − β₂)·dw²;  w −= lr · m̂ / (√v̂ + eps)

    w, m, v, dw : (n,)
    scalars     : (lr / (1 − β₁ᵗ), 1 − β₁, 1 − β₂, 1 / √(1 − β₂ᵗ), eps) at step t = 1, 2, …

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) undo that m and v start at 0 (Kingma and Ba 2015, algorithm 1).
    """
    for i in prange(w.shape[0]):
        m[i], v[i], step = _adam_step(m[i], v[i], dw[i], scalars)
        w[i] -= step


@kernel(work=lambda w, m, v, dw, scalars: 8 * ELEMENT * w.size, outputs=3)
def adamw_update(w, m, v, dw, scalars):
    """As `adam_update`, and w −= lr · weight_decay · w: the decay does not enter m and v

    w, m, v, dw : (n,)    scalars : those of `adam_update`, then lr · weight_decay

    Loshchilov and Hutter (2019), algorithm 2, with the learning rate as a factor of the decay.
    """
    decay = scalars[5]
    for i in prange(w.shape[0]):
        m[i], v[i], step = _adam_step(m[i], v[i], dw[i], scalars)
        w[i] -= decay * w[i] + step
