"""Specs of embeddings, of updates by row, and of sums over axes."""

import math

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, random_ids
from fastnn_kernels.registry.spec import GATHERS, TRIPLES, gathered, named, spec
from fastnn_kernels.registry.updates import in_bfloat16


def embedding_forward(rng, dtype, shape):
    B, C, V, n, first = (*shape, 0)[:5]
    return padded(dtype, B, first + C * n, GARBAGE), normal(rng, dtype, V, n), random_ids(rng, V, (B, C)), n, first


def group(rng, dtype, shape):
    B, C, V = shape
    return np.full(V + 1, -7), np.full(B * C, -7), random_ids(rng, V, (B, C))


def embedding_backward(rng, dtype, shape):
    B, C, V, n, first = (*shape, 0)[:5]
    starts, positions, ids = group(rng, dtype, shape[:3])
    reference.group_by_row(starts, positions, ids)
    return normal(rng, dtype, V, n), normal(rng, dtype, B, first + C * n), starts, positions, C, n, first


def clear_rows(rng, dtype, shape):
    dw, _, starts, *_ = embedding_backward(rng, dtype, shape)
    return dw, starts


def update_rows(rng, dtype, shape):
    dw, starts = clear_rows(rng, dtype, shape)
    return normal(rng, dtype, len(dw), shape[3]), dw, starts, np.array([0.15], dtype)


def adaptive_rows(rng, dtype, shape):
    w, dw, starts, _ = update_rows(rng, dtype, shape)
    return w, abs(normal(rng, dtype, len(w), shape[3])), dw, starts, np.array([0.15, 1e-8], dtype)


def sum_forward(rng, dtype, shape):
    B, C, n = shape
    return padded(dtype, B, n, GARBAGE), normal(rng, dtype, B, C * n), C, n


def sum_backward(rng, dtype, shape):
    B, C, n = shape
    return padded(dtype, B, C * n, GARBAGE), normal(rng, dtype, B, n), C, n


def specs():
    odd = named((0, 3, 5, 4), (1, 1, 1, 1), (4, 0, 3, 5), (13, 1, 31, 17), (5, 3, 7, 5), (7, 2, 2, 16))
    size = {"around": lambda r: (r, 3, 10, 16)}
    behind = odd | named((5, 3, 7, 5, 2), (4, 2, 5, 16, 3))  # vectors behind other columns of their row
    yield spec("embedding_forward", embedding_forward, behind, GATHERS, memory_of=gathered, **size)
    cost = {"flops": lambda s: s[0] * s[1] * s[3], "terms": lambda s: s[0] * s[1]}
    yield spec("embedding_backward", embedding_backward, behind, GATHERS, **size, **cost)
    tall = {"around": lambda r: (3, 3, r, 16)}
    yield spec("clear_rows", clear_rows, odd, GATHERS, **tall)
    yield spec("sgd_update_rows", update_rows, odd, GATHERS, **tall)
    yield spec("adagrad_update_rows", adaptive_rows, odd, GATHERS, **tall)
    yield spec("adagrad_update_rows_bfloat16", in_bfloat16(adaptive_rows, 1), odd, GATHERS, **tall)
    groups = {name: shape[:3] for name, shape in odd.items()} | {"no ids, no rows": (0, 2, 0)}
    yield spec("group_by_row", group, groups, {"trigram": (200, 3, 250)})
    bench, size = {"trigram": (200, 3, 32)}, {"around": lambda r: (r, 3, 16)}
    cost = {"flops": math.prod, "terms": lambda s: s[1]}
    yield spec("sum_forward", sum_forward, TRIPLES, bench, **size, **cost)
    yield spec("sum_backward", sum_backward, TRIPLES, bench, **size)
