"""Specs of the losses that are fused with their gradients."""

import numpy as np

from fastnn_kernels.registry.elementwise import cross_entropy
from fastnn_kernels.registry.inputs import GARBAGE, padded, scores
from fastnn_kernels.registry.spec import PAIRS, ROWS, spec, wide


def smooth(rng, dtype, shape):
    *args, n = cross_entropy(rng, dtype, shape)
    return *args, np.array([0.1], dtype), n


def log_means(rng, dtype, rows, columns):
    """Scores whose exponentials are of the size of counts."""
    return np.clip(scores(rng, dtype, rows, columns), -4, 4)


def matrix_target(targets, *scalars, scores=scores):
    """Inputs of a loss with a target for every output. `targets`: (rng, x) -> values of the target."""

    def inputs(rng, dtype, shape):
        B, n = shape
        x = scores(rng, dtype, B, n)
        loss, correct = np.full((2, B), GARBAGE, dtype)
        loss_weight = rng.random(B).astype(dtype)
        target = padded(dtype, B, n, targets(rng, x[:, :n]))
        dx, values = padded(dtype, B, n, GARBAGE), [np.array([s], dtype) for s in scalars]
        return loss, correct, dx, x, target, loss_weight, *values, n

    return inputs


def smooth_value(rng, dtype, shape):
    loss, correct, _, x, labels, _, scalars, n = smooth(rng, dtype, shape)
    return loss, correct, x, labels, scalars, n


def probabilities(rng, x):
    """0 and 1, and some between."""
    t = (rng.random(x.shape) < 0.5).astype(x.dtype)
    t[rng.random(x.shape) < 0.2] = 0.25
    return t


def near_and_far(rng, x):
    """Differences on both sides of 1; every seventh is 0, and every third row is x shifted, with the same argmax."""
    t = x + rng.standard_normal(x.shape).astype(x.dtype)
    t[::3] = x[::3] + x.dtype.type(0.5)
    t.flat[::7] = x.flat[::7]
    return t


def counts(rng, x):
    """Whole numbers from 0 on, and some between; of every third row the largest where that of x is."""
    t = rng.poisson(1.5, x.shape).astype(x.dtype)
    t[rng.random(x.shape) < 0.2] = 0.25
    t[::3] = np.exp(x[::3])
    return t


def exponents(rng, dtype, shape):
    B, n = shape
    return padded(dtype, B, n, GARBAGE), log_means(rng, dtype, B, n), n


TARGETED = {  # losses against numbers
    "binary_cross_entropy": matrix_target(probabilities),
    "mse": matrix_target(near_and_far, 0.5),
    "mae": matrix_target(near_and_far),
    "huber": matrix_target(near_and_far, 1.0),
    "poisson": matrix_target(counts, scores=log_means),
}


def specs():
    of_row = {"around": wide, "terms": lambda s: s[1]}
    yield spec("softmax_cross_entropy_smooth", smooth, PAIRS, ROWS, **of_row)
    yield spec("softmax_cross_entropy_smooth_value", smooth_value, PAIRS, ROWS, **of_row)
    for name, inputs in TARGETED.items():
        yield spec(name, inputs, PAIRS, ROWS, **of_row)
    yield spec("exp_forward", exponents, PAIRS, ROWS, around=wide)
