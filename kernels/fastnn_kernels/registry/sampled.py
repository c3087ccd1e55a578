"""Specs of the softmax over a sample of classes: their scores, and the gradients."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.draws import distinct
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, random_ids, vector
from fastnn_kernels.registry.spec import named, spec


def _found(rng, V, S):
    """(classes, times, count): those that do not exist have an id that is in no table."""
    classes, times, firsts, count, slots, ids = distinct(rng, None, (S, V))
    reference.distinct_classes(classes, times, firsts, count, slots, ids)
    return classes, times, count


def rows(rng, dtype, shape):
    """All shares of S."""
    S, V, n = shape
    w, b, q = normal(rng, dtype, V, n), vector(rng, dtype, V), (0.01 + rng.random(V)).astype(dtype)
    outputs = padded(dtype, S, n, GARBAGE), padded(dtype, n, S, GARBAGE), np.full(S, GARBAGE, dtype)
    return *outputs, w, b, q, *_found(rng, V, S), 3 * S + 1, np.arange(S), S


def scores(rng, dtype, shape):
    B, S, V, n = shape
    x, w, b = normal(rng, dtype, B, n), normal(rng, dtype, V, n), vector(rng, dtype, V)
    labels, columns = random_ids(rng, V, (B,)), normal(rng, dtype, n, S + S % 2)
    classes, _, count = _found(rng, V, S)
    found = vector(rng, dtype, S), classes, count, labels, n
    return normal(rng, dtype, B, S + 1), np.full(B, -7, np.int32), x, columns, w, b, *found


def product(rng, dtype, shape):
    B, S, n = shape
    count = _found(rng, max(S, 1), S)[-1]
    return padded(dtype, B, n, GARBAGE), normal(rng, dtype, B, S + 1), normal(rng, dtype, S, n), count


def product_xt(rng, dtype, shape):
    S, B, n = shape
    x, dscores, _, count = product(rng, dtype, (B, S, n))
    return padded(dtype, S, n, GARBAGE), dscores, normal(rng, dtype, *x.shape), count, np.arange(S), S


def target_rows(rng, dtype, shape):
    scores_, _, x, _, w, *_, labels, n = scores(rng, dtype, shape)
    return x, scores_, w, labels, shape[1], n


def specs():
    triples = named((0, 3, 4), (1, 1, 1), (7, 2, 5), (31, 17, 33), (64, 40, 16))
    big = {"words": (256, 50_000, 256)}
    yield spec("sampled_rows", rows, triples, big, around=lambda r: (r, 40, 16))
    odd = named((0, 3, 5, 4), (1, 1, 1, 1), (3, 16, 4, 17), (5, 15, 31, 33), (13, 4, 3, 64))
    size = {"around": lambda r: (r, 15, 10, 16), "terms": lambda s: s[3]}
    cost = {"flops": lambda s: s[0] * s[3] * 2 * (s[1] + 1)}
    large = {"words": (200, 256, 50_000, 256)}
    yield spec("sampled_scores", scores, odd, large, **size, **cost)
    triples = named((0, 3, 5), (1, 1, 1), (3, 5, 4), (5, 17, 15), (31, 16, 33), (13, 40, 16))
    words = {"words": (200, 256, 256)}
    cost = {"flops": lambda s: 2 * s[0] * s[1] * s[2], "terms": lambda s: s[1], "around": lambda r: (r, 64, 64)}
    yield spec("sampled_matmul", product, triples, words, **cost)
    triples = named((0, 3, 5), (1, 1, 1), (3, 5, 4), (5, 17, 15), (31, 16, 33), (70, 5, 16))
    yield spec("sampled_matmul_xt", product_xt, triples, {"words": (256, 200, 256)}, **cost)
    yield spec("add_target_rows", target_rows, odd, large, **size, flops=lambda s: 2 * s[0] * s[3])
