"""Specs of the adaptive softmax."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, random_ids, scores, vector
from fastnn_kernels.registry.spec import named, spec

CLUSTERS = 3


def rows(rng, dtype, shape):
    """B samples of V classes; room for one sample more than there are, as in a last, smaller batch."""
    B, V = shape
    cutoffs = np.unique([max(V // 9, 1), max(V // 4, 2), max(V // 2, 3), max(V, 4)])
    labels = random_ids(rng, V, (B,))
    return np.full(B, -7, np.int32), np.full(B + 1, -7), np.full(len(cutoffs), -7), labels, cutoffs


def _listed(rng, dtype, B):
    """(order, starts, cluster, labels, first class) of B samples, most of them in a cluster of 7 classes."""
    column, order, starts, labels, cutoffs = rows(rng, dtype, (B, 14))
    labels[rng.random(B) < 0.6] = 9
    reference.cluster_rows(column, order, starts, labels, cutoffs)
    cluster = len(cutoffs) - 2
    return order, starts, cluster, labels, int(cutoffs[cluster])


SHARES = np.arange(reference.adaptive.SHARES)


def gather(rng, dtype, shape):
    B, n = shape
    order, starts, cluster, *_ = _listed(rng, dtype, B)
    return padded(dtype, B + 1, n, 0), normal(rng, dtype, B, n), order, starts, cluster, SHARES


def add_rows(rng, dtype, shape):
    B, n = shape
    order, starts, cluster, *_ = _listed(rng, dtype, B)
    return normal(rng, dtype, B, n), normal(rng, dtype, B + 1, n), order, starts, cluster, SHARES


def product(rng, dtype, shape):
    m, k, n = shape
    _, starts, cluster, *_ = _listed(rng, dtype, m)
    out = padded(dtype, m, n, GARBAGE)
    return out, normal(rng, dtype, m, k), normal(rng, dtype, k, n), starts, cluster, SHARES


def product_xt(rng, dtype, shape):
    m, k, n = shape
    _, starts, cluster, *_ = _listed(rng, dtype, m)
    out = padded(dtype, k, n, GARBAGE)
    return out, normal(rng, dtype, m, k), normal(rng, dtype, m, n), starts, cluster


def cross_entropy(rng, dtype, shape):
    B, n = shape
    order, starts, cluster, labels, first = _listed(rng, dtype, B)
    labels = np.where(labels >= first, first + labels % n, labels)
    loss, correct, weight = vector(rng, dtype, B), rng.integers(0, 2, B).astype(dtype), vector(rng, dtype, B)
    return loss, correct, scores(rng, dtype, B + 1, n), order, starts, cluster, labels, first, weight, SHARES, n


def place(rng, dtype, shape):
    B, n = shape
    return normal(rng, dtype, B, n + 5), scores(rng, dtype, B, n), 4, 2, n


def specs():
    lists = named((0, 4), (1, 5), (2, 4), (17, 5), (31, 14), (64, 1000))
    yield spec("cluster_rows", rows, lists, {"words": (200, 50_000)})
    odd = named((0, 3), (1, 1), (3, 16), (5, 17), (31, 15), (130, 33))
    wide = {"around": lambda r: (r, 64)}
    yield spec("gather_cluster", gather, odd, {"words": (200, 256)}, **wide)
    yield spec("add_cluster_rows", add_rows, odd, {"words": (200, 256)}, **wide)
    triples = named((0, 3, 5), (1, 1, 1), (3, 5, 0), (5, 17, 15), (31, 16, 33), (270, 7, 18))
    words = {"words": (200, 16, 40_000)}
    cost = {"flops": lambda s: s[0] * s[1] * s[2], "around": lambda r: (r, 64, 64)}
    yield spec("cluster_matmul", product, triples, words, **cost, terms=lambda s: s[1])
    yield spec("cluster_matmul_xt", product_xt, triples, {"words": (200, 40_000, 16)}, **cost, terms=lambda s: s[0])
    words = {"words": (200, 40_000)}
    yield spec("cluster_cross_entropy", cross_entropy, odd, words, **wide, terms=lambda s: s[1])
    yield spec("place_log_probabilities", place, odd, words, **wide, terms=lambda s: s[1])
