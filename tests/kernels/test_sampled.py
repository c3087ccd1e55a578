"""Scores of drawn classes, where they fill whole lines of the cache and where they do not."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.engine.memory import padded
from tests.tolerances import check


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("S", "distinct"), [(1, 1), (15, 15), (16, 16), (16, 3), (17, 17), (32, 32), (32, 17)])
def test_columns_without_a_class_have_no_part_and_those_past_the_target_s_become_0(S, distinct, dtype):
    rng = np.random.default_rng(S)
    B, n, V = 3, 5, 40
    x, w, b = (rng.normal(size=size).astype(dtype) for size in ((B, n), (V, n), V))
    classes, labels = rng.permutation(V)[:S].astype(np.int32), rng.integers(0, V, B).astype(np.int32)
    labels[0] = classes[0]  # it has drawn its own target
    shifts = rng.normal(size=S).astype(dtype)
    columns = np.zeros((n, padded(S, dtype)), dtype)
    columns[:, :S] = w[classes].T
    scores, column = np.full((B, padded(S + 1, dtype)), np.nan, dtype), np.full(B, -1, np.int32)
    k.sampled_scores.serial(scores, column, x, columns, w, b, shifts, classes, np.array([distinct]), labels, n)
    wide = x.astype(np.float64), w.astype(np.float64)
    want = wide[0] @ wide[1][classes].T + shifts
    want[classes[None, :] == labels[:, None]] = -np.inf
    want[:, distinct:] = -np.inf
    target = np.sum(wide[0] * wide[1][labels], axis=1) + b[labels]
    check([scores[:, :S], scores[:, S]], [want, target], n + 1, f"S = {S}")
    assert (scores[:, S + 1 :] == 0).all()
    assert (column == S).all()
