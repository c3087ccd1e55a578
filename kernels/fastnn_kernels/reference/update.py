"""Reference of the optimizer updates, in place on flat arrays."""

import numpy as np


def _velocity(velocity, dw, lr, momentum):
    """momentum · velocity − lr · dw; what is smaller than 1e-30 becomes 0"""
    v = momentum * velocity - lr * dw
    return np.where(np.abs(v) < 1e-30, 0, v)


def sgd_update(w, dw, rates):
    """w −= lr · dw"""
    w -= rates[0] * dw


def sgd_update_rows(w, dw, starts, rates):
    """w[v] −= lr · dw[v] where starts[v] < starts[v + 1]"""
    touched = np.diff(starts) > 0
    w[touched] -= rates[0] * dw[touched]


def momentum_update(w, velocity, dw, rates):
    """velocity = momentum · velocity − lr · dw;  w += velocity"""
    velocity[:] = _velocity(velocity, dw, *rates)
    w += velocity


def nesterov_update(w, velocity, dw, rates):
    """velocity = momentum · velocity − lr · dw;  w += momentum · velocity − lr · dw"""
    lr, momentum = rates
    velocity[:] = _velocity(velocity, dw, lr, momentum)
    w += momentum * velocity - lr * dw
