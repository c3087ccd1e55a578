"""`narrow_sgd` of nets with one hidden layer and two scores, whose sums and gradients stay in registers.

Each sample waits for the weights that the last one leaves. What is written on this way and read again at once adds to
the wait, some 3 ns each time: scores, their exponentials, gradients. Here a hidden unit is taken as a whole: its sum,
its activation, its part of both scores; backward, its gradient and the update of its weights. Only weights pass through
memory. A step of the net 2-3-2 takes 59 instead of 84 ns (float64, Zen 5, AVX-512). Every sum has the same order as
there, so the bits are the same.
"""

from fastnn_kernels._jit import always_inline, kernel
from fastnn_kernels._math.elementary import exp_nonpositive, rounded_product
from fastnn_kernels._narrow.layout import CODES, FIELDS
from fastnn_kernels.activation import ACTIVATIONS
from fastnn_kernels.narrow import _weights
from fastnn_kernels.narrow_sgd import _finish, _part

__all__ = ["narrow_sgd_two"]


def _chosen(name, code, function, otherwise):
    """A function that computes `function` of numbers where the code is given, and leaves others to `otherwise`."""

    def chosen(given, *numbers):
        if given != code:
            return otherwise(given, *numbers)
        return function(*numbers)

    chosen.__qualname__ = f"{name}.{code}"
    return always_inline(chosen)


@always_inline
def _activated(given, z):
    """z, for the identity."""
    return z


@always_inline
def _slope(given, z, y):
    """1, for the identity."""
    return type(z)(1)


for _name, _activation in ACTIVATIONS.items():
    _activated = _chosen("activated", CODES[_name], _activation.f, _activated)
    _slope = _chosen("slope", CODES[_name], _activation.slope, _slope)


@always_inline
def _forward(z, y, x, w, v, activation):
    """The hidden sums z and outputs y; the two scores"""
    first = second = type(z[0])(0)
    for j in range(z.shape[0]):
        total = type(z[0])(0)
        for i in range(x.shape[0]):
            total = x[i] * w[i, j] + total
        value = _activated(activation, total)
        z[j], y[j] = total, value
        first, second = value * v[j, 0] + first, value * v[j, 1] + second
    for j in range(z.shape[0], v.shape[0]):  # the bias
        first, second = y[j] * v[j, 0] + first, y[j] * v[j, 1] + second
    return first, second


@always_inline
def _judge(loss, correct, first, second, label, weight, s):
    """The gradients of both scores; loss and correct as `narrow_sgd._judge` leaves them"""
    is_first, zero = label == 0, type(weight)(0)
    larger = second > first
    largest = second if larger else first
    d0, d1 = exp_nonpositive(first - largest), exp_nonpositive(second - largest)
    total = d0 + d1
    loss[s] = largest - (first if is_first else second)
    correct[s] = total if is_first != larger else -total
    scale = weight / total
    d0, d1 = rounded_product(d0, scale), rounded_product(d1, scale)
    return d0 - (weight if is_first else zero), d1 - (zero if is_first else weight)


@always_inline
def _backward(w, v, x, z, y, d0, d1, activation, lr):
    """The step of all weights. A product with lr stays in the loop, and so is fused, as it reads y or x there."""
    for j in range(z.shape[0]):
        total = v[j, 1] * d1 + rounded_product(v[j, 0], d0)
        v[j, 0] -= lr * (y[j] * d0)
        v[j, 1] -= lr * (y[j] * d1)
        d = rounded_product(total, _slope(activation, z[j], y[j]))
        for i in range(x.shape[0]):
            w[i, j] -= lr * (x[i] * d)
    for j in range(z.shape[0], v.shape[0]):
        v[j, 0] -= lr * (y[j] * d0)
        v[j, 1] -= lr * (y[j] * d1)


@kernel(outputs=4, scalar=True)
def narrow_sgd_two(loss, correct, parameters, memory, x, labels, loss_weight, table, cursor, geometry):
    """`narrow_sgd` of a net of two layers, the last of which has two units and no activation

    memory : (2, ≥ rows), for the values of a sample, which those of the last one stay; its second row stays as it is
    loss, correct, parameters, x, labels, loss_weight, table, cursor, geometry : as there
    """
    hidden, last, column = geometry[0], geometry[1], memory[0]
    w, v = _weights(parameters, hidden), _weights(parameters, last)
    inputs, units, activation = hidden[FIELDS.inputs], hidden[FIELDS.units], hidden[FIELDS.activation]
    own, z = _part(column, 0, w.shape[0]), _part(column, hidden[FIELDS.z], units)
    y, scores = _part(column, hidden[FIELDS.y], units + 1), _part(column, last[FIELDS.y], 3)
    column[inputs] = y[units] = scores[2] = 1
    for s in range(x.shape[0]):
        for i in range(inputs):
            own[i] = x[s, i]
        first, second = _forward(z, y, own, w, v, activation)
        scores[0], scores[1] = first, second
        d0, d1 = _judge(loss, correct, first, second, labels[s], loss_weight[s], s)
        _backward(w, v, own, z, y, d0, d1, activation, table[cursor[2] + s, 0])
    _finish(loss, correct)
