"""Reference of the updates of the rows that occur in a batch: those of all numbers, of these rows alone."""

from fastnn_kernels.reference.adaptive_update import adagrad_update, adam_update, adamw_update, rmsprop_update
from fastnn_kernels.reference.update import momentum_update, nesterov_update, sgd_update

__all__ = [
    "adagrad_update_listed",
    "adam_update_listed",
    "adamw_update_listed",
    "momentum_update_listed",
    "nesterov_update_listed",
    "rmsprop_update_listed",
    "sgd_update_listed",
]


def _of_rows(of_all, arrays, dw, heads, places, scalars):
    """Apply an update to the listed rows of all arrays."""
    listed = heads < len(arrays[0])
    rows = heads[listed]
    own = [array[rows] for array in arrays]
    of_all(*own, dw[places[listed]], scalars)
    for array, changed in zip(arrays, own, strict=True):
        array[rows] = changed


def sgd_update_listed(w, dw, heads, places, scalars):
    """`sgd_update` of the listed rows"""
    _of_rows(sgd_update, (w,), dw, heads, places, scalars)


def momentum_update_listed(w, velocity, dw, heads, places, scalars):
    """`momentum_update` of the listed rows"""
    _of_rows(momentum_update, (w, velocity), dw, heads, places, scalars)


def nesterov_update_listed(w, velocity, dw, heads, places, scalars):
    """`nesterov_update` of the listed rows"""
    _of_rows(nesterov_update, (w, velocity), dw, heads, places, scalars)


def rmsprop_update_listed(w, mean_square, dw, heads, places, scalars):
    """`rmsprop_update` of the listed rows"""
    _of_rows(rmsprop_update, (w, mean_square), dw, heads, places, scalars)


def adagrad_update_listed(w, sum_square, dw, heads, places, scalars):
    """`adagrad_update` of the listed rows"""
    _of_rows(adagrad_update, (w, sum_square), dw, heads, places, scalars)


def adam_update_listed(w, m, v, dw, heads, places, scalars):
    """`adam_update` of the listed rows"""
    _of_rows(adam_update, (w, m, v), dw, heads, places, scalars)


def adamw_update_listed(w, m, v, dw, heads, places, scalars):
    """`adamw_update` of the listed rows"""
    _of_rows(adamw_update, (w, m, v), dw, heads, places, scalars)
