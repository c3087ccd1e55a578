"""Reference of the updates that divide by the size of the gradients, in place on flat arrays."""

import numpy as np

__all__ = ["adagrad_update", "adagrad_update_rows", "adam_update", "adamw_update", "rmsprop_update"]


def _flushed(v):
    """v, or 0 where |v| < 1e-30"""
    return np.where(np.abs(v) < 1e-30, 0, v)


def rmsprop_update(w, mean_square, dw, scalars):
    """mean_square = decay · mean_square + (1 − decay) · dw²;  w −= lr · dw / (√mean_square + eps)"""
    lr, fresh, eps = scalars
    mean_square[:] = _flushed(mean_square + fresh * (dw**2 - mean_square))
    w -= lr * dw / (np.sqrt(mean_square) + eps)


def adagrad_update(w, sum_square, dw, scalars):
    """sum_square += dw²;  w −= lr · dw / (√sum_square + eps)"""
    lr, eps = scalars
    sum_square[:] = _flushed(sum_square + dw**2)
    w -= lr * dw / (np.sqrt(sum_square) + eps)


def _adam_step(m, v, dw, scalars):
    """Update m and v; return lr · m̂ / (√v̂ + eps)"""
    corrected_lr, fresh1, fresh2, root_scale, eps = scalars
    m[:] = _flushed(m + fresh1 * (dw - m))
    v[:] = _flushed(v + fresh2 * (dw**2 - v))
    return corrected_lr * m / (np.sqrt(v) * root_scale + eps)


def adagrad_update_rows(w, sum_square, dw, starts, scalars):
    """`adagrad_update` where starts[v] < starts[v + 1]"""
    occurs = np.diff(starts) > 0
    rows = w[occurs], sum_square[occurs]
    adagrad_update(*rows, dw[occurs], scalars)
    w[occurs], sum_square[occurs] = rows


def adam_update(w, m, v, dw, scalars):
    """m = β₁·m + (1 − β₁)·dw;  v = β₂·v + (1 − β₂)·dw²;  w −= lr · m̂ / (√v̂ + eps)"""
    w -= _adam_step(m, v, dw, scalars)


def adamw_update(w, m, v, dw, scalars):
    """As adam_update, and w −= lr · weight_decay · w"""
    w -= scalars[5] * w + _adam_step(m, v, dw, scalars[:5])
