"""Losses of one score x and its target t: the term of the sum, and its slope by x.

Each function returns both. `setting` is what the loss is set by; those that have nothing to set ignore it.
"""

import numpy as np

from fastnn_kernels._jit import always_inline
from fastnn_kernels._math.elementary import exp, exp_minus_abs, log, sigmoid_from
from fastnn_kernels._math.expm1 import log1p


@always_inline
def squared(x, t, setting):
    """(x − t)², and half its slope"""
    d = x - t
    return d * d, d


@always_inline
def absolute(x, t, setting):
    """|x − t|"""
    d = x - t
    return abs(d), np.sign(d)


@always_inline
def huber(x, t, delta):
    """½ d² for |d| ≤ δ, else δ · (|d| − ½ δ), d = x − t: near · (|d| − ½ · near), near = min(|d|, δ). NaN stays NaN."""
    d = x - t
    size = abs(d)
    near = delta if delta < size else size
    within = delta if delta < d else d
    return near * (size - near * type(near)(0.5)), -delta if -delta > within else within


@always_inline
def logistic(x, t, setting):
    """log(1 + exp(x)) − t · x"""
    e = exp_minus_abs(x)
    positive = x if x > 0 else type(x)(0)
    return (positive - x * t) + log1p(e), sigmoid_from(x, e) - t


@always_inline
def deviance(x, t, setting):
    """exp(x) − t + t · (log t − x), t log t = 0 for t = 0"""
    mean = exp(x)
    own = log(t if t > 0 else type(t)(1))
    return (mean - t) + t * (own - x), mean - t
