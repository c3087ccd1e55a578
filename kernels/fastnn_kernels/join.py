"""Values of equal batches joined: sums of rows, and rows that are written into, or read from, wider rows."""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ELEMENT

__all__ = ["accumulate", "add_rows", "copy_columns", "take_columns"]


@kernel(work=lambda out, a, b, n: ELEMENT * out.size, per_sample=True, cut=("out", "a", "b"))
def add_rows(out, a, b, n):
    """out[i, :n] = a[i, :n] + b[i, :n]; out may be the same array as a or b

    out, a, b : (B, ≥ n)
    """
    for i in prange(out.shape[0]):
        own, left, right = out[i, :n], a[i, :n], b[i, :n]
        for j in range(own.shape[0]):
            own[j] = left[j] + right[j]


@kernel(work=lambda total, part: ELEMENT * total.size)
def accumulate(total, part):
    """total += part, say of the gradients of a weight that is used twice

    total, part : (n,)
    """
    for i in prange(total.shape[0]):
        total[i] += part[i]


@kernel(work=lambda out, x, P, width, first, n: ELEMENT * out.shape[0] * P * n, per_sample=True, cut=("out", "x"))
def copy_columns(out, x, P, width, first, n):
    """out[b, p·width + first : p·width + first + n] = x[b, p·n : (p+1)·n], for each of the P positions of a sample

    out : (B, ≥ P·width), first + n ≤ width; all other columns stay    x : (B, ≥ P·n)
    """
    for b in prange(out.shape[0]):
        for p in range(P):
            at = p * width + first
            own, row = out[b, at : at + n], x[b, p * n : (p + 1) * n]
            for j in range(own.shape[0]):
                own[j] = row[j]


@kernel(work=lambda dx, dout, P, width, first, n: ELEMENT * dx.shape[0] * P * n, per_sample=True, cut=("dx", "dout"))
def take_columns(dx, dout, P, width, first, n):
    """dx[b, p·n : (p+1)·n] = dout[b, p·width + first : p·width + first + n]: the gradient of `copy_columns`

    dx : (B, ≥ P·n)    dout : (B, ≥ P·width), first + n ≤ width
    """
    for b in prange(dx.shape[0]):
        for p in range(P):
            at = p * width + first
            own, row = dx[b, p * n : (p + 1) * n], dout[b, at : at + n]
            for j in range(own.shape[0]):
                own[j] = row[j]
