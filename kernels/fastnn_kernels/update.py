"""Optimizer updates: one fused pass over parameters, gradients and state, each a flat array.

`scalars` holds numbers that may change from step to step: an operand, so that a schedule recompiles no kernel.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._math.elementary import rounded_product
from fastnn_kernels._tuning import ELEMENT

__all__ = ["momentum_update", "nesterov_update", "sgd_update", "sgd_update_rows"]


@inline
def _flush(v):
    """v, or 0 if |v| < 1e-30: decaying state would end in denormal numbers, which made this update 31 times slower."""
    return type(v)(0) if abs(v) < type(v)(1e-30) else v


@inline
def _momentum_step(velocity, g, lr, momentum):
    """The new velocity, which is the step."""
    return _flush(momentum * velocity - rounded_product(lr, g))


@inline
def _nesterov_step(velocity, g, lr, momentum):
    """The new velocity, and the step momentum · velocity − lr · g."""
    step = rounded_product(lr, g)
    v = _flush(momentum * velocity - step)
    return v, momentum * v - step


@kernel(work=lambda w, dw, scalars: 2 * ELEMENT * w.size)
def sgd_update(w, dw, scalars):
    """w −= lr · dw

    w, dw : (n,)    scalars : (lr,)
    """
    lr = scalars[0]
    for i in prange(w.shape[0]):
        w[i] -= lr * dw[i]


@kernel(work=lambda w, dw, starts, scalars: ELEMENT * w.shape[0])
def sgd_update_rows(w, dw, starts, scalars):
    """w[v] −= lr · dw[v] for every id v that occurs in the batch: as `sgd_update`, if all other rows of dw are 0

    w, dw : (V, ≥ n)    starts : (V + 1,), from `group_by_row`    scalars : (lr,)
    """
    lr = scalars[0]
    for v in prange(w.shape[0]):
        if starts[v] < starts[v + 1]:
            for j in range(w.shape[1]):
                w[v, j] -= lr * dw[v, j]


@kernel(work=lambda w, velocity, dw, scalars: 3 * ELEMENT * w.size, outputs=2)
def momentum_update(w, velocity, dw, scalars):
    """velocity = momentum · velocity − lr · dw;  w += velocity

    w, velocity, dw : (n,)    scalars : (lr, momentum)
    """
    lr, momentum = scalars[0], scalars[1]
    for i in prange(w.shape[0]):
        v = _momentum_step(velocity[i], dw[i], lr, momentum)
        velocity[i] = v
        w[i] += v


@kernel(work=lambda w, velocity, dw, scalars: 3 * ELEMENT * w.size, outputs=2)
def nesterov_update(w, velocity, dw, scalars):
    """velocity = momentum · velocity − lr · dw;  w += momentum · velocity − lr · dw

    w, velocity, dw : (n,)    scalars : (lr, momentum)

    Nesterov's method in the variables of Bengio, Boulanger-Lewandowski and Pascanu (2013), eq. 7.
    """
    lr, momentum = scalars[0], scalars[1]
    for i in prange(w.shape[0]):
        velocity[i], step = _nesterov_step(velocity[i], dw[i], lr, momentum)
        w[i] += step
