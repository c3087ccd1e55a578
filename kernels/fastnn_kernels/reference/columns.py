"""Reference of the columns of a table as inputs of a net."""

import numpy as np

__all__ = ["category_rows", "standardise_columns"]


def standardise_columns(out, x, columns, mean, std):
    """out[b, j] = (x[b, columns[j]] − mean[j]) / std[j]"""
    M = len(columns)
    out[:, :M] = (x[:, columns] - mean[:M]) / std[:M]


def category_rows(rows, x, columns, begins):
    """rows[b, c] = begins[c] + x[b, columns[c]], which is clipped to the ids of its category; NaN is 0"""
    ids = np.nan_to_num(x[:, columns], nan=0)
    rows[:, : len(columns)] = begins[:-1] + np.clip(ids, 0, np.diff(begins) - 1).astype(np.int64)
