"""Specs of activations, biases and softmax."""

import math

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.activation import ACTIVATIONS
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, scores
from fastnn_kernels.registry.spec import PAIRS, ROWS, spec, wide


def forward(rng, dtype, shape):
    B, n = shape
    return padded(dtype, B, n, GARBAGE), scores(rng, dtype, B, n), n


# A backward kernel takes the input and the output of the activation. All slopes but these read one of them.
READS_BOTH = ("elu_backward",)


def backward(activation):
    """Inputs of a backward kernel. It gets the output of `activation`, the forward reference."""

    def inputs(rng, dtype, shape):
        dx, x, n = forward(rng, dtype, shape)
        out = padded(dtype, *shape, 0)
        activation(out, x, n)
        return dx, normal(rng, dtype, *shape), x, out, n

    return inputs


def cross_entropy(rng, dtype, shape):
    dx, x, n = forward(rng, dtype, shape)
    labels = rng.integers(0, n, len(x)).astype(np.int32)
    labels[::2] = x[::2, :n].argmax(axis=1)
    loss, correct = np.full((2, len(x)), GARBAGE, dtype)
    return loss, correct, dx, x, labels, rng.random(len(x)).astype(dtype), n


def cross_entropy_value(rng, dtype, shape):
    loss, correct, _, x, labels, _, n = cross_entropy(rng, dtype, shape)
    return loss, correct, x, labels, n


def bias_forward(rng, dtype, shape):
    return normal(rng, dtype, *shape), normal(rng, dtype, 1, shape[1])[0]


def bias_backward(rng, dtype, shape):
    return padded(dtype, 1, shape[1], GARBAGE)[0], normal(rng, dtype, *shape)


def specs():
    for name in ACTIVATIONS:
        yield spec(f"{name}_forward", forward, PAIRS, ROWS, around=wide)
        inputs = backward(getattr(reference, f"{name}_forward"))
        arrays = 4 if f"{name}_backward" in READS_BOTH else 3
        yield spec(f"{name}_backward", inputs, PAIRS, ROWS, around=wide, memory_of=lambda a, arrays=arrays: a[:arrays])
    of_row = {"around": wide, "terms": lambda s: s[1]}
    yield spec("softmax_forward", forward, PAIRS, ROWS, **of_row)
    yield spec("softmax_cross_entropy", cross_entropy, PAIRS, ROWS, **of_row)
    yield spec("softmax_cross_entropy_value", cross_entropy_value, PAIRS, ROWS, **of_row)
    yield spec("bias_forward", bias_forward, PAIRS, ROWS, around=wide, flops=math.prod)
    of_column = {"around": wide, "flops": math.prod, "terms": lambda s: s[0]}
    yield spec("bias_backward", bias_backward, PAIRS, ROWS, **of_column)
