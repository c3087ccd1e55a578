"""Reference of the first and the last operations of a training step: choose samples, gather rows, record the loss."""

import numpy as np

__all__ = [
    "add_scaled",
    "advance_cursor",
    "gather_ids",
    "gather_labels",
    "gather_rows",
    "gather_values",
    "normalise_weights",
    "permuted_indices",
    "record_step",
    "scale_values",
    "select_scalars",
    "sequential_indices",
]


def _mix(value, key, bits):
    """One pass of the keyed bijection of range(2**bits): add, multiply by an odd number, fold, each modulo 2**bits."""
    size = 2**bits
    for add, factor in zip(key[::2], key[1::2], strict=True):
        value = (value + add) % size * (factor | 1) % size
        value ^= value >> (bits + 1) // 2
    return value


def permuted_indices(indices, cursor, key, count):
    """indices[i] = π(cursor[0] − cursor[3] + i): `_mix` of the next power of two, until it falls below `count`"""
    key, bits = [int(word) for word in key], max(count - 1, 0).bit_length()
    for i in range(len(indices)):
        value = _mix(int(cursor[0] - cursor[3]) + i, key, bits)
        while value >= count:
            value = _mix(value, key, bits)
        indices[i] = value


def sequential_indices(indices, cursor):
    """indices[i] = cursor[0] − cursor[3] + i"""
    indices[:] = cursor[0] - cursor[3] + np.arange(len(indices))


def advance_cursor(cursor, indices):
    """cursor[:3] += (B, 1, 1)"""
    cursor[:3] += [len(indices), 1, 1]


def select_scalars(scalars, table, cursor):
    """scalars = table[cursor[2]]"""
    scalars[:] = table[cursor[2]]


def gather_rows(out, source, indices):
    """out[i, :C] = source[indices[i]]"""
    out[:, : source.shape[1]] = source[indices]


def gather_values(out, source, indices):
    """out[i] = source[indices[i]]"""
    out[:] = source[indices]


def gather_ids(out, wrong, source, indices, count):
    """out[:, :C] = source[indices], in [0, count); wrong[i] is 1 where a number of row i was clipped, or before"""
    found = source[indices]
    out[:, : source.shape[1]] = np.clip(found, 0, count - 1)
    wrong[:] |= ((found < 0) | (found >= count)).any(axis=1)


def gather_labels(out, wrong, source, indices, count):
    """out = source[indices], clipped to [0, count); wrong[i] is 1 where it was clipped, or before"""
    gather_ids(out[:, None], wrong, source[:, None], indices, count)


def normalise_weights(loss_weight, sample_weight):
    """loss_weight = sample_weight / Σ sample_weight; 0 if all are 0"""
    total = np.sum(sample_weight)
    loss_weight[:] = sample_weight / total if total else 0


def scale_values(out, values, scalars):
    """out = scalars[0] · values"""
    out[:] = scalars[0] * values


def add_scaled(out, a, b, scalars):
    """out = a + scalars[0] · b"""
    out[:] = a + scalars[0] * b


def record_step(losses, sums, cursor, loss, correct, sample_weight, loss_weight):
    """losses[step] += Σ loss_weight·loss; sums[step] = (Σ sample_weight · (loss, correct, 1), penalties)"""
    figures = [np.sum(sample_weight * loss), np.sum(sample_weight * correct), np.sum(sample_weight)]
    sums[cursor[1]] = [*figures, losses[cursor[1]]]
    losses[cursor[1]] += np.sum(loss_weight * loss)
    cursor[:3] += [len(loss), 1, 1]
