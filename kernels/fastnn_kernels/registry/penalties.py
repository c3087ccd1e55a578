"""Specs of penalties on weights and of bounds on gradients."""

import numpy as np

from fastnn_kernels._lanes.sums import CHUNK, chunks
from fastnn_kernels.registry.inputs import GARBAGE, normal, vector
from fastnn_kernels.registry.spec import PAIRS, PARAMETERS, VECTORS, named, spec

SUMMED = VECTORS | named((CHUNK - 1,), (CHUNK,), (2 * CHUNK + 5,))


def added(rng, dtype, shape):
    w = vector(rng, dtype, *shape)
    w[::5] = 0
    return vector(rng, dtype, *shape), w, np.array([0.3], dtype)


def summed(rng, dtype, shape):
    return np.full(chunks(*shape), GARBAGE), vector(rng, dtype, *shape)


def penalty(rng, dtype, shape):
    partial, w = summed(rng, dtype, shape)
    return rng.random(4), partial, np.array([7, 2, 1, 0]), w, np.array([0.3], dtype)


def squares(rng, dtype, shape):
    return np.full(1, GARBAGE), *summed(rng, dtype, shape)


def scaled(rng, dtype, shape):
    dw = vector(rng, dtype, *shape)
    return dw, np.array([np.sum(dw.astype(np.float64) ** 2)]), np.array([0.7], dtype)


def clipped(rng, dtype, shape):
    return vector(rng, dtype, *shape), np.array([0.7], dtype)


def zeroed(rng, dtype, shape):
    return (np.full(shape, GARBAGE, dtype),)


def columns(rng, dtype, shape):
    """Half of the norms above the bound, half below."""
    return normal(rng, dtype, *shape), np.array([np.sqrt(shape[0])], dtype)


def specs():
    size = {"around": lambda r: (r,)}
    for name in ("add_l2", "add_l1"):
        yield spec(name, added, VECTORS, PARAMETERS, flops=lambda s: 2 * s[0], **size)
    cost = {"flops": lambda s: 2 * s[0], "terms": lambda s: s[0]}
    yield spec("penalty_l2", penalty, SUMMED, PARAMETERS, **size, **cost)
    yield spec("penalty_l1", penalty, SUMMED, PARAMETERS, **size, **cost)
    yield spec("sum_of_squares", squares, SUMMED, PARAMETERS, **size, **cost)
    yield spec("clip_by_global_norm", scaled, VECTORS, PARAMETERS, flops=lambda s: s[0], **size)
    yield spec("zero", zeroed, VECTORS, PARAMETERS, **size)
    yield spec("clip_by_value", clipped, VECTORS, PARAMETERS, **size)
    bench, size = {"trigram": (96, 256), "mnist": (784, 64)}, {"around": lambda r: (64, 16 * r)}
    yield spec("max_norm_columns", columns, PAIRS, bench, terms=lambda s: s[0], **size)
