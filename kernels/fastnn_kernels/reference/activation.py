"""Reference of the activations, on the first n columns."""

from math import erfc

import numpy as np

_erfc = np.vectorize(erfc, otypes=[np.float64])


def relu_forward(out, x, n):
    """out = max(x, 0)"""
    out[:, :n] = np.maximum(x[:, :n], 0)


def relu_backward(dx, dout, x, out, n):
    """dx = dout · (0 where x ≤ 0, else 1)"""
    dx[:, :n] = dout[:, :n] * np.where(x[:, :n] <= 0, 0, 1)


def leaky_relu_forward(out, x, n):
    """out = .01·x where x < 0, x elsewhere"""
    out[:, :n] = np.where(x[:, :n] < 0, 0.01 * x[:, :n], x[:, :n])


def leaky_relu_backward(dx, dout, x, out, n):
    """dx = dout · (.01 where x ≤ 0, else 1)"""
    dx[:, :n] = dout[:, :n] * np.where(x[:, :n] <= 0, 0.01, 1)


def tanh_forward(out, x, n):
    """out = tanh(x)"""
    out[:, :n] = np.tanh(x[:, :n])


def tanh_backward(dx, dout, x, out, n):
    """dx = dout · (1 − out²)"""
    dx[:, :n] = dout[:, :n] * (1 - out[:, :n] ** 2)


def sigmoid_forward(out, x, n):
    """out = 1 / (1 + exp(−x)), written with exp(−|x|), which cannot overflow"""
    e = np.exp(-np.abs(x[:, :n]))
    out[:, :n] = np.where(x[:, :n] < 0, e, 1) / (1 + e)


def sigmoid_backward(dx, dout, x, out, n):
    """dx = dout · out · (1 − out)"""
    dx[:, :n] = dout[:, :n] * (out[:, :n] * (1 - out[:, :n]))


def softplus_forward(out, x, n):
    """out = log(1 + exp(x))"""
    out[:, :n] = np.maximum(x[:, :n], 0) + np.log1p(np.exp(-np.abs(x[:, :n])))


def softplus_backward(dx, dout, x, out, n):
    """dx = dout / (1 + exp(−x))"""
    sigmoid_forward(dx, x, n)
    dx[:, :n] *= dout[:, :n]


def elu_forward(out, x, n):
    """out = exp(x) − 1 where x ≤ 0, x elsewhere"""
    out[:, :n] = np.where(x[:, :n] > 0, x[:, :n], np.expm1(np.minimum(x[:, :n], 0)))


def elu_backward(dx, dout, x, out, n):
    """dx = dout · (1 where x > 0, else out + 1, which is exp(x))"""
    dx[:, :n] = dout[:, :n] * np.where(x[:, :n] > 0, 1, out[:, :n] + 1)


def gelu_forward(out, x, n):
    """out = x · Φ(x), where Φ(x) = ½ · erfc(−x / √2)"""
    out[:, :n] = x[:, :n] * (0.5 * _erfc(-x[:, :n] / np.sqrt(2)))


def gelu_backward(dx, dout, x, out, n):
    """dx = dout · (Φ(x) + x · φ(x)), where φ(x) = exp(−x² / 2) / √(2π)"""
    x = x[:, :n]
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    dx[:, :n] = dout[:, :n] * (0.5 * _erfc(-x / np.sqrt(2)) + x * density)


def silu_forward(out, x, n):
    """out = x · s, where s = 1 / (1 + exp(−x))"""
    sigmoid_forward(out, x, n)
    out[:, :n] *= x[:, :n]


def silu_backward(dx, dout, x, out, n):
    """dx = dout · s · (1 + x · (1 − s))"""
    sigmoid_forward(dx, x, n)
    s = dx[:, :n]
    dx[:, :n] = dout[:, :n] * (s * (1 + x[:, :n] * (1 - s)))
