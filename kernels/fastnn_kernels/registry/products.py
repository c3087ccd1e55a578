"""Specs of the matrix products."""

import math

from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import PAIRS, PRODUCTS, TRIPLES, spec

ZEROS = 0.8  # of the pixels of MNIST's digits, 81 % are 0
PICTURES = {name: PRODUCTS[name] for name in PRODUCTS if "mnist" in name}


def product(out, left, right):
    """Inputs of a product. Each argument names the two dimensions of a matrix, of m, k and n."""

    def inputs(rng, dtype, shape):
        size = dict(zip("mkn", shape, strict=True))
        (rows, columns), *operands = [[size[d] for d in dims] for dims in (out, left, right)]
        return padded(dtype, rows, columns, GARBAGE), *[normal(rng, dtype, *dims) for dims in operands]

    return inputs


def sparse(inputs):
    """The inputs of a product, with 0 in most places of its first operand, as in pictures."""

    def thinned(rng, dtype, shape):
        out, left, *rest = inputs(rng, dtype, shape)
        left[rng.random(left.shape) < ZEROS] = 0
        return out, left, *rest

    return thinned


def with_weight(rng, dtype, shape):
    """Inputs of xᵀ · dout, and a weight whose rows are prefetched."""
    dw, x, dout = product("kn", "mk", "mn")(rng, dtype, shape)
    return dw, x, dout, normal(rng, dtype, *dw.shape)


def transpose(rng, dtype, shape):
    k, n = shape
    return padded(dtype, n, k, GARBAGE), normal(rng, dtype, k, n)


def specs():
    for name, dims, summed in (("matmul", "mn mk kn", 1), ("matmul_xt", "kn mk mn", 0)):
        cost = {"flops": lambda s: 2 * math.prod(s), "terms": lambda s, summed=summed: s[summed]}
        inputs = product(*dims.split())
        yield spec(name, inputs, TRIPLES, PRODUCTS, around=lambda r: (r, 64, 64), **cost)
        # The multiplications that are left out count, too: so it can be compared with the other product.
        yield spec(f"sparse_{name}", sparse(inputs), TRIPLES, PICTURES, around=lambda r: (r, 64, 64), **cost)
    cost = {"flops": lambda s: 2 * math.prod(s), "terms": lambda s: s[0]}
    cost |= {"memory_of": lambda a: a[:3], "around": lambda r: (r, 64, 64)}
    yield spec("matmul_xt_prefetch", with_weight, TRIPLES, PRODUCTS, **cost)
    yield spec("sparse_matmul_xt_prefetch", sparse(with_weight), TRIPLES, PICTURES, **cost)
    yield spec("transpose", transpose, PAIRS, {"trigram": (256, 250)}, around=lambda r: (64, r))
