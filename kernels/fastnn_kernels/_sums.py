"""Long sums in one fixed order: in eight lanes, which fill a vector register; in chunks, which threads may divide."""

import numpy as np

from fastnn_kernels._jit import inline

CHUNK = 4096  # elements: 16 kB of float32 fit into the first cache, and take long beside the start of a loop


@inline
def row_sum(x, i, n):
    """Σ x[i, :n] in one fixed order: element j is added to lane j mod 8, then the lanes are added in pairs."""
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
    """A function that computes Σ f(x[j]) of an array x, in float64, in the lanes and the order of `row_sum`.

    It is made for each f: compiled code that takes a function as an argument cannot be cached.
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

    total.__qualname__ = name  # symbols are made of it
    return inline(total)


sum_squares = _lane_sum(square, "sum_squares")
sum_sizes = _lane_sum(abs, "sum_sizes")


def chunks(size):
    """The number of chunks of `size` elements."""
    return -(-size // CHUNK)
