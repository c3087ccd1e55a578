"""A batch of sequences as one of time steps and back, for outputs with a label at every step, as of a text.

A batch of sequences has a row for each sample, (B, ≥ T·n), its T steps side by side; one of steps has a row for each
step, (B·T, ≥ n), in the same order. Scores, losses and their gradients are computed of steps, by the kernels that take
samples elsewhere. A target that is `none` says that its step has no label: the step has weight 0.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT

__all__ = ["count_targets", "mean_of_steps", "sequences_to_steps", "step_labels", "steps_to_sequences"]


@kernel(work=lambda out, x, T, n: ELEMENT * x.shape[0] * T * n, per_sample=True, cut=("out", "x"))
def sequences_to_steps(out, x, T, n):
    """out[b·T + t, :n] = x[b, t·n : t·n + n]

    out : (B·T, ≥ n)    x : (B, ≥ T·n)
    """
    for b in prange(x.shape[0]):
        for t in range(T):
            own, at = out[b * T + t], t * n
            for j in range(n):
                own[j] = x[b, at + j]


@kernel(work=lambda out, rows, T, n: ELEMENT * out.shape[0] * T * n, per_sample=True, cut=("out", "rows"))
def steps_to_sequences(out, rows, T, n):
    """out[b, t·n : t·n + n] = rows[b·T + t, :n], the inverse of `sequences_to_steps`

    out : (B, ≥ T·n)    rows : (B·T, ≥ n)
    """
    for b in prange(out.shape[0]):
        for t in range(T):
            own, at = rows[b * T + t], t * n
            for j in range(n):
                out[b, at + j] = own[j]


@inline
def _count(targets, none):
    """How many steps of one sample have a label"""
    count = 0
    for t in range(targets.shape[0]):
        count += targets[t] != none
    return count


@kernel(per_sample=True, cut=("out", "weight", "targets"))
def count_targets(out, weight, targets, none):
    """out[b] = weight[b] · the number of targets of sample b, so that all steps of a batch count alike

    out, weight : (B,)    targets : (B, T) int32
    """
    for b in range(out.shape[0]):
        out[b] = weight[b] * _count(targets[b], none)


@kernel(outputs=2, per_sample=True, cut=("labels", "weights", "targets", "weight"))
def step_labels(labels, weights, targets, weight, none):
    """The label and the weight of each step: targets[b, t], and weight[b] shared among the targets of sample b

    Without a target: weight 0, and the first target of the sample, or 0, so that no other class is looked up for it.

    labels : (B·T,) int32    weights : (B·T,)    targets : (B, T) int32    weight : (B,)
    """
    T = targets.shape[1]
    for b in range(targets.shape[0]):
        count, first = _count(targets[b], none), 0
        for t in range(T - 1, -1, -1):
            first = targets[b, t] if targets[b, t] != none else first
        own, shares = labels[b * T : b * T + T], weights[b * T : b * T + T]
        # Divided before the loop, which gathered weight[b] under a mask, as vectors, and divided for each step: 32
        # samples of 32 steps took 1.7 us instead of 0.8 (Zen 5, AVX-512).
        share = weight[b] / max(count, 1)
        for t in range(T):
            asked = targets[b, t] != none
            own[t] = targets[b, t] if asked else first
            shares[t] = share if asked else 0.0


@kernel(per_sample=True, cut=("out", "each", "targets"))
def mean_of_steps(out, each, targets, none):
    """out[b] = the mean of each[b·T + t] over the steps of sample b that have a target, in ascending t; 0 without any

    out : (B,)    each : (B·T,)    targets : (B, T) int32
    """
    T = targets.shape[1]
    for b in range(out.shape[0]):
        count, total = _count(targets[b], none), 0.0
        for t in range(T):
            total += each[b * T + t] if targets[b, t] != none else 0.0
        out[b] = total / max(count, 1)
