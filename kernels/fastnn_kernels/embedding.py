"""Rows of a table, gathered by id, and their gradients, summed by row. No one-hot vector is ever made."""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT

__all__ = ["clear_rows", "embedding_backward", "embedding_forward", "group_by_row", "sum_backward", "sum_forward"]


@kernel(work=lambda out, w, ids, n, first=0: ELEMENT * ids.size * n, per_sample=True, cut=("out", "ids"))
def embedding_forward(out, w, ids, n, first=0):
    """out[b, first + c·n : first + (c+1)·n] = w[ids[b, c], :n], the C rows of a sample side by side

    out : (B, ≥ first + C·n)    w : (V, ≥ n)    ids : (B, C) integers in [0, V), checked by the caller
    """
    for b in prange(ids.shape[0]):
        for c in range(ids.shape[1]):
            at = first + c * n
            row, own = w[ids[b, c], :n], out[b, at : at + n]
            for j in range(n):
                own[j] = row[j]


@kernel(outputs=2)
def group_by_row(starts, positions, ids):
    """Positions in the flattened ids, ordered by the id there: a stable counting sort.

    starts    : (V + 1,)  positions[starts[v] : starts[v+1]] are the occurrences of id v, in ascending order
    positions : (B·C,)
    ids       : (B, C)
    """
    starts[:] = 0
    for b in range(ids.shape[0]):
        for c in range(ids.shape[1]):
            starts[ids[b, c]] += 1
    total = 0
    for v in range(starts.shape[0]):  # starts[v] becomes the end of v's occurrences ...
        total += starts[v]
        starts[v] = total
    for b in range(ids.shape[0] - 1, -1, -1):  # ... and, filled from the back, its start
        for c in range(ids.shape[1] - 1, -1, -1):
            starts[ids[b, c]] -= 1
            positions[starts[ids[b, c]]] = b * ids.shape[1] + c


@kernel(work=lambda dw, starts: ELEMENT * dw.shape[0])
def clear_rows(dw, starts):
    """dw[v] = 0 for every id v that occurs in the batch of `starts`: then all of dw is 0, if all other rows were

    dw : (V, ≥ n)    starts : (V + 1,), from `group_by_row`
    """
    for v in prange(dw.shape[0]):
        if starts[v] < starts[v + 1]:
            for j in range(dw.shape[1]):
                dw[v, j] = 0


@kernel(work=lambda dw, dout, starts, positions, C, n, first=0: ELEMENT * (dw.shape[0] + positions.size * n))
def embedding_backward(dw, dout, starts, positions, C, n, first=0):
    """dw[v] += Σ dout over the occurrences of id v in the batch, in ascending order

    dw                : (V, ≥ n)    columns from n on, and rows whose id does not occur, stay
    dout              : (B, ≥ first + C·n); the vectors of a sample begin at column `first`
    starts, positions : from `group_by_row`
    """
    # Grouped by id, one thread owns each row of dw: no atomics, and one order of summation.
    for v in prange(dw.shape[0]):
        for occurrence in range(starts[v], starts[v + 1]):
            b, c = positions[occurrence] // C, positions[occurrence] % C
            at = first + c * n
            row = dout[b, at : at + n]
            for j in range(n):
                dw[v, j] += row[j]


@kernel(work=lambda out, x, C, n: ELEMENT * x.size, per_sample=True, cut=("out", "x"))
def sum_forward(out, x, C, n):
    """out[b, :n] = Σ_c x[b, c·n : (c+1)·n], in ascending c

    out : (B, ≥ n)    x : (B, ≥ C·n)
    """
    for b in prange(out.shape[0]):
        for j in range(n):
            out[b, j] = 0
        for c in range(C):
            row = x[b, c * n : (c + 1) * n]
            for j in range(n):
                out[b, j] += row[j]


@kernel(work=lambda dx, dout, C, n: ELEMENT * dx.size, per_sample=True, cut=("dx", "dout"))
def sum_backward(dx, dout, C, n):
    """dx[b, c·n : (c+1)·n] = dout[b, :n] for every c

    dx : (B, ≥ C·n)    dout : (B, ≥ n)
    """
    for b in prange(dx.shape[0]):
        for c in range(C):
            own = dx[b, c * n : (c + 1) * n]
            for j in range(n):
                own[j] = dout[b, j]
