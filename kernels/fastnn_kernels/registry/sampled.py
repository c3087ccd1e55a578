"""Specs of the softmax over a sample of classes."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, random_ids, vector
from fastnn_kernels.registry.spec import named, spec


def table(rng, dtype, shape):
    (V,) = shape
    q = (rng.random(V) ** 4).astype(dtype)
    q[1::3] = 0
    return np.full(V, GARBAGE), *np.full((2, V), -7, np.int32), q


def draw(rng, dtype, shape):
    S, V = shape
    thresholds, aliases, *rest = table(rng, dtype, (V,))
    reference.alias_table(thresholds, aliases, *rest)
    key, cursor = rng.integers(0, 2**64, 4, np.uint64), np.array([40, 3, 3, 0])
    return np.full(S, -7, np.int32), thresholds, aliases, key, cursor, 77


def _classes(rng, V, S):
    return random_ids(rng, V, (S,))


def shifts(rng, dtype, shape):
    S, V = shape
    q = (0.01 + rng.random(V)).astype(dtype)
    return np.full(S, GARBAGE, dtype), vector(rng, dtype, V), q, _classes(rng, V, S), 3 * S + 1


def scores(rng, dtype, shape):
    B, S, V, n = shape
    x, w, b = normal(rng, dtype, B, n), normal(rng, dtype, V, n), vector(rng, dtype, V)
    labels, rows = random_ids(rng, V, (B,)), normal(rng, dtype, n, S + S % 2)
    found = vector(rng, dtype, S), _classes(rng, V, S), labels, n
    return normal(rng, dtype, B, S + 1), np.full(B, -7, np.int32), x, rows, w, b, *found


def target_rows(rng, dtype, shape):
    scores_, _, x, _, w, _, _, _, labels, n = scores(rng, dtype, shape)
    return x, scores_, w, labels, shape[1], n


def specs():
    yield spec("alias_table", table, named((1,), (2,), (3,), (17,), (64,)), {"words": (50_000,)})
    draws = named((0, 3), (1, 1), (7, 2), (31, 17), (16, 64))
    words = {"words": (256, 50_000)}
    yield spec("draw_classes", draw, draws, words, around=lambda r: (r, 40))
    yield spec("sampled_shifts", shifts, draws, words, around=lambda r: (r, 40))
    odd = named((0, 3, 5, 4), (1, 1, 1, 1), (3, 16, 4, 17), (5, 15, 31, 33), (13, 4, 3, 64))
    size = {"around": lambda r: (r, 15, 10, 16), "terms": lambda s: s[3]}
    cost = {"flops": lambda s: s[0] * s[3] * 2 * (s[1] + 1)}
    words = {"words": (200, 256, 50_000, 256)}
    yield spec("sampled_scores", scores, odd, words, **size, **cost)
    yield spec("add_target_rows", target_rows, odd, words, **size, flops=lambda s: 2 * s[0] * s[3])
