"""Reference of rows gathered from a table by id, and of their gradients."""

import numpy as np

__all__ = ["clear_rows", "embedding_backward", "embedding_forward", "group_by_row", "sum_backward", "sum_forward"]


def embedding_forward(out, w, ids, n, first=0):
    """out[b, first:] = the rows w[ids[b, c], :n] side by side"""
    B, C = ids.shape
    out[:, first : first + C * n] = w[ids, :n].reshape(B, C * n)


def group_by_row(starts, positions, ids):
    """positions = stable argsort of ids; positions[starts[v] : starts[v + 1]] are the occurrences of id v"""
    starts[0] = 0
    starts[1:] = np.cumsum(np.bincount(ids.ravel(), minlength=len(starts) - 1))
    positions[:] = np.argsort(ids, axis=None, kind="stable")


def clear_rows(dw, starts):
    """dw[v] = 0 where starts[v] < starts[v + 1]"""
    dw[np.diff(starts) > 0] = 0


def embedding_backward(dw, dout, starts, positions, C, n, first=0):
    """dw[v, :n] += Σ dout[:, first:] over the occurrences of id v"""
    terms = dout[:, first : first + C * n].reshape(len(positions), n)
    rows = np.repeat(np.arange(len(dw)), np.diff(starts))
    np.add.at(dw[:, :n], rows, terms[positions])


def sum_forward(out, x, C, n):
    """out[b, :n] = Σ_c x[b, c·n : (c+1)·n]"""
    out[:, :n] = x[:, : C * n].reshape(len(x), C, n).sum(axis=1)


def sum_backward(dx, dout, C, n):
    """dx[b, c·n : (c+1)·n] = dout[b, :n] for every c"""
    dx[:, : C * n] = np.tile(dout[:, :n], C)
