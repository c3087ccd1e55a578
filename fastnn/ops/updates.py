"""The steps of optimizers, in place."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import fastnn_kernels as kernels
from fastnn.common.arithmetic import ieee
from fastnn.common.validation import real_number
from fastnn.engine.threads import call
from fastnn.ops.arguments import arrays_of_floats, check_shape, updated_in_place
from fastnn_kernels._jit import Kernel


@ieee
def _update(kernel: Kernel, dw: Any, scalars: dict[str, float], **state: Any) -> None:
    """Run a kernel that changes the arrays of `state`, w among them, by the gradient dw and the named scalars."""
    w = state["w"]
    with updated_in_place(**state) as flat:
        *_, dw = arrays_of_floats(**state, dw=dw)
        for name, a in [*state.items(), ("dw", dw)]:
            check_shape(name, a, *w.shape)
        if any(np.may_share_memory(dw, a) for a in flat):  # or a thread might read numbers that another has changed
            dw = dw.copy()
        call(kernel, *flat, dw.reshape(-1), np.array([real_number(*scalar) for scalar in scalars.items()], dw.dtype))


def sgd_update(w: np.ndarray, dw: ArrayLike, lr: float) -> None:
    """w −= lr · dw, in place.

    Args:
        w: Floats of any shape.
        dw: Its gradient, of the same shape.
        lr: The learning rate.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> w = np.zeros(2)
        >>> fn.ops.sgd_update(w, [1.0, 2.0], 0.5)
        >>> w
        array([-0.5, -1. ])
    """
    _update(kernels.sgd_update, dw, {"lr": lr}, w=w)


def momentum_update(w: np.ndarray, velocity: np.ndarray, dw: ArrayLike, lr: float, momentum: float) -> None:
    """velocity = momentum · velocity − lr · dw;  w += velocity, both in place.

    Args:
        w: Floats of any shape.
        velocity: Of the same shape.
        dw: The gradient of w, of the same shape.
        lr: The learning rate.
        momentum: How much of the velocity stays.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> w, velocity = np.zeros(2), np.ones(2)
        >>> fn.ops.momentum_update(w, velocity, [1.0, 2.0], 0.5, 0.9)
        >>> w
        array([ 0.4, -0.1])
    """
    _update(kernels.momentum_update, dw, {"lr": lr, "momentum": momentum}, w=w, velocity=velocity)


def nesterov_update(w: np.ndarray, velocity: np.ndarray, dw: ArrayLike, lr: float, momentum: float) -> None:
    """velocity = momentum · velocity − lr · dw;  w += momentum · velocity − lr · dw, both in place.

    The second formula uses the new velocity.

    Args:
        w: Floats of any shape.
        velocity: Of the same shape.
        dw: The gradient of w, of the same shape.
        lr: The learning rate.
        momentum: How much of the velocity stays.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> w, velocity = np.zeros(2), np.ones(2)
        >>> fn.ops.nesterov_update(w, velocity, [1.0, 2.0], 0.5, 0.9)
        >>> velocity
        array([ 0.4, -0.1])
    """
    _update(kernels.nesterov_update, dw, {"lr": lr, "momentum": momentum}, w=w, velocity=velocity)
