"""Activations of arrays of any shape, and their derivatives."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

import fastnn_kernels as kernels
from fastnn.engine.threads import call
from fastnn.ops.arguments import arrays_of_floats, as_matrix, check_shape

_F = TypeVar("_F", bound=Callable[..., Any])


def _named(function: _F, name: str, text: str) -> _F:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


_FORWARD_TEXT = """{name} of every element of x.

Args:
    x (ArrayLike): An array of any shape.

Returns:
    out (np.ndarray): An array of the same shape and dtype.

Raises:
    TypeError: For a dtype that does not fit.

Examples:
    >>> fn.ops.{name}_forward([[-1.0, 0.0, 1.0]]).shape
    (1, 3)
"""
_BACKWARD_TEXT = """dx = dout · the derivative of {name}, computed from {of} of {name}.

Args:
    dout (ArrayLike): The gradient of the output, an array of any shape.
    x_or_out (ArrayLike): What the derivative is computed from, of the same shape.

Returns:
    dx (np.ndarray): An array of the same shape and dtype.

Raises:
    TypeError: For a dtype that does not fit.
    ShapeError: For a shape that does not fit.

Examples:
    >>> fn.ops.{name}_backward([[1.0, 1.0]], [[-1.0, 1.0]]).shape
    (1, 2)
"""


def _forward(name: str) -> Callable[[ArrayLike], np.ndarray]:
    kernel = getattr(kernels, f"{name}_forward")

    def forward(x: ArrayLike) -> np.ndarray:
        (x,) = arrays_of_floats(x=x)
        out = np.empty_like(x)
        call(kernel, as_matrix(out), as_matrix(x), as_matrix(x).shape[1])
        return out

    return _named(forward, kernel.name, _FORWARD_TEXT.format(name=name))


def _backward(name: str, of: str) -> Callable[[ArrayLike, ArrayLike], np.ndarray]:
    """of : what the derivative is computed from: "x", the input of the activation, or "out", its output."""
    kernel = getattr(kernels, f"{name}_backward")

    def backward(dout: ArrayLike, x_or_out: ArrayLike) -> np.ndarray:
        dout, given = arrays_of_floats(**{"dout": dout, of: x_or_out})
        check_shape("dout", dout, *given.shape)
        dx, given = np.empty_like(dout), as_matrix(given)
        # The kernel has arguments for x and for out. It reads one of them; elu's reads the sign of x, which is out's.
        call(kernel, as_matrix(dx), as_matrix(dout), given, given, given.shape[1])
        return dx

    text = _BACKWARD_TEXT.format(name=name, of={"x": "x, the input", "out": "out, the output"}[of])
    return _named(backward, kernel.name, text)


relu_forward, relu_backward = _forward("relu"), _backward("relu", of="x")
leaky_relu_forward, leaky_relu_backward = _forward("leaky_relu"), _backward("leaky_relu", of="x")
tanh_forward, tanh_backward = _forward("tanh"), _backward("tanh", of="out")
sigmoid_forward, sigmoid_backward = _forward("sigmoid"), _backward("sigmoid", of="out")
softplus_forward, softplus_backward = _forward("softplus"), _backward("softplus", of="x")
elu_forward, elu_backward = _forward("elu"), _backward("elu", of="out")
gelu_forward, gelu_backward = _forward("gelu"), _backward("gelu", of="x")
silu_forward, silu_backward = _forward("silu"), _backward("silu", of="x")
