"""Reference of penalties on weights and bounds on gradients, in place."""

import numpy as np

__all__ = [
    "add_l1",
    "add_l2",
    "clip_by_global_norm",
    "clip_by_value",
    "max_norm_columns",
    "penalty_l1",
    "penalty_l2",
    "sum_of_squares",
    "zero",
]

CHUNK = 4096


def add_l2(dw, w, scalars):
    """dw += λ · w"""
    dw += scalars[0] * w


def add_l1(dw, w, scalars):
    """dw += λ · sign(w)"""
    dw += scalars[0] * np.sign(w)


def _sum_in_chunks(partial, terms):
    """Fill `partial` with the sum of each chunk of terms; return the sum of all."""
    partial[:] = [terms[c * CHUNK : (c + 1) * CHUNK].sum() for c in range(len(partial))]
    return partial.sum()


def zero(out):
    """out = 0"""
    out[:] = 0


def penalty_l2(losses, partial, cursor, w, scalars):
    """losses[step] += ½ · λ · Σ w²"""
    losses[cursor[1]] += 0.5 * scalars[0] * _sum_in_chunks(partial, w**2)


def penalty_l1(losses, partial, cursor, w, scalars):
    """losses[step] += λ · Σ |w|"""
    losses[cursor[1]] += scalars[0] * _sum_in_chunks(partial, np.abs(w))


def sum_of_squares(out, partial, w):
    """out[0] = Σ w²"""
    out[0] = _sum_in_chunks(partial, w**2)


def clip_by_global_norm(dw, norm2, scalars):
    """dw *= min(1, max_norm / √norm2)"""
    norm = np.sqrt(norm2[0])
    dw *= 1 if norm <= scalars[0] else scalars[0] / norm


def clip_by_value(dw, scalars):
    """dw = min(max(dw, −limit), limit)"""
    dw[:] = np.where(dw < -scalars[0], -scalars[0], np.where(dw > scalars[0], scalars[0], dw))


def max_norm_columns(w, scalars):
    """w[:, j] *= c / ‖w[:, j]‖ where the norm is larger than c"""
    norm = np.sqrt((w**2).sum(axis=0))
    w *= np.where(norm > scalars[0], scalars[0] / norm, 1)
