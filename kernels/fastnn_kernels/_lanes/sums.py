"""Long sums in one fixed order: in lanes, which fill vector registers; in chunks, which threads may divide."""

import numpy as np

from fastnn_kernels._jit import inline
from fastnn_kernels._lanes.lanes import LANES, holds, larger, largest, spread, total
from fastnn_kernels._lanes.memory import load, load_first, store_first

CHUNK = 4096  # elements: 16 kB of float32 fit into the first cache, and take long beside the start of a loop


@inline
def row_sum(x, i, n):
    """Σ x[i, :n] in one fixed order: element j is added to lane j mod 2·LANES, then the lanes are folded."""
    zero = type(x[i, 0])(0)
    even = odd = spread(zero)  # two sums: a single one would wait for each addition
    whole = n - n % (2 * LANES)
    for j in range(0, whole, 2 * LANES):
        even = even + load(x, i, j)
        odd = odd + load(x, i, j + LANES)
    count = min(n - whole, LANES)
    even = even + load_first(x, i, whole, count, zero)
    odd = odd + load_first(x, i, whole + count, n - whole - count, zero)
    return total(even + odd)


@inline
def row_squares(x, i, n, center):
    """Σ (x[i, :n] − center)² in the order of `row_sum`"""
    middle = spread(center)
    even = odd = middle - middle
    whole = n - n % (2 * LANES)
    for j in range(0, whole, 2 * LANES):
        a, b = load(x, i, j) - middle, load(x, i, j + LANES) - middle
        even = even + a * a
        odd = odd + b * b
    count = min(n - whole, LANES)
    a = load_first(x, i, whole, count, center) - middle
    b = load_first(x, i, whole + count, n - whole - count, center) - middle
    return total((even + a * a) + (odd + b * b))


@inline
def row_distances(x, i, n, origin):
    """Σ (origin − x[i, :n]) in the order of `row_sum`"""
    middle = spread(origin)
    even = odd = spread(type(origin)(0))
    whole = n - n % (2 * LANES)
    for j in range(0, whole, 2 * LANES):
        even = even + (middle - load(x, i, j))
        odd = odd + (middle - load(x, i, j + LANES))
    count = min(n - whole, LANES)
    even = even + (middle - load_first(x, i, whole, count, origin))
    odd = odd + (middle - load_first(x, i, whole + count, n - whole - count, origin))
    return total(even + odd)


@inline
def row_dot(x, i, w, v, n):
    """Σ x[i, j] · w[v, j] over the first n columns, in the order of `row_sum`"""
    zero = type(x[i, 0])(0)
    even = odd = spread(zero)
    whole = n - n % (2 * LANES)
    for j in range(0, whole, 2 * LANES):
        even = even + load(x, i, j) * load(w, v, j)
        odd = odd + load(x, i, j + LANES) * load(w, v, j + LANES)
    count = min(n - whole, LANES)
    even = even + load_first(x, i, whole, count, zero) * load_first(w, v, whole, count, zero)
    last = whole + count
    odd = odd + load_first(x, i, last, n - last, zero) * load_first(w, v, last, n - last, zero)
    return total(even + odd)


@inline
def samples_of_a_part(P):
    """How many samples of P pixels make one part of a channel's sum: a sample, or some 256 pixels

    The parts are added up. A float32 sum of 500,000 numbers near 1.4 in one chain is off by 2e-4 of itself, in parts by
    1e-6.
    """
    return max(1, 256 // P)


@inline
def _four_at_once(x, P):
    """Whether channels are summed in four parts at a time: an addition waits for the one before it in its part only.

    In float64 one part fills four registers of AVX2 already, and four parts more than there are.
    """
    return P > 1 and x.itemsize == 4 and x.shape[0] >= 4 * samples_of_a_part(P)


@inline
def _part(x, first, last, at, P, C, count):
    """The sum of samples first ≤ b < last, of `count` channels from number `at` on"""
    zero = x.dtype.type(0)
    part = spread(zero)
    for b in range(first, last):
        for p in range(P):
            part = part + load_first(x, b, p * C + at, count, zero)
    return part


@inline
def _four_parts(sums, x, first, step, at, P, C, count):
    """sums + the parts from sample `first` on, one after the other"""
    zero = x.dtype.type(0)
    one = two = three = four = spread(zero)
    for b in range(first, first + step):
        for p in range(P):
            own = p * C + at
            one = one + load_first(x, b, own, count, zero)
            two = two + load_first(x, b + step, own, count, zero)
            three = three + load_first(x, b + 2 * step, own, count, zero)
            four = four + load_first(x, b + 3 * step, own, count, zero)
    return sums + one + two + three + four


@inline
def _sums_of_four(out, x, first, P, C):
    """`channel_sums`, four parts at a time"""
    step = samples_of_a_part(P)
    whole = x.shape[0] - x.shape[0] % (4 * step)
    for j in range(0, out.shape[1], LANES):
        sums, count = spread(x.dtype.type(0)), min(LANES, out.shape[1] - j)
        for start in range(0, whole, 4 * step):
            sums = _four_parts(sums, x, start, step, first + j, P, C, count)
        for start in range(whole, x.shape[0], step):
            sums = sums + _part(x, start, min(start + step, x.shape[0]), first + j, P, C, count)
        store_first(sums, out, 0, j, count)


@inline
def channel_sums(out, x, first, P, C):
    """out[0, j] = Σ x[b, p·C + first + j] over all P pixels of all samples, part by part (`samples_of_a_part`)

    out : (1, n)    x : (B, ≥ P·C)

    LANES channels at a time: their sums stay in registers. A loop over channels within one over pixels loads and stores
    them at each pixel.
    """
    if _four_at_once(x, P):
        _sums_of_four(out, x, first, P, C)
        return
    zero, step = x.dtype.type(0), samples_of_a_part(P)
    for j in range(0, out.shape[1], LANES):
        sums, count = spread(zero), min(LANES, out.shape[1] - j)
        for start in range(0, x.shape[0], step):
            part = spread(zero)
            for b in range(start, min(start + step, x.shape[0])):
                for p in range(P):
                    at = p * C + first + j
                    part = part + (load(x, b, at) if count == LANES else load_first(x, b, at, count, zero))
            sums = sums + part
        store_first(sums, out, 0, j, count)


@inline
def row_max(x, i, n):
    """The largest of x[i, :n], NaN ignored; −inf if there is no other number."""
    lowest = type(x[i, 0])(-np.inf)
    even = odd = spread(lowest)
    whole = n - n % (2 * LANES)
    for j in range(0, whole, 2 * LANES):
        even = larger(load(x, i, j), even)
        odd = larger(load(x, i, j + LANES), odd)
    count = min(n - whole, LANES)
    even = larger(load_first(x, i, whole, count, lowest), even)
    odd = larger(load_first(x, i, whole + count, n - whole - count, lowest), odd)
    return largest(larger(even, odd))


@inline
def first_position(x, i, n, value):
    """The least j < n with x[i, j] = value, or n"""
    start, whole = 0, n - n % LANES
    while start < whole and not holds(load(x, i, start), value):
        start += LANES
    for j in range(start, n):
        if x[i, j] == value:
            return j
    return n


@inline
def square(v):
    return v * v


def _lane_sum(f, name):
    """A function that computes Σ f(x[j]) of an array x, in float64: in eight lanes, which are then added in pairs.

    It is made for each f: compiled code that takes a function as an argument cannot be cached.
    """

    def lane_sum(x):
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

    lane_sum.__qualname__ = name  # symbols are made of it
    return inline(lane_sum)


sum_squares = _lane_sum(square, "sum_squares")
sum_sizes = _lane_sum(abs, "sum_sizes")


def chunks(size):
    """The number of chunks of `size` elements."""
    return -(-size // CHUNK)
