"""Specs of sequences as batches of time steps."""

import numpy as np

from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import named, spec

NONE = 250  # what stands for no target: the number of classes


def steps(rng, dtype, shape):
    B, T, n = shape
    return padded(dtype, B * T, n, GARBAGE), normal(rng, dtype, B, T * n), T, n


def sequences(rng, dtype, shape):
    B, T, n = shape
    return padded(dtype, B, T * n, GARBAGE), normal(rng, dtype, B * T, n), T, n


def targets(rng, B, T):
    """Some are none; of the second sample all, of the last one none are none."""
    found = rng.integers(0, NONE, (B, T)).astype(np.int32)
    found[rng.random((B, T)) < 0.3] = NONE
    found[1:2], found[2:][-1:] = NONE, 7
    return found


def counts(rng, dtype, shape):
    B, T = shape
    return np.full(B, GARBAGE, dtype), rng.exponential(size=B).astype(dtype), targets(rng, B, T), NONE


def labels(rng, dtype, shape):
    B, T = shape
    _, weight, asked, none = counts(rng, dtype, shape)
    return np.full(B * T, -7, np.int32), np.full(B * T, GARBAGE, dtype), asked, weight, none


def means(rng, dtype, shape):
    B, T = shape
    each = rng.exponential(size=B * T).astype(dtype)
    return np.full(B, GARBAGE, dtype), each, targets(rng, B, T), NONE


def specs():
    odd = named((0, 3, 5), (1, 1, 1), (3, 1, 16), (1, 5, 1), (5, 4, 3), (2, 7, 33))
    text, short = {"text": (32, 32, 256)}, named((0, 3), (1, 1), (2, 5), (7, 4), (33, 17))
    for name, inputs in (("sequences_to_steps", steps), ("steps_to_sequences", sequences)):
        yield spec(name, inputs, odd, text, around=lambda r: (r, 8, 16), memory_of=lambda a: a[:2])
    of_text = {"text": (32, 32)}
    yield spec("count_targets", counts, short, of_text)
    yield spec("step_labels", labels, short, of_text)
    yield spec("mean_of_steps", means, short, of_text, terms=lambda s: s[1])
