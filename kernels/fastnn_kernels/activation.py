"""Activations: the two loops, forward and backward, written once, and the scalar functions they apply.

`f(x)` is the activation; `slope(x, y)` its derivative at x, where y = f(x) is often all it needs.
"""

import inspect

from numba import prange

from fastnn_kernels import _erf, _expm1, _math
from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT, TRANSCENDENTAL


def _forward(name, f, cost, formula):
    def forward(out, x, n):
        for i in prange(out.shape[0]):
            for j in range(n):
                out[i, j] = f(x[i, j])

    return _declare(
        forward, f"{name}_forward", cost, f"out = {formula}\n\n    out, x : (B, ≥ n); columns from n on stay"
    )


def _backward(name, slope, cost=ELEMENT):
    def backward(dx, dout, x, out, n):
        for i in prange(dx.shape[0]):
            for j in range(n):
                dx[i, j] = dout[i, j] * slope(x[i, j], out[i, j])

    text = f"dx = dout · f'(x), for {name}\n\n    dx, dout, x, out : (B, ≥ n); columns from n on stay"
    return _declare(backward, f"{name}_backward", cost, text)


def _declare(body, name, cost, text):
    body.__name__ = body.__qualname__ = name
    body.__doc__ = text
    operands = tuple(inspect.signature(body).parameters)[:-1]  # all but n
    return kernel(work=lambda out, *rest: cost * out.size, per_sample=True, cut=operands)(body)


# type(x)(0) and the like: a bare 0 or .5 would turn float32 into float64. Comparisons are written so
# that NaN, of which every comparison is false, takes the branch that returns it.


@inline
def _relu(x):
    return type(x)(0) if x < 0 else x


@inline
def _relu_slope(x, y):
    return type(x)(0) if x <= 0 else type(x)(1)


@inline
def _leaky_relu(x):
    return type(x)(0.01) * x if x < 0 else x


@inline
def _leaky_relu_slope(x, y):
    return type(x)(0.01) if x <= 0 else type(x)(1)


@inline
def _tanh_slope(x, y):
    return type(y)(1) - y * y


@inline
def _sigmoid_slope(x, y):
    return y * (type(y)(1) - y)


@inline
def _softplus(x):
    # exp of −|x| cannot overflow, and log1p keeps all digits of a tiny one.
    return (x if x > 0 else type(x)(0)) + _expm1.log1p(_math.exp(-abs(x)))


@inline
def _softplus_slope(x, y):
    return _math.sigmoid(x)


@inline
def _elu(x):
    return x if x > 0 else _expm1.expm1(x)


@inline
def _elu_slope(x, y):
    return type(x)(1) if x > 0 else y + type(x)(1)  # exp(x) = f(x) + 1


@inline
def _gelu(x):
    return x * _erf.normal_cdf(x)


@inline
def _gelu_slope(x, y):
    return _erf.normal_cdf(x) + x * _erf.normal_density(x)


@inline
def _silu(x):
    return x * _math.sigmoid(x)


@inline
def _silu_slope(x, y):
    # sigmoid(−x) for 1 − sigmoid(x), which for large x would be rounding errors, times x.
    return _math.sigmoid(x) * (type(x)(1) + x * _math.sigmoid(-x))


relu_forward = _forward("relu", _relu, ELEMENT, "max(x, 0)")
relu_backward = _backward("relu", _relu_slope)
leaky_relu_forward = _forward("leaky_relu", _leaky_relu, ELEMENT, "x where x ≥ 0, .01·x elsewhere")
leaky_relu_backward = _backward("leaky_relu", _leaky_relu_slope)
tanh_forward = _forward("tanh", _math.tanh, TRANSCENDENTAL, "tanh(x)")
tanh_backward = _backward("tanh", _tanh_slope)
sigmoid_forward = _forward("sigmoid", _math.sigmoid, TRANSCENDENTAL, "1 / (1 + exp(−x))")
sigmoid_backward = _backward("sigmoid", _sigmoid_slope)
softplus_forward = _forward("softplus", _softplus, 2 * TRANSCENDENTAL, "log(1 + exp(x))")
softplus_backward = _backward("softplus", _softplus_slope, TRANSCENDENTAL)
elu_forward = _forward("elu", _elu, TRANSCENDENTAL, "x where x > 0, exp(x) − 1 elsewhere")
elu_backward = _backward("elu", _elu_slope)
# Not the approximation by tanh. At ±inf, where the formulas of gelu and silu meet 0 · inf, some results are NaN.
gelu_forward = _forward("gelu", _gelu, 2 * TRANSCENDENTAL, "x · Φ(x), Φ the normal distribution function")
gelu_backward = _backward("gelu", _gelu_slope, 2 * TRANSCENDENTAL)
silu_forward = _forward("silu", _silu, TRANSCENDENTAL, "x / (1 + exp(−x))")
silu_backward = _backward("silu", _silu_slope, 2 * TRANSCENDENTAL)
