"""Activations: the two loops, forward and backward, written once, and the scalar functions they apply.

`f(x)` is the activation; `slope(x, y)` its derivative at x, where y = f(x) is often all it needs.
"""

from numba import prange

from fastnn_kernels import _math
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


def _backward(name, slope):
    def backward(dx, dout, x, out, n):
        for i in prange(dx.shape[0]):
            for j in range(n):
                dx[i, j] = dout[i, j] * slope(x[i, j], out[i, j])

    text = f"dx = dout · f'(x), for {name}\n\n    dx, dout, x, out : (B, ≥ n); columns from n on stay"
    return _declare(backward, f"{name}_backward", ELEMENT, text)


def _declare(body, name, cost, text):
    body.__name__ = body.__qualname__ = name
    body.__doc__ = text
    return kernel(work=lambda out, *rest: cost * out.size)(body)


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


relu_forward = _forward("relu", _relu, ELEMENT, "max(x, 0)")
relu_backward = _backward("relu", _relu_slope)
leaky_relu_forward = _forward("leaky_relu", _leaky_relu, ELEMENT, "x where x ≥ 0, .01·x elsewhere")
leaky_relu_backward = _backward("leaky_relu", _leaky_relu_slope)
tanh_forward = _forward("tanh", _math.tanh, TRANSCENDENTAL, "tanh(x)")
tanh_backward = _backward("tanh", _tanh_slope)
sigmoid_forward = _forward("sigmoid", _math.sigmoid, TRANSCENDENTAL, "1 / (1 + exp(−x))")
sigmoid_backward = _backward("sigmoid", _sigmoid_slope)
