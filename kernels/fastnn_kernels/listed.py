"""Rows of a large table that occur in a batch, as a list: work that does not grow with the table.

`list_rows` sorts the ids of a batch once. What follows owns a row where its run of equal ids begins: no atomics, one
order of summation, and slices of the list may be given to threads.

heads holds, for each occurrence in the order of ids, the id where a run begins and V elsewhere. A head of V or more is
passed over; lists of fewer ids than they have room for end with V.

A gradient dw of the table has as many rows as the table, or as the list. places says in which of them that of a head
is: `heads` itself, or 0, 1, 2, … So a step that uses a gradient where it arises needs no second table, nor waits for
one: 456 rows of a table of 50 MB are in no cache.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT, LISTED_ROW

__all__ = ["clear_listed", "embedding_backward_listed", "list_rows", "sampled_backward_listed"]

DIGIT = 11  # bits that one pass sorts by, at most: two passes for 4 million rows


@inline
def _bits_of_digits(V):
    """Bits of each digit of a number below V: as few as the passes that DIGIT bits would take allow

    10,000 rows have two digits of 7 bits, whose 128 counts cost less than the 2,048 of 11 bits.
    """
    bits = 1
    while (V - 1) >> bits > 0:
        bits += 1
    passes = (bits + DIGIT - 1) // DIGIT
    return (bits + passes - 1) // passes


@kernel(outputs=6)
def list_rows(heads, ids, positions, keys, places, counts, first, second, V):
    """The ids of a batch in ascending order, and where each was: a stable sort, by digits of at most DIGIT bits

    heads, ids, positions : (m,)  m ≥ a + c; position p < a is first[p], position a + p is second[p]; ids end with V
    keys, places, counts  : (m,), (m,), (2^DIGIT,) scratch
    first, second         : (a,), (c,) integers in [0, V)
    """
    a, size = first.shape[0], first.shape[0] + second.shape[0]
    # Three loops, not one that chooses: as vectors, that one reads `second` under a mask, before it begins, too. Where
    # nobody has touched that page, each such read takes 130 ns: 10 of the 12 us of 600 ids (Zen 5, AVX-512).
    for p in range(a):
        ids[p] = first[p]
    for p in range(a, size):
        ids[p] = second[p - a]
    for p in range(size, heads.shape[0]):
        ids[p] = V
    for p in range(heads.shape[0]):
        positions[p] = p
    bits = _bits_of_digits(V)
    digits = 1 << bits
    shift = 0
    while (V - 1) >> shift > 0:
        for digit in range(digits):
            counts[digit] = 0
        for p in range(size):
            keys[p], places[p] = ids[p], positions[p]
            counts[(keys[p] >> shift) & (digits - 1)] += 1
        start = 0
        for digit in range(digits):
            start, counts[digit] = start + counts[digit], start
        for p in range(size):
            digit = (keys[p] >> shift) & (digits - 1)
            ids[counts[digit]], positions[counts[digit]] = keys[p], places[p]
            counts[digit] += 1
        shift += bits
    for p in range(heads.shape[0]):
        heads[p] = V if p > 0 and ids[p] == ids[p - 1] else ids[p]


@inline
def _clear(dw, p):
    """dw[p] = 0"""
    for j in range(dw.shape[1]):
        dw[p, j] = 0


@kernel(work=lambda dw, places: ELEMENT * places.size * dw.shape[1])
def clear_listed(dw, places):
    """dw[p] = 0 for every place p that dw has: then all of dw is 0, if all other rows were

    dw : (V or m, ≥ n)    places : (m,)
    """
    for h in prange(places.shape[0]):
        p = places[h]
        if p < dw.shape[0]:
            _clear(dw, p)


@kernel(
    work=lambda dw, dout, heads, places, ids, positions, C, n, *rest: 2 * ELEMENT * heads.size * (n + LISTED_ROW),
    cut=("heads", "places"),
)
def embedding_backward_listed(dw, dout, heads, places, ids, positions, C, n, first=0, fresh=0, offset=0):
    """dw[places[h]] += Σ dout over the occurrences of id v, for every head v = heads[h]: as `embedding_backward`

    dw                   : (V or m, ≥ n)    columns from n on, and rows of other places, stay
    dout                 : (B, ≥ first + C·n); the vectors of a sample begin at column `first`
    heads, places        : (m,), from offset on of those that `list_rows` made, and where in dw they are
    ids, positions       : (≥ m,), from `list_rows`
    fresh                : 1: the rows of all heads are 0 before; 0: as they are
    """
    size = C * dout.shape[0]  # what stands after so many ids is V
    for h in prange(heads.shape[0]):
        v, p, at = heads[h], places[h], offset + h
        if fresh and at < size and ids[at] == v:
            _clear(dw, p)
        while at < size and ids[at] == v:
            b, c = positions[at] // C, positions[at] % C
            row = dout[b, first + c * n : first + c * n + n]
            for j in range(n):
                dw[p, j] += row[j]
            at += 1


@kernel(
    work=lambda dw, db, drows, dshifts, dscores, x, heads, *rest: 3 * ELEMENT * heads.size * (dw.shape[1] + LISTED_ROW),
    outputs=2,
    cut=("heads", "places"),
)
def sampled_backward_listed(
    dw, db, drows, dshifts, dscores, x, heads, places, ids, positions, firsts, n, fresh=0, offset=0
):  # fmt: skip
    """The gradients of the rows and biases of all classes that were drawn or are targets, for every head v = heads[h]

    dw[places[h]] += drows[r] + Σ dscores[i, S] · x[i]      db[places[h]] += dshifts[r] + Σ dscores[i, S]

    where v is in place r of the distinct drawn classes, if it was drawn, over its occurrences i among the targets

    dw             : (V or m, ≥ n)    db : (V or m, 1)
    drows, dshifts : (S, ≥ n), (S,)    the gradients of the distinct rows, and of what was added to their scores
    dscores, x     : (B, ≥ S + 1), (B, ≥ n)
    heads, places  : (m,), from offset on of those that `list_rows` made of the drawn classes, then the targets, and
                     where in dw and db they are
    ids, positions : (≥ m,), from `list_rows`
    firsts         : (S,), from `distinct_classes`: of each draw its place r, or −1
    fresh          : 1: the rows of all heads are 0 before; 0: as they are
    """
    S = dshifts.shape[0]
    size = S + x.shape[0]  # what stands after so many ids is V
    for h in prange(heads.shape[0]):
        v, p, at = heads[h], places[h], offset + h
        if fresh and at < size and ids[at] == v:
            _clear(dw, p)
            _clear(db, p)
        while at < size and ids[at] == v:
            s = positions[at]
            if s < S:
                r = firsts[s]
                if r >= 0:
                    for j in range(n):
                        dw[p, j] += drows[r, j]
                    db[p, 0] += dshifts[r]
            else:
                g = dscores[s - S, S]
                for j in range(n):
                    dw[p, j] += g * x[s - S, j]
                db[p, 0] += g
            at += 1
