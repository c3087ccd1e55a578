"""Optimizer updates of the rows of a large table that occur in a batch, by the list that `list_rows` makes.

Each row is treated as the update of the same name treats all numbers. Rows that do not occur keep their weights and
their state: their velocity, their means neither decay nor move them. This is known as the lazy, or sparse, form.
"""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT
from fastnn_kernels.adaptive_update import _adagrad_step, _adam_step, _rmsprop_step
from fastnn_kernels.update import _momentum_step, _nesterov_step

__all__ = [
    "adagrad_update_listed",
    "adam_update_listed",
    "adamw_update_listed",
    "momentum_update_listed",
    "nesterov_update_listed",
    "rmsprop_update_listed",
    "sgd_update_listed",
]


@kernel(work=lambda w, dw, heads, scalars: 2 * ELEMENT * heads.size * w.shape[1])
def sgd_update_listed(w, dw, heads, scalars):
    """`sgd_update` of row v for every head v: the same if all other rows of dw are 0

    w, dw : (V, ≥ n)    heads : (m,), from `list_rows`    scalars : (lr,)
    """
    lr = scalars[0]
    for h in prange(heads.shape[0]):
        v = heads[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                w[v, j] -= lr * dw[v, j]


@kernel(work=lambda w, velocity, dw, heads, scalars: 3 * ELEMENT * heads.size * w.shape[1], outputs=2)
def momentum_update_listed(w, velocity, dw, heads, scalars):
    """`momentum_update` of row v for every head v; all other rows and their velocities stay

    w, velocity, dw : (V, ≥ n)    heads : (m,), from `list_rows`    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    for h in prange(heads.shape[0]):
        v = heads[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                velocity[v, j] = _momentum_step(velocity[v, j], dw[v, j], lr, momentum)
                w[v, j] += velocity[v, j]


@kernel(work=lambda w, velocity, dw, heads, scalars: 3 * ELEMENT * heads.size * w.shape[1], outputs=2)
def nesterov_update_listed(w, velocity, dw, heads, scalars):
    """`nesterov_update` of row v for every head v; all other rows and their velocities stay

    w, velocity, dw : (V, ≥ n)    heads : (m,), from `list_rows`    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    for h in prange(heads.shape[0]):
        v = heads[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                velocity[v, j], step = _nesterov_step(velocity[v, j], dw[v, j], lr, momentum)
                w[v, j] += step


@kernel(work=lambda w, mean_square, dw, heads, scalars: 6 * ELEMENT * heads.size * w.shape[1], outputs=2)
def rmsprop_update_listed(w, mean_square, dw, heads, scalars):
    """`rmsprop_update` of row v for every head v; all other rows and their means stay

    w, mean_square, dw : (V, ≥ n)    heads : (m,), from `list_rows`    scalars : (lr, 1 − decay, eps)
    """
    for h in prange(heads.shape[0]):
        v = heads[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                mean_square[v, j], step = _rmsprop_step(mean_square[v, j], dw[v, j], scalars)
                w[v, j] -= step


@kernel(work=lambda w, sum_square, dw, heads, scalars: 6 * ELEMENT * heads.size * w.shape[1], outputs=2)
def adagrad_update_listed(w, sum_square, dw, heads, scalars):
    """`adagrad_update` of row v for every head v: the same if all other rows of dw are 0

    w, sum_square, dw : (V, ≥ n)    heads : (m,), from `list_rows`    scalars : (lr, eps)
    """
    lr, eps = scalars[0], scalars[1]
    for h in prange(heads.shape[0]):
        v = heads[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                sum_square[v, j], step = _adagrad_step(sum_square[v, j], dw[v, j], lr, eps)
                w[v, j] -= step


@kernel(work=lambda w, m, v, dw, heads, scalars: 8 * ELEMENT * heads.size * w.shape[1], outputs=3)
def adam_update_listed(w, m, v, dw, heads, scalars):
    """`adam_update` of each row that is a head; all other rows, m and v stay. t counts all steps, not those of a row

    w, m, v, dw : (V, ≥ n)    heads : (l,), from `list_rows`    scalars : those of `adam_update`
    """
    for h in prange(heads.shape[0]):
        i = heads[h]
        if i < w.shape[0]:
            for j in range(w.shape[1]):
                m[i, j], v[i, j], step = _adam_step(m[i, j], v[i, j], dw[i, j], scalars)
                w[i, j] -= step


@kernel(work=lambda w, m, v, dw, heads, scalars: 8 * ELEMENT * heads.size * w.shape[1], outputs=3)
def adamw_update_listed(w, m, v, dw, heads, scalars):
    """`adamw_update` of each row that is a head; all other rows, m and v stay, and do not decay

    w, m, v, dw : (V, ≥ n)    heads : (l,), from `list_rows`    scalars : those of `adamw_update`
    """
    decay = scalars[5]
    for h in prange(heads.shape[0]):
        i = heads[h]
        if i < w.shape[0]:
            for j in range(w.shape[1]):
                m[i, j], v[i, j], step = _adam_step(m[i, j], v[i, j], dw[i, j], scalars)
                w[i, j] -= decay * w[i, j] + step
