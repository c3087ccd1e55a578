"""Specs of the drawing of classes."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, random_ids
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


def distinct(rng, dtype, shape):
    """What `slots` holds before is of another step: places of this one, too."""
    S, V = shape
    outputs = [np.full(S, -7, np.int32) for _ in range(3)]
    return *outputs, np.full(1, -7), rng.integers(0, S + 2, V, np.uint32), random_ids(rng, V, (S,))


def specs():
    yield spec("alias_table", table, named((1,), (2,), (3,), (17,), (64,)), {"words": (50_000,)})
    draws = named((0, 3), (1, 1), (7, 2), (31, 17), (16, 64))
    words = {"words": (256, 50_000)}
    yield spec("draw_classes", draw, draws, words, around=lambda r: (r, 40))
    yield spec("distinct_classes", distinct, draws, words)
