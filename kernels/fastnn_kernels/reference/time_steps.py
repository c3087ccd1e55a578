"""Reference of sequences as batches of steps."""

import numpy as np

__all__ = ["count_targets", "mean_of_steps", "sequences_to_steps", "step_labels", "steps_to_sequences"]


def sequences_to_steps(out, x, T, n):
    """out = x as (B·T, n)"""
    out[:, :n] = x[:, : T * n].reshape(-1, n)


def steps_to_sequences(out, rows, T, n):
    """out = rows as (B, T·n)"""
    out[:, : T * n] = rows[:, :n].reshape(-1, T * n)


def count_targets(out, weight, targets, none):
    """out = weight · the number of targets"""
    out[:] = weight * (targets != none).sum(axis=1)


def step_labels(labels, weights, targets, weight, none):
    """The targets, and weight / their number; without a target the sample's first one, and 0"""
    asked = targets != none
    first = np.argmax(asked, axis=1)[:, None]
    instead = np.where(asked.any(axis=1, keepdims=True), np.take_along_axis(targets, first, axis=1), 0)
    labels[:] = np.where(asked, targets, instead).reshape(-1)
    each = weight / np.maximum(asked.sum(axis=1), 1)
    weights[:] = np.where(asked, each[:, None], 0).reshape(-1)


def mean_of_steps(out, each, targets, none):
    """out = the mean over the steps that have a target"""
    asked = targets != none
    total = np.where(asked, each.reshape(targets.shape), 0).sum(axis=1, dtype=np.float64)
    out[:] = total / np.maximum(asked.sum(axis=1), 1)
