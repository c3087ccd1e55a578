"""Activations: one table. The two loops, forward and backward, are written once and made for each of its rows.

A new activation is a row of ACTIVATIONS here and a row of `reference.activation.ACTIVATIONS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from numba import prange

from fastnn_kernels._jit import always_inline, kernel
from fastnn_kernels._math import elementary, normal
from fastnn_kernels._math.expm1 import expm1, log1p
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL


class Activation(NamedTuple):
    """A function of one number, its derivative, and what their kernels need besides.

    f              x -> y
    slope          (x, y) -> f'(x)
    forward_cost   nanoseconds an element
    backward_cost  nanoseconds an element
    formula        of f, for the docstring
    reads_x        whether the slope needs x itself; for the others y may be given in its place
    """

    f: Callable
    slope: Callable
    forward_cost: float
    backward_cost: float
    formula: str
    reads_x: bool = False


# Inlined whatever their length: as a call, softplus took 17 ns an element and gelu 9; in vector registers they take .8
# and 1.0 (one core with AVX-512). type(x)(0) and the like: a bare 0 or .5 would turn float32 into float64. Every
# comparison with NaN is false, and the branch taken then is the one that returns NaN.


@always_inline
def _relu(x):
    return type(x)(0) if x < 0 else x


@always_inline
def _relu_slope(x, y):
    # y ≤ 0 just where x ≤ 0. The layer behind has just read y, so it is in a cache; x comes from memory.
    return type(y)(0) if y <= 0 else type(y)(1)


@always_inline
def _leaky_relu(x):
    return type(x)(0.01) * x if x < 0 else x


@always_inline
def _leaky_relu_slope(x, y):
    return type(y)(0.01) if y <= 0 else type(y)(1)


@always_inline
def _tanh_slope(x, y):
    return type(y)(1) - y * y


@always_inline
def _sigmoid_slope(x, y):
    return y * (type(y)(1) - y)


@always_inline
def _softplus(x):
    # exp(−|x|) cannot overflow, and log1p keeps all digits of a tiny argument.
    return (x if x > 0 else type(x)(0)) + log1p(elementary.exp_minus_abs(x))


@always_inline
def _softplus_slope(x, y):
    return elementary.sigmoid(x)


@always_inline
def _elu(x):
    return x if x > 0 else expm1(x)


@always_inline
def _elu_slope(x, y):
    return type(x)(1) if x > 0 else y + type(x)(1)  # exp(x) = f(x) + 1


# Exact, not the approximation by tanh. At ±inf, where gelu, silu and their slopes multiply 0 by infinity, some results
# are NaN.


@always_inline
def _gelu(x):
    return x * normal.normal_cdf(x)


@always_inline
def _gelu_slope(x, y):
    return normal.normal_cdf(x) + x * normal.normal_density(x)


@always_inline
def _silu(x):
    return x * elementary.sigmoid(x)


@always_inline
def _silu_slope(x, y):
    # sigmoid(−x), because 1 − sigmoid(x) of a large x holds rounding errors only, and is multiplied by x.
    return elementary.sigmoid(x) * (type(x)(1) + x * elementary.sigmoid(-x))


# fmt: off
ACTIVATIONS = {
    "relu": Activation(_relu, _relu_slope, ELEMENT, ELEMENT, "max(x, 0)"),
    "leaky_relu": Activation(_leaky_relu, _leaky_relu_slope, ELEMENT, ELEMENT, "x where x ≥ 0, .01·x elsewhere"),
    "tanh": Activation(elementary.tanh, _tanh_slope, TRANSCENDENTAL, ELEMENT, "tanh(x)"),
    "sigmoid": Activation(elementary.sigmoid, _sigmoid_slope, TRANSCENDENTAL, ELEMENT, "1 / (1 + exp(−x))"),
    "softplus": Activation(_softplus, _softplus_slope, 2 * TRANSCENDENTAL, TRANSCENDENTAL, "log(1 + exp(x))", True),
    "elu": Activation(_elu, _elu_slope, TRANSCENDENTAL, ELEMENT, "x where x > 0, exp(x) − 1 elsewhere"),
    "gelu": Activation(_gelu, _gelu_slope, 2 * TRANSCENDENTAL, 2 * TRANSCENDENTAL,
                       "x · Φ(x), Φ the normal distribution function", True),
    "silu": Activation(_silu, _silu_slope, TRANSCENDENTAL, 2 * TRANSCENDENTAL, "x / (1 + exp(−x))", True),
}
# fmt: on


def _forward(name, activation):
    f = activation.f

    def forward(out, x, n):
        for i in prange(out.shape[0]):
            for j in range(n):
                out[i, j] = f(x[i, j])

    text = f"out = {activation.formula}\n\n    out, x : (B, ≥ n); columns from n on stay"
    return _declared(forward, f"{name}_forward", activation.forward_cost, text, ("out", "x"))


def _backward(name, activation):
    slope = activation.slope

    def backward(dx, dout, x, out, n):
        for i in prange(dx.shape[0]):
            for j in range(n):
                dx[i, j] = dout[i, j] * slope(x[i, j], out[i, j])

    text = f"dx = dout · f'(x), for {name}\n\n    dx, dout, x, out : (B, ≥ n); columns from n on stay"
    return _declared(backward, f"{name}_backward", activation.backward_cost, text, ("dx", "dout", "x", "out"))


def _declared(body, name, cost, text, cut):
    """The kernel of a loop made above, under a name of its own: symbols of cached code are found by qualified name."""
    body.__name__ = body.__qualname__ = name
    body.__doc__ = text
    return kernel(work=lambda out, *rest: cost * out.size, per_sample=True, cut=cut)(body)


# relu_forward, relu_backward, …: names of this module, like the kernels of every other family.
_KERNELS = {
    made.name: made
    for name, activation in ACTIVATIONS.items()
    for made in (_forward(name, activation), _backward(name, activation))
}
globals().update(_KERNELS)

__all__ = ["ACTIVATIONS", *_KERNELS]
