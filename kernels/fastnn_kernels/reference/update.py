"""Reference of the optimizer updates, in place on flat arrays."""

import numpy as np

__all__ = ["momentum_update", "nesterov_update", "sgd_update", "sgd_update_rows"]


def _velocity(velocity, dw, lr, momentum):
    """momentum · velocity − lr · dw, or 0 where that is smaller than 1e-30"""
    v = momentum * velocity - lr * dw
    return np.where(np.abs(v) < 1e-30, 0, v)


def sgd_update(w, dw, scalars):
    """w −= lr · dw"""
    w -= scalars[0] * dw


def sgd_update_rows(w, dw, starts, scalars):
    """w[v] −= lr · dw[v] where starts[v] < starts[v + 1]"""
    occurs = np.diff(starts) > 0
    w[occurs] -= scalars[0] * dw[occurs]


def momentum_update(w, velocity, dw, scalars):
    """velocity = momentum · velocity − lr · dw;  w += velocity"""
    velocity[:] = _velocity(velocity, dw, *scalars)
    w += velocity


def nesterov_update(w, velocity, dw, scalars):
    """velocity = momentum · velocity − lr · dw;  w += momentum · velocity − lr · dw"""
    lr, momentum = scalars
    velocity[:] = _velocity(velocity, dw, lr, momentum)
    w += momentum * velocity - lr * dw
