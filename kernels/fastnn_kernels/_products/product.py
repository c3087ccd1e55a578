"""out = a · b for a block of rows of out: a readable loop, and the micro-tiles that run in its place.

Both compute each output as one chain of fused multiply-adds in ascending order of the summed index, so they give the
same bits. The loop runs with JIT off; compiled, it runs where `_products.tile` has no micro-tile for the processor.

The names are those of BLIS: a micro-tile has MR rows × NR columns of out; blocks of MC rows and KC terms stay in the
caches. NR is counted in lines here: a line is one cache line of numbers.
"""

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._products import block, registers
from fastnn_kernels._tuning import ALIGNMENT, KC, MC, MOST_TERMS


@inline
def _add_row(out, a, b, i, p):
    """out[i] += a[i, p] · b[p]"""
    a0 = a[i, p]
    for j in range(out.shape[1]):
        out[i, j] = a0 * b[p, j] + out[i, j]


@inline
def _add_four_rows(out, a, b, i, p):
    """out[i:i+4] += a[i:i+4, p:p+4] · b[p:p+4]

    Sixteen multiply-adds for four loads and four stores of `out`. With one row and one p at a time, stores would be
    the bottleneck.
    """
    a00, a01, a02, a03 = a[i, p], a[i, p + 1], a[i, p + 2], a[i, p + 3]
    a10, a11, a12, a13 = a[i + 1, p], a[i + 1, p + 1], a[i + 1, p + 2], a[i + 1, p + 3]
    a20, a21, a22, a23 = a[i + 2, p], a[i + 2, p + 1], a[i + 2, p + 2], a[i + 2, p + 3]
    a30, a31, a32, a33 = a[i + 3, p], a[i + 3, p + 1], a[i + 3, p + 2], a[i + 3, p + 3]
    for j in range(out.shape[1]):
        b0, b1, b2, b3 = b[p, j], b[p + 1, j], b[p + 2, j], b[p + 3, j]
        out[i, j] = a03 * b3 + (a02 * b2 + (a01 * b1 + (a00 * b0 + out[i, j])))
        out[i + 1, j] = a13 * b3 + (a12 * b2 + (a11 * b1 + (a10 * b0 + out[i + 1, j])))
        out[i + 2, j] = a23 * b3 + (a22 * b2 + (a21 * b1 + (a20 * b0 + out[i + 2, j])))
        out[i + 3, j] = a33 * b3 + (a32 * b2 + (a31 * b1 + (a30 * b0 + out[i + 3, j])))


@inline
def readable_product(out, a, b):
    """out = a · b, by loops; out (m, n), a (m, ≥ k), b (k, n)"""
    rows, depth = out.shape[0], b.shape[0]
    fours = rows - rows % 4
    deep = depth - depth % 4
    for i in range(rows):
        for j in range(out.shape[1]):
            out[i, j] = 0
    for i in range(0, fours, 4):
        for p in range(0, deep, 4):
            _add_four_rows(out, a, b, i, p)
    for i in range(rows):
        for p in range(deep if i < fours else 0, depth):
            _add_row(out, a, b, i, p)


def product(out, a, b):
    """out = a · b, by tiles where this processor has them; rows of a are contiguous"""
    readable_product(out, a, b)


def product_xt(out, x, first, b):
    """out = xᵀ · b for the columns of x from `first` on, as many as out has rows; rows of x are contiguous"""
    readable_product(out, x[:, first : first + out.shape[0]].T, b)


def product_xt_prefetch(out, x, first, b, w):
    """`product_xt`, which meanwhile prefetches the rows of w, to be written"""
    product_xt(out, x, first, b)


def _tiled(real, tall: bool):
    """A function that computes the whole lines of out = a · b and returns how many columns they have.

    tall  whether the terms of a lie side by side; else its rows do, and a is the transpose of a matrix
    a     the address of the first number, a_stride in bytes
    w     the address of `w_lines` lines that are prefetched meanwhile, to be written
    """
    run_block = block.caller(real, tall)

    @inline
    def run(out, a, a_stride, b, w, w_lines):
        size, depth, rows = out.itemsize, b.shape[0], out.shape[0]
        lines = out.shape[1] * size // ALIGNMENT
        term, row = (size, a_stride) if tall else (a_stride, size)
        passes = max(1, (depth + 2 * KC - MOST_TERMS - 1) // KC)
        for number in range(passes):
            p, end = depth * number // passes, depth * (number + 1) // passes
            begin, until = w_lines * number // passes, w_lines * (number + 1) // passes
            for i in range(0, rows, MC):
                run_block(
                    min(MC, rows - i), lines, out.ctypes.data + i * out.strides[0], out.strides[0],
                    a + p * term + i * row, a_stride, 0, 1, end - p,
                    b.ctypes.data + p * b.strides[0], b.strides[0], p == 0,
                    w + begin * ALIGNMENT, until - begin if i == 0 else 0,
                    a + end * term + i * row if number + 1 < passes else 0,
                )  # fmt: skip
        return lines * (ALIGNMENT // size)

    return run


@implementation(product)
def _compiled_product(out, a, b):
    if not registers.shape().rows:
        return lambda out, a, b: readable_product(out, a, b)
    tiled = _tiled(out.dtype, True)

    def run(out, a, b):
        done = tiled(out, a.ctypes.data, a.strides[0], b, 0, 0)
        if done < out.shape[1]:  # part of a line is left: never in a buffer of a program, whose rows are whole lines
            readable_product(out[:, done:], a, b[:, done:])

    return run


def _tiled_xt(real):
    """A function that computes `product_xt_prefetch`, for compiled code."""
    tiled = _tiled(real, False)

    @inline
    def run(out, x, first, b, w, w_lines):
        done = tiled(out, x.ctypes.data + first * x.itemsize, x.strides[0], b, w, w_lines)
        if done < out.shape[1]:
            readable_product(out[:, done:], x[:, first : first + out.shape[0]].T, b[:, done:])

    return run


@implementation(product_xt)
def _compiled_product_xt(out, x, first, b):
    if not registers.shape().rows:
        return lambda out, x, first, b: readable_product(out, x[:, first : first + out.shape[0]].T, b)
    run = _tiled_xt(out.dtype)
    return lambda out, x, first, b: run(out, x, first, b, 0, 0)


@implementation(product_xt_prefetch)
def _compiled_product_xt_prefetch(out, x, first, b, w):
    if not registers.shape().rows:
        return lambda out, x, first, b, w: readable_product(out, x[:, first : first + out.shape[0]].T, b)
    run = _tiled_xt(out.dtype)
    return lambda out, x, first, b, w: run(out, x, first, b, w.ctypes.data, w.nbytes // ALIGNMENT)
