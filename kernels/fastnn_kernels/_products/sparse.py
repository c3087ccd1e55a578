"""out = a · b where most of a is exactly 0: the products of its zeros are left out.

A sum that leaves them out is the same chain of fused multiply-adds without those that add 0. They would change nothing
but the sign of a sum that is 0 itself, and only if all that they are multiplied with is finite: 0 · NaN and 0 · ∞ are
NaN. So each panel of b is looked at first, and where it is not finite no term is left out. The sign of a zero is
settled by `positive_zeros`, after a product of either kind: so both kinds give the same bits.

b is read in panels of 64 terms and 64 columns, which stay in the first cache while the rows of out pass by. Which of
the 64 numbers of a row of a are not 0, in ascending order, is said by the bits of one word.
"""

from fastnn_kernels._jit import inline
from fastnn_kernels._lanes.bits import NONE, ONE, WORD, count_ones, first_bits, lowest, nonzero_bits, transpose_bits
from fastnn_kernels._lanes.lanes import LANES, spread, total
from fastnn_kernels._lanes.memory import load, load_first, store, store_first
from fastnn_kernels._memory.scratch import SCRATCH, scratch_row

COLUMNS = 4 * LANES  # of a panel: four chains of sums keep the multipliers busy
# To guess how many zeros there are, one row in SAMPLED is looked at; of a large batch, about MOST_SAMPLED rows in all.
SAMPLED, MOST_SAMPLED = 4, 256


@inline
def mostly_zero(a, first, columns):
    """Whether more than half of a's numbers are 0, by some of its rows: a[:, first : first + columns]

    784 × 64, 100 samples, one thread of a Zen 4: with 80 % zeros (MNIST) leaving them out takes 38 µs of 90 forward
    and 44 of 90 for the gradient; with 50 % 71 and 77; with none 126 and 133. AVX2 code is alike.
    """
    others = looked_at = 0
    for i in range(0, a.shape[0], max(SAMPLED, a.shape[0] // MOST_SAMPLED)):
        looked_at += columns
        for j in range(0, columns, WORD):
            others += count_ones(nonzero_bits(a, i, first + j, min(WORD, columns - j)))
    return 2 * others < looked_at


@inline
def _are_finite(b, c):
    """Whether b[:, c : c + COLUMNS] has neither NaN nor infinity: 0 times anything else is 0"""
    zero = spread(b.dtype.type(0))
    s0, s1, s2, s3 = zero, zero, zero, zero
    for t in range(b.shape[0]):
        s0 = zero * load(b, t, c) + s0
        s1 = zero * load(b, t, c + LANES) + s1
        s2 = zero * load(b, t, c + 2 * LANES) + s2
        s3 = zero * load(b, t, c + 3 * LANES) + s3
    return total((s0 + s1) + (s2 + s3)) == 0


@inline
def _add_columns(out, a, b, words, fresh, c):
    """out += a · b for COLUMNS columns from c on: of each row the terms whose bits are 1 in its word

    The sums begin at 0 if `fresh`.
    """
    zero, every = spread(b.dtype.type(0)), first_bits(b.shape[0])
    whole = NONE if _are_finite(b, c) else every
    for r in range(out.shape[0]):
        s0, s1, s2, s3 = zero, zero, zero, zero
        if not fresh:
            s0, s1 = load(out, r, c), load(out, r, c + LANES)
            s2, s3 = load(out, r, c + 2 * LANES), load(out, r, c + 3 * LANES)
        bits = words[0, r] | whole
        while bits != NONE:
            t = lowest(bits)
            bits &= bits - ONE
            left = spread(a[r, t])
            s0 = left * load(b, t, c) + s0
            s1 = left * load(b, t, c + LANES) + s1
            s2 = left * load(b, t, c + 2 * LANES) + s2
            s3 = left * load(b, t, c + 3 * LANES) + s3
        store(s0, out, r, c)
        store(s1, out, r, c + LANES)
        store(s2, out, r, c + 2 * LANES)
        store(s3, out, r, c + 3 * LANES)


@inline
def _add_rest(out, a, b, words, fresh, c):
    """As `_add_columns`, for the last columns of a row, at most LANES"""
    none, count = b.dtype.type(0), min(LANES, b.shape[1] - c)
    zero, check = spread(none), spread(none)
    for t in range(b.shape[0]):
        check = zero * load_first(b, t, c, count, none) + check
    whole = NONE if total(check) == 0 else first_bits(b.shape[0])
    for r in range(out.shape[0]):
        s = zero if fresh else load_first(out, r, c, count, none)
        bits = words[0, r] | whole
        while bits != NONE:
            t = lowest(bits)
            bits &= bits - ONE
            s = spread(a[r, t]) * load_first(b, t, c, count, none) + s
        store_first(s, out, r, c, count)


@inline
def _add_panels(out, a, b, words, fresh):
    """out += a · b for at most WORD terms; bit t of words[0, r] says whether a[r, t] is not 0"""
    wide = b.shape[1] - b.shape[1] % COLUMNS
    for c in range(0, wide, COLUMNS):
        _add_columns(out, a, b, words, fresh, c)
    for c in range(wide, b.shape[1], LANES):
        _add_rest(out, a, b, words, fresh, c)


@inline
def sparse_product(out, a, b):
    """out = a · b; out (m, n), a (m, ≥ k), b (k, n)"""
    words = scratch_row(NONE)
    for i in range(0, out.shape[0], SCRATCH):
        rows = min(SCRATCH, out.shape[0] - i)
        for p in range(0, b.shape[0], WORD):
            terms = min(WORD, b.shape[0] - p)
            for r in range(rows):
                words[0, r] = nonzero_bits(a, i + r, p, terms)
            own = slice(i, i + rows)
            _add_panels(out[own], a[own, p : p + terms], b[p : p + terms], words, p == 0)


@inline
def sparse_product_xt(out, x, first, b):
    """out = xᵀ · b for the columns of x from `first` on, as many as out has rows"""
    words = scratch_row(NONE)
    for i in range(0, out.shape[0], WORD):
        rows, at = min(WORD, out.shape[0] - i), first + i
        for p in range(0, b.shape[0], WORD):
            terms = min(WORD, b.shape[0] - p)
            for t in range(WORD):
                words[0, t] = nonzero_bits(x, p + t, at, rows) if t < terms else NONE
            transpose_bits(words)
            own = x[p : p + terms, at : at + rows]
            _add_panels(out[i : i + rows], own.T, b[p : p + terms], words, p == 0)


@inline
def positive_zeros(out):
    """0 instead of −0 everywhere in out: −0 + 0 is 0"""
    # A zero that the compiler does not know as one: the sign of a zero may be ignored, so it would leave out x + 0.
    zero = out.dtype.type(out.shape[0] >> 62)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += zero
