"""Reference of the activations, on the first n columns."""

import numpy as np


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
