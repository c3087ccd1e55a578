"""Optimizer updates of the rows of a large table that occur in a batch, by the list that `list_rows` makes.

Each row is treated as the update of the same name treats all numbers. Rows that do not occur keep their weights and
their state: their velocity, their means neither decay nor move them. This is known as the lazy, or sparse, form.

The gradient of head h is row places[h] of dw, which has as many rows as the table or as the list: see `listed`.
"""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT, LISTED_ROW
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


def _work(cost):
    """The estimate of an update that takes `cost` ELEMENT for a number: its operands end with heads, places, scalars"""
    return lambda w, *rest: cost * ELEMENT * rest[-3].size * (w.shape[1] + LISTED_ROW)


@kernel(work=_work(2))
def sgd_update_listed(w, dw, heads, places, scalars):
    """`sgd_update` of row v for every head v: the same if all other rows of dw are 0

    w : (V, ≥ n)    dw : (V or m, ≥ n)    heads, places : (m,)    scalars : (lr,)
    """
    lr = scalars[0]
    for h in prange(heads.shape[0]):
        v, p = heads[h], places[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                w[v, j] -= lr * dw[p, j]


@kernel(work=_work(3), outputs=2)
def momentum_update_listed(w, velocity, dw, heads, places, scalars):
    """`momentum_update` of row v for every head v; all other rows and their velocities stay

    w, velocity : (V, ≥ n)    dw : (V or m, ≥ n)    heads, places : (m,)    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    for h in prange(heads.shape[0]):
        v, p = heads[h], places[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                velocity[v, j] = _momentum_step(velocity[v, j], dw[p, j], lr, momentum)
                w[v, j] += velocity[v, j]


@kernel(work=_work(3), outputs=2)
def nesterov_update_listed(w, velocity, dw, heads, places, scalars):
    """`nesterov_update` of row v for every head v; all other rows and their velocities stay

    w, velocity : (V, ≥ n)    dw : (V or m, ≥ n)    heads, places : (m,)    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    for h in prange(heads.shape[0]):
        v, p = heads[h], places[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                velocity[v, j], step = _nesterov_step(velocity[v, j], dw[p, j], lr, momentum)
                w[v, j] += step


@kernel(work=_work(6), outputs=2)
def rmsprop_update_listed(w, mean_square, dw, heads, places, scalars):
    """`rmsprop_update` of row v for every head v; all other rows and their means stay

    w, mean_square : (V, ≥ n)    dw : (V or m, ≥ n)    heads, places : (m,)    scalars : (lr, 1 − decay, eps)
    """
    for h in prange(heads.shape[0]):
        v, p = heads[h], places[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                mean_square[v, j], step = _rmsprop_step(mean_square[v, j], dw[p, j], scalars)
                w[v, j] -= step


@kernel(work=_work(6), outputs=2)
def adagrad_update_listed(w, sum_square, dw, heads, places, scalars):
    """`adagrad_update` of row v for every head v: the same if all other rows of dw are 0

    w, sum_square : (V, ≥ n)    dw : (V or m, ≥ n)    heads, places : (m,)    scalars : (lr, eps)
    """
    lr, eps = scalars[0], scalars[1]
    for h in prange(heads.shape[0]):
        v, p = heads[h], places[h]
        if v < w.shape[0]:
            for j in range(w.shape[1]):
                sum_square[v, j], step = _adagrad_step(sum_square[v, j], dw[p, j], lr, eps)
                w[v, j] -= step


@kernel(work=_work(8), outputs=3)
def adam_update_listed(w, m, v, dw, heads, places, scalars):
    """`adam_update` of each row that is a head; all other rows, m and v stay. t counts all steps, not those of a row

    w, m, v : (V, ≥ n)    dw : (V or l, ≥ n)    heads, places : (l,)    scalars : those of `adam_update`
    """
    for h in prange(heads.shape[0]):
        i, p = heads[h], places[h]
        if i < w.shape[0]:
            for j in range(w.shape[1]):
                m[i, j], v[i, j], step = _adam_step(m[i, j], v[i, j], dw[p, j], scalars)
                w[i, j] -= step


@kernel(work=_work(8), outputs=3)
def adamw_update_listed(w, m, v, dw, heads, places, scalars):
    """`adamw_update` of each row that is a head; all other rows, m and v stay, and do not decay

    w, m, v : (V, ≥ n)    dw : (V or l, ≥ n)    heads, places : (l,)    scalars : those of `adamw_update`
    """
    decay = scalars[5]
    for h in prange(heads.shape[0]):
        i, p = heads[h], places[h]
        if i < w.shape[0]:
            for j in range(w.shape[1]):
                m[i, j], v[i, j], step = _adam_step(m[i, j], v[i, j], dw[p, j], scalars)
                w[i, j] -= decay * w[i, j] + step
