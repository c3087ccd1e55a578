"""Rows of a large table that occur in a batch, as a list: work that does not grow with the table.

`list_rows` sorts the ids of a batch once. What follows owns a row where its run of equal ids begins: no atomics, one
order of summation, and slices of the list may be given to threads.

heads holds, for each occurrence in the order of ids, the id where a run begins and V elsewhere. A head of V or more is
passed over; lists of fewer ids than they have room for end with V.
"""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT

__all__ = ["clear_listed", "embedding_backward_listed", "list_rows", "sampled_backward_listed"]

DIGIT = 11  # bits that one pass sorts by: two passes for 4 million rows


@kernel(outputs=6)
def list_rows(heads, ids, positions, keys, places, counts, first, second, V):
    """The ids of a batch in ascending order, and where each was: a stable sort, by digits of DIGIT bits

    heads, ids, positions : (m,)  m ≥ a + c; position p < a is first[p], position a + p is second[p]; ids end with V
    keys, places, counts  : (m,), (m,), (2^DIGIT,) scratch
    first, second         : (a,), (c,) integers in [0, V)
    """
    a, size = first.shape[0], first.shape[0] + second.shape[0]
    for p in range(heads.shape[0]):
        ids[p] = first[p] if p < a else second[p - a] if p < size else V
        positions[p] = p
    shift = 0
    while (V - 1) >> shift > 0:
        for digit in range(counts.shape[0]):
            counts[digit] = 0
        for p in range(size):
            keys[p], places[p] = ids[p], positions[p]
            counts[(keys[p] >> shift) % counts.shape[0]] += 1
        start = 0
        for digit in range(counts.shape[0]):
            start, counts[digit] = start + counts[digit], start
        for p in range(size):
            digit = (keys[p] >> shift) % counts.shape[0]
            ids[counts[digit]], positions[counts[digit]] = keys[p], places[p]
            counts[digit] += 1
        shift += DIGIT
    for p in range(heads.shape[0]):
        heads[p] = V if p > 0 and ids[p] == ids[p - 1] else ids[p]


@kernel(work=lambda dw, heads: ELEMENT * heads.size * dw.shape[1])
def clear_listed(dw, heads):
    """dw[v] = 0 for every head v: then all of dw is 0, if all other rows were

    dw : (V, ≥ n)    heads : (m,), from `list_rows`
    """
    for h in prange(heads.shape[0]):
        v = heads[h]
        if v < dw.shape[0]:
            for j in range(dw.shape[1]):
                dw[v, j] = 0


@kernel(
    work=lambda dw, dout, heads, ids, positions, C, n, first=0, offset=0: 2 * ELEMENT * heads.size * n,
    cut=("heads",),
)
def embedding_backward_listed(dw, dout, heads, ids, positions, C, n, first=0, offset=0):
    """dw[v] += Σ dout over the occurrences of id v, for every head v: as `embedding_backward`

    dw                   : (V, ≥ n)    columns from n on, and rows whose id does not occur, stay
    dout                 : (B, ≥ first + C·n); the vectors of a sample begin at column `first`
    heads                : (m,), from offset on of those that `list_rows` made
    ids, positions       : (≥ m,), from `list_rows`
    """
    for h in prange(heads.shape[0]):
        v, at = heads[h], offset + h
        if v < dw.shape[0]:
            while at < ids.shape[0] and ids[at] == v:
                b, c = positions[at] // C, positions[at] % C
                row = dout[b, first + c * n : first + c * n + n]
                for j in range(n):
                    dw[v, j] += row[j]
                at += 1


@kernel(
    work=lambda dw, db, drows, dshifts, dscores, x, heads, *rest: 3 * ELEMENT * heads.size * dw.shape[1],
    outputs=2,
    cut=("heads",),
)
def sampled_backward_listed(dw, db, drows, dshifts, dscores, x, heads, ids, positions, n, offset=0):
    """The gradients of the rows and biases of all classes that were drawn or are targets, for every head v

    dw[v] += Σ drows[s] + Σ dscores[i, S] · x[i]      db[v] += Σ dshifts[s] + Σ dscores[i, S]

    over the occurrences s among the drawn classes and i among the targets, in this order

    dw             : (V, ≥ n)    db : (V, 1)
    drows, dshifts : (S, ≥ n), (S,)    the gradients of the drawn rows, and of what was added to their scores
    dscores, x     : (B, ≥ S + 1), (B, ≥ n)
    heads          : (m,), from offset on of those that `list_rows` made of the drawn classes, then the targets
    ids, positions : (≥ m,), from `list_rows`
    """
    S = dshifts.shape[0]
    for h in prange(heads.shape[0]):
        v, at = heads[h], offset + h
        if v < dw.shape[0]:
            while at < ids.shape[0] and ids[at] == v:
                p = positions[at]
                if p < S:
                    for j in range(n):
                        dw[v, j] += drows[p, j]
                    db[v, 0] += dshifts[p]
                else:
                    g = dscores[p - S, S]
                    for j in range(n):
                        dw[v, j] += g * x[p - S, j]
                    db[v, 0] += g
                at += 1
