"""Reference of the activations: one table name -> (f, slope), where slope(x, y) = f'(x) and y = f(x)."""

from math import erfc

import numpy as np

_erfc = np.vectorize(erfc, otypes=[np.float64])


def _relu(x):
    """max(x, 0)"""
    return np.maximum(x, 0)


def _relu_slope(x, y):
    """0 where x ≤ 0, else 1"""
    return np.where(x <= 0, 0, 1)


def _leaky_relu(x):
    """.01·x where x < 0, x elsewhere"""
    return np.where(x < 0, 0.01 * x, x)


def _leaky_relu_slope(x, y):
    """.01 where x ≤ 0, else 1"""
    return np.where(x <= 0, 0.01, 1)


def _tanh(x):
    """tanh(x)"""
    return np.tanh(x)


def _tanh_slope(x, y):
    """1 − y²"""
    return 1 - y**2


def _sigmoid(x):
    """1 / (1 + exp(−x))"""
    e = np.exp(-np.abs(x))  # which cannot overflow
    return np.where(x < 0, e, 1) / (1 + e)


def _sigmoid_slope(x, y):
    """y · (1 − y)"""
    return y * (1 - y)


def _softplus(x):
    """log(1 + exp(x))"""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _softplus_slope(x, y):
    """1 / (1 + exp(−x))"""
    return _sigmoid(x)


def _elu(x):
    """exp(x) − 1 where x ≤ 0, x elsewhere"""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _elu_slope(x, y):
    """1 where x > 0, else y + 1, which is exp(x)"""
    return np.where(x > 0, 1, y + 1)


def _normal_cdf(x):
    return 0.5 * _erfc(-x / np.sqrt(2))


def _gelu(x):
    """x · Φ(x), where Φ(x) = ½ · erfc(−x / √2)"""
    return x * _normal_cdf(x)


def _gelu_slope(x, y):
    """Φ(x) + x · φ(x), where φ(x) = exp(−x² / 2) / √(2π)"""
    return _normal_cdf(x) + x * (np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi))


def _silu(x):
    """x · s, where s = 1 / (1 + exp(−x))"""
    return x * _sigmoid(x)


def _silu_slope(x, y):
    """s · (1 + x · (1 − s)), where s = 1 / (1 + exp(−x))"""
    s = _sigmoid(x)
    return s * (1 + x * (1 - s))


ACTIVATIONS = {
    "relu": (_relu, _relu_slope),
    "leaky_relu": (_leaky_relu, _leaky_relu_slope),
    "tanh": (_tanh, _tanh_slope),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "softplus": (_softplus, _softplus_slope),
    "elu": (_elu, _elu_slope),
    "gelu": (_gelu, _gelu_slope),
    "silu": (_silu, _silu_slope),
}


def _forward(name, f):
    def forward(out, x, n):
        out[:, :n] = f(x[:, :n])

    forward.__name__, forward.__doc__ = f"{name}_forward", f"out[:, :n] = {f.__doc__}"
    return forward


def _backward(name, slope):
    def backward(dx, dout, x, out, n):
        dx[:, :n] = dout[:, :n] * slope(x[:, :n], out[:, :n])

    backward.__name__, backward.__doc__ = f"{name}_backward", f"dx[:, :n] = dout · ({slope.__doc__}), y = out"
    return backward


_FUNCTIONS = {
    made.__name__: made
    for name, (f, slope) in ACTIVATIONS.items()
    for made in (_forward(name, f), _backward(name, slope))
}
globals().update(_FUNCTIONS)

__all__ = [*_FUNCTIONS]
