"""Long sums in one fixed order: eight lanes, which fill a vector register; chunks, which threads may share."""

import numpy as np

from fastnn_kernels._jit import inline

CHUNK = 4096  # elements: 16 kB of float32, small beside the first cache, long beside the start of a loop


@inline
def row_sum(x, i, n):
    """Σ x[i, :n] in eight lanes and one fixed order: lane j mod 8, then the lanes in pairs."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = type(x[i, 0])(0)
    whole = n - n % 8
    for j in range(0, whole, 8):
        s0 += x[i, j]
        s1 += x[i, j + 1]
        s2 += x[i, j + 2]
        s3 += x[i, j + 3]
        s4 += x[i, j + 4]
        s5 += x[i, j + 5]
        s6 += x[i, j + 6]
        s7 += x[i, j + 7]
    for j in range(whole, n):
        s0 += x[i, j]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@inline
def square(v):
    return v * v


def _lane_sum(f, name):
    """A function of an array x: Σ f(x[j]) in float64, in the lanes and order of `row_sum`.

    Made for each f, not given it: a function that is an argument keeps compiled code out of the cache.
    """

    def total(x):
        wide = np.float64
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        whole = x.shape[0] - x.shape[0] % 8
        for j in range(0, whole, 8):
            s0 += f(wide(x[j]))
            s1 += f(wide(x[j + 1]))
            s2 += f(wide(x[j + 2]))
            s3 += f(wide(x[j + 3]))
            s4 += f(wide(x[j + 4]))
            s5 += f(wide(x[j + 5]))
            s6 += f(wide(x[j + 6]))
            s7 += f(wide(x[j + 7]))
        for j in range(whole, x.shape[0]):
            s0 += f(wide(x[j]))
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))

    total.__qualname__ = name  # of which symbols are made
    return inline(total)


sum_squares = _lane_sum(square, "sum_squares")
sum_sizes = _lane_sum(abs, "sum_sizes")


def chunks(size):
    """How many chunks `size` elements make."""
    return -(-size // CHUNK)
