"""Reference of what is done with the rows of a table that occur in a batch."""

import numpy as np

__all__ = ["clear_listed", "embedding_backward_listed", "list_rows", "sampled_backward_listed"]

DIGIT = 11


def list_rows(heads, ids, positions, keys, places, counts, first, second, V):
    """positions = stable argsort of the ids, digit by digit; heads = the first of each run of equal ids, else V"""
    given = np.concatenate([first, second]).astype(np.int64)
    size = len(given)
    ids[:size], ids[size:] = given, V
    positions[:] = np.arange(len(ids))
    length = max((V - 1).bit_length(), 1)
    bits = -(-length // -(-length // DIGIT))
    shift = 0
    while (V - 1) >> shift > 0:
        keys[:size], places[:size] = ids[:size], positions[:size]
        digits = (keys[:size] >> shift) % 2**bits
        counts[: 2**bits] = np.cumsum(np.bincount(digits, minlength=2**bits))
        order = np.argsort(digits, kind="stable")
        ids[:size], positions[:size] = keys[order], places[order]
        shift += bits
    heads[:] = ids
    heads[1:][ids[1:] == ids[:-1]] = V


def clear_listed(dw, places):
    """dw[p] = 0 for every place p that dw has"""
    dw[places[places < len(dw)]] = 0


def _owned(heads, places, ids, size, offset):
    """Which of the first `size` occurrences belong to runs that begin in heads, and the place of each."""
    own = offset + np.flatnonzero(np.isin(ids[offset:size], heads))
    place_of = dict(zip(heads.tolist(), places.tolist(), strict=True))
    return own, np.array([place_of[one] for one in ids[own].tolist()], np.int64)


def embedding_backward_listed(dw, dout, heads, places, ids, positions, C, n, first=0, fresh=0, offset=0):
    """dw[place of v] += Σ dout over the occurrences of id v"""
    own, rows = _owned(heads, places, ids, C * len(dout), offset)
    if fresh:
        dw[rows] = 0
    b, c = np.divmod(positions[own], C)
    columns = first + c[:, None] * n + np.arange(n)
    np.add.at(dw[:, :n], rows, dout[b[:, None], columns])


def sampled_backward_listed(
    dw, db, drows, dshifts, dscores, x, heads, places, ids, positions, firsts, n, fresh=0, offset=0
):  # fmt: skip
    """dw[place of v], db[place of v] += the gradients of the drawn row and of the targets whose id is v"""
    S = len(dshifts)
    own, places_of_own = _owned(heads, places, ids, S + len(x), offset)
    if fresh:
        dw[places_of_own], db[places_of_own] = 0, 0
    g, drawn = dscores[:, S], np.where(firsts >= 0, firsts, S)
    rows = np.concatenate([np.append(drows[:, :n], np.zeros((1, n)), axis=0)[drawn], g[:, None] * x[:, :n]])
    np.add.at(dw[:, :n], places_of_own, rows[positions[own]])
    np.add.at(db[:, 0], places_of_own, np.concatenate([np.append(dshifts, 0)[drawn], g])[positions[own]])
