"""Rows of the matrix products."""

import math

from fastnn_kernels.registry.entry import PAIRS, PRODUCTS, TRIPLES, row
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded


def product(out, left, right):
    """Each argument names its two dimensions among m k n."""

    def inputs(rng, dtype, shape):
        size = dict(zip("mkn", shape, strict=True))
        (rows, columns), *operands = [[size[d] for d in dims] for dims in (out, left, right)]
        return padded(dtype, rows, columns, GARBAGE), *[normal(rng, dtype, *dims) for dims in operands]

    return inputs


def transpose(rng, dtype, shape):
    k, n = shape
    return padded(dtype, n, k, GARBAGE), normal(rng, dtype, k, n)


def rows():
    for name, dims, summed in (("matmul", "mn mk kn", 1), ("matmul_xt", "kn mk mn", 0)):
        cost = {"flops": lambda s: 2 * math.prod(s), "terms": lambda s, summed=summed: s[summed]}
        inputs = product(*dims.split())
        yield row(name, inputs, TRIPLES, PRODUCTS, around=lambda r: (r, 64, 64), **cost)
    yield row("transpose", transpose, PAIRS, {"trigram": (256, 250)}, around=lambda r: (64, r))
