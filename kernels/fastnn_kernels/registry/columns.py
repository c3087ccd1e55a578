"""Specs of the columns of a table as inputs of a net."""

import numpy as np

from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import named, spec


def numbers(rng, dtype, shape):
    B, C, M = shape
    mean, std = normal(rng, dtype, 1, M)[0], padded(dtype, 1, M, rng.uniform(0.5, 2, M))[0]
    return padded(dtype, B, M, GARBAGE), normal(rng, dtype, B, C), rng.permutation(C)[:M], mean, std


def categories(rng, dtype, shape):
    B, C, K = shape
    counts = rng.integers(1, 9, K)
    columns, begins = rng.permutation(C)[:K], np.concatenate([[0], np.cumsum(counts)])
    x = normal(rng, dtype, B, C)
    x[:, columns] = rng.integers(0, counts, (B, K))
    return padded(np.int32, B, K, -7), x, columns, begins


def specs():
    odd = named((0, 3, 2), (1, 1, 1), (3, 5, 5), (4, 4, 0), (7, 31, 17), (13, 18, 10))
    bench, size = {"table": (128, 18, 10)}, {"around": lambda r: (r, 18, 8)}
    written = {"memory_of": lambda a: (a[0],)}
    yield spec("standardise_columns", numbers, odd, bench, flops=lambda s: 2 * s[0] * s[2], **written, **size)
    yield spec("category_rows", categories, odd, bench, **written, **size)
