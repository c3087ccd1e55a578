"""Specs of what metrics measure of each sample."""

import numpy as np

from fastnn_kernels.registry.inputs import GARBAGE, padded, scores
from fastnn_kernels.registry.spec import PAIRS, ROWS, VECTORS, spec, wide


def top_k(rng, dtype, shape):
    """Scores with ties, of the maxima too, and a NaN in one row of seven."""
    B, n = shape
    x = scores(rng, dtype, B, n)
    x[6::7, n // 2] = np.nan
    return np.full(B, GARBAGE), x, rng.integers(0, n, B, np.int32), min(3, n), n


def near_targets(targets):
    """Inputs of a metric with a target for every output; one row in seven has a NaN. `targets`: (rng, x) -> target."""

    def inputs(rng, dtype, shape):
        B, n = shape
        x = scores(rng, dtype, B, n)
        target = padded(dtype, B, n, targets(rng, x[:, :n]))
        x[6::7, n // 2] = np.nan
        return np.full(B, GARBAGE), x, target, n

    return inputs


def shifted(rng, x):
    return x + rng.standard_normal(x.shape).astype(x.dtype)


def signs(rng, x):
    """−1, 0 and 1; where a score is 0, its target often is."""
    return np.where(rng.random(x.shape) < 0.7, np.sign(x), rng.integers(-1, 2, x.shape))


def zeros_and_ones(rng, x):
    """Both sides of ½, and ½ itself."""
    return rng.integers(0, 3, x.shape) / 2


def figure(rng, dtype, shape):
    sums, cursor = padded(np.float64, 4, 6, rng.standard_normal((4, 6))), np.array([7, 2, 0, 0])
    return sums, cursor, rng.exponential(size=shape), rng.exponential(size=shape).astype(dtype), 4


def specs():
    of_row = {"around": wide, "terms": lambda s: s[1]}
    yield spec("top_k_correct", top_k, PAIRS, ROWS, around=wide)
    yield spec("absolute_errors", near_targets(shifted), PAIRS, ROWS, **of_row)
    yield spec("squared_errors", near_targets(shifted), PAIRS, ROWS, **of_row)
    yield spec("same_signs", near_targets(signs), PAIRS, ROWS, around=wide)
    yield spec("same_sides", near_targets(zeros_and_ones), PAIRS, ROWS, around=wide)
    yield spec("record_figure", figure, VECTORS, {"trigram": (200,)}, terms=lambda s: s[0])
