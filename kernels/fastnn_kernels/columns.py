"""The columns of a table as inputs of a net: numbers, standardised, and categories, as rows of a table of vectors."""

import numpy as np
from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT

__all__ = ["category_rows", "standardise_columns"]


@kernel(
    work=lambda out, x, columns, mean, std: 4 * ELEMENT * out.shape[0] * columns.size, per_sample=True, cut=("out", "x")
)
def standardise_columns(out, x, columns, mean, std):
    """out[b, j] = (x[b, columns[j]] − mean[j]) / std[j], for the M columns named

    out       : (B, ≥ M); columns from M on stay
    x         : (B, C)
    columns   : (M,) int64 in [0, C)
    mean, std : (≥ M,)
    """
    for b in prange(out.shape[0]):
        for j in range(columns.shape[0]):
            out[b, j] = (x[b, columns[j]] - mean[j]) / std[j]


@kernel(
    work=lambda rows, x, columns, begins: 4 * ELEMENT * rows.shape[0] * columns.size, per_sample=True, cut=("rows", "x")
)
def category_rows(rows, x, columns, begins):
    """rows[b, c] = begins[c] + x[b, columns[c]]: where the vectors of K categories stand in their one table

    rows    : (B, ≥ K) integers
    x       : (B, C); the columns named hold whole numbers 0 ≤ id < begins[c + 1] − begins[c], checked by the caller
    columns : (K,) int64 in [0, C)
    begins  : (K + 1,) int64, the row of each category's first id, then the number of rows

    A number out of range becomes the nearest id, NaN becomes 0: an index that is used must lie in the table.
    """
    for b in prange(rows.shape[0]):
        for c in range(columns.shape[0]):
            value, last = x[b, columns[c]], begins[c + 1] - begins[c] - 1
            inside = np.int64(value) if (value > 0) & (value < last) else (last if value >= last else np.int64(0))
            rows[b, c] = begins[c] + inside
