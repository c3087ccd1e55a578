"""Reference of the columns of a table as inputs of a net."""

import numpy as np

__all__ = ["category_rows", "standardise_columns"]


def standardise_columns(out, x, columns, mean, std):
    """out[b, j] = (x[b, columns[j]] − mean[j]) / std[j]"""
    M = len(columns)
    out[:, :M] = (x[:, columns] - mean[:M]) / std[:M]


def category_rows(rows, x, columns, begins):
    """rows[b, c] = begins[c] + x[b, columns[c]]"""
    rows[:, : len(columns)] = begins + x[:, columns].astype(np.int64)
