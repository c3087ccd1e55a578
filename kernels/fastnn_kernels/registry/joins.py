"""Specs of sums of rows, and of rows within wider rows."""

from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, vector
from fastnn_kernels.registry.spec import PAIRS, PARAMETERS, ROWS, VECTORS, named, spec, wide


def added(rng, dtype, shape):
    B, n = shape
    return padded(dtype, B, n, GARBAGE), normal(rng, dtype, B, n), normal(rng, dtype, B, n), n


def accumulated(rng, dtype, shape):
    return vector(rng, dtype, *shape), vector(rng, dtype, *shape)


def copied(rng, dtype, shape):
    B, P, width, first, n = shape
    return padded(dtype, B, P * width, GARBAGE), normal(rng, dtype, B, P * n), P, width, first, n


def taken(rng, dtype, shape):
    B, P, width, first, n = shape
    return padded(dtype, B, P * n, GARBAGE), normal(rng, dtype, B, P * width), P, width, first, n


def specs():
    yield spec("add_rows", added, PAIRS, ROWS, around=wide, flops=lambda s: s[0] * s[1])
    yield spec("accumulate", accumulated, VECTORS, PARAMETERS, around=lambda r: (r,), flops=lambda s: s[0])
    odd = named(
        (0, 2, 5, 1, 3), (1, 1, 1, 0, 1), (3, 1, 17, 2, 15), (5, 3, 7, 0, 4), (7, 5, 33, 16, 17), (2, 3, 4, 4, 0)
    )
    bench, size = {"images": (32, 14 * 14, 64, 32, 32)}, {"around": lambda r: (r, 3, 24, 8, 16)}
    yield spec("copy_columns", copied, odd, bench, memory_of=lambda a: (a[1], a[1]), **size)
    yield spec("take_columns", taken, odd, bench, memory_of=lambda a: (a[0], a[0]), **size)
