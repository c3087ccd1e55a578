"""Specs of the first and the last operations of a training step."""

import numpy as np

from fastnn_kernels.batch import ROUNDS
from fastnn_kernels.registry.inputs import GARBAGE, padded, random_ids
from fastnn_kernels.registry.spec import VECTORS, gathered, named, spec


def gather(rng, dtype, shape):
    B, N, C = shape
    return padded(dtype, B, C, GARBAGE), rng.standard_normal((N, C)).astype(dtype), random_ids(rng, N, B, np.int64)


def gather_values(rng, dtype, shape):
    B, N = shape
    return np.full(B, -7), rng.integers(0, 1000, N), random_ids(rng, N, B, np.int64)


def gather_ids(rng, dtype, shape):
    """Of 250 ids; in the tests some are out of range, on either side. Some were wrong before."""
    B, N, C = shape
    spread = 20 if N < 100 else 0
    source = rng.integers(-spread, 250 + spread, (N, C))
    if spread and N:
        source[0] = rng.choice([-1, 250, -(2**62), 2**62])  # the first row is always asked for
    return padded(np.int32, B, C, -7), rng.integers(0, 2, B, np.int32), source, random_ids(rng, N, B, np.int64), 250


def gather_labels(rng, dtype, shape):
    out, wrong, source, indices, count = gather_ids(rng, dtype, (*shape, 1))
    return out[:, 0].copy(), wrong, source[:, 0].copy(), indices, count


def permuted(rng, dtype, shape):
    B, count = shape
    key = rng.integers(0, 2**64, 2 * ROUNDS, np.uint64)
    return np.full(B, -7), np.array([(count - B) // 2 + 7, 3, 1, 7]), key, count


def sequential(rng, dtype, shape):
    return np.full(shape, -7), np.array([5, 3, 1, 2])


def advance(rng, dtype, shape):
    return sequential(rng, dtype, shape)[::-1]


def scalars(rng, dtype, shape):
    steps, r = shape
    table = rng.standard_normal((steps, r)).astype(dtype)
    return np.full(r, GARBAGE, dtype), table, np.array([5, 3, steps - 1, 0])


def weights(rng, dtype, shape):
    return np.full(shape, GARBAGE, dtype), rng.exponential(size=shape).astype(dtype)


def scaled(rng, dtype, shape):
    values, factor = rng.standard_normal(shape).astype(dtype), rng.standard_normal(1).astype(dtype)
    return np.full(shape, GARBAGE, dtype), values, factor


def added(rng, dtype, shape):
    out, a, factor = scaled(rng, dtype, shape)
    return out, a, rng.standard_normal(shape).astype(dtype), factor


def record(rng, dtype, shape):
    loss, sample_weight, loss_weight = rng.exponential(size=(3, *shape)).astype(dtype)
    correct = rng.integers(0, 2, shape).astype(dtype)
    losses, sums, cursor = rng.standard_normal(4), rng.standard_normal((4, 4)), np.array([7, 2, 0, 0])
    return losses, sums, cursor, loss, correct, sample_weight, loss_weight


def gathered_ids(args):
    out, wrong, _, indices, _ = args
    return out, out, wrong, indices


def specs():
    odd = named((0, 5, 3), (0, 0, 3), (1, 1, 1), (5, 3, 16), (7, 31, 17), (13, 2, 0))
    bench = {"mnist": (200, 10_000, 784), "trigram": (200, 372_500, 3)}
    yield spec("gather_rows", gather, odd, bench, around=lambda r: (r, 31, 16), memory_of=gathered)
    bench = {"trigram": (200, 372_500, 3)}
    yield spec("gather_ids", gather_ids, odd, bench, around=lambda r: (r, 31, 16), memory_of=gathered_ids)
    odd = named((0, 0), (0, 5), (1, 1), (3, 1), (7, 31))
    yield spec("gather_labels", gather_labels, odd, {"trigram": (200, 372_500)}, memory_of=gathered_ids)
    yield spec("gather_values", gather_values, odd, {"trigram": (200, 372_500)}, memory_of=gathered)
    odd = named((0, 1), (1, 1), (2, 2), (3, 3), (5, 7), (17, 17), (31, 64), (33, 65), (8, 372_500))
    yield spec("permuted_indices", permuted, odd, {"trigram": (200, 372_500)})
    yield spec("sequential_indices", sequential, VECTORS, {"trigram": (200,)})
    yield spec("advance_cursor", advance, VECTORS, {"trigram": (200,)})
    yield spec("select_scalars", scalars, named((1, 1), (3, 5)), {"adam": (100, 5)})
    yield spec("normalise_weights", weights, VECTORS, {"trigram": (200,)}, terms=lambda s: s[0])
    yield spec("scale_values", scaled, VECTORS, {"trigram": (200,)})
    yield spec("add_scaled", added, VECTORS, {"trigram": (200,)})
    yield spec("record_step", record, VECTORS, {"trigram": (200,)}, terms=lambda s: s[0])
