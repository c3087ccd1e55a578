"""Specs of SGD by outer products."""

import numpy as np

from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import PAIRS, TRIPLES, spec

RATE = [0.15]


def outer_update(rng, dtype, shape):
    k, n = shape
    return normal(rng, dtype, k, n), normal(rng, dtype, 1, k), normal(rng, dtype, 1, n), np.array(RATE, dtype)


def first_product(rng, dtype, shape):
    m, k, n = shape
    return normal(rng, dtype, m + 1, n), normal(rng, dtype, m + 1, k), normal(rng, dtype, k, n)


def outer_step(rng, dtype, shape):
    (out, x, w), n = first_product(rng, dtype, shape), shape[2]
    return out, w, x, normal(rng, dtype, 1, n), np.array(RATE, dtype), shape[0] // 2


def added_product(rng, dtype, shape):
    m, k, n = shape
    return normal(rng, dtype, k, n), normal(rng, dtype, m, k), normal(rng, dtype, m, n)


def earlier_steps(rng, dtype, shape):
    m, n = shape
    return normal(rng, dtype, m, n), normal(rng, dtype, m, m), normal(rng, dtype, m, n)


def kept_steps(rng, dtype, shape):
    m, n = shape
    return padded(dtype, m, n, GARBAGE), normal(rng, dtype, m, n), np.array(RATE, dtype)


def specs():
    layer, block = {"mnist-sgd": (784, 300)}, {"mnist-sgd": (32, 300)}
    yield spec(
        "sgd_outer_update", outer_update, PAIRS, layer, around=lambda r: (r, 64), flops=lambda s: 3 * s[0] * s[1]
    )
    yield spec(
        "first_matmul", first_product, TRIPLES, {"mnist-sgd": (15, 784, 300)},
        flops=lambda s: 2 * s[1] * s[2], terms=lambda s: s[1],
    )  # fmt: skip
    yield spec(
        "sgd_outer_step", outer_step, TRIPLES, {"mnist-sgd": (15, 784, 300)},
        flops=lambda s: 5 * s[1] * s[2], terms=lambda s: s[1],
    )  # fmt: skip
    yield spec(
        "add_matmul_xt", added_product, TRIPLES, {"mnist-sgd": (32, 784, 300)},
        around=lambda r: (16, r, 64), flops=lambda s: 2 * s[0] * s[1] * s[2], terms=lambda s: s[0],
    )  # fmt: skip
    yield spec(
        "add_earlier_steps", earlier_steps, PAIRS, block, flops=lambda s: s[0] * s[0] * s[1], terms=lambda s: s[0]
    )
    yield spec("keep_steps", kept_steps, PAIRS, block)
