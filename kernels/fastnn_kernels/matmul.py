"""The matrix product in its three forms: x·w forward, xᵀ·dout for the weights, dout·wᵀ for the input.

Every output is one chain of fused multiply-adds in ascending order of the summed index, whatever the
block it falls in, so all variants and any number of threads give the same bits. Matrices are
C-contiguous; columns past the logical width (padding) are 0 and come out 0.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD


@inline
def _add_row(out, a, b, i, p):
    """out[i] += a[i, p] · b[p]"""
    a0 = a[i, p]
    for j in range(out.shape[1]):
        out[i, j] = a0 * b[p, j] + out[i, j]


@inline
def _add_four_rows(out, a, b, i, p):
    """out[i:i+4] += a[i:i+4, p:p+4] · b[p:p+4]

    Sixteen multiply-adds for four loads and four stores of `out`: one row and one p at a time is
    bound by the stores.
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
def _product_rows(out, a, b, i):
    """out[i:i+4] = a[i:i+4] · b, or the fewer rows that are left."""
    depth = b.shape[0]
    last = min(i + 4, out.shape[0])
    for row in range(i, last):
        for j in range(out.shape[1]):
            out[row, j] = 0
    done = 0
    if last - i == 4:
        done = depth - depth % 4
        for p in range(0, done, 4):
            _add_four_rows(out, a, b, i, p)
    for row in range(i, last):
        for p in range(done, depth):
            _add_row(out, a, b, row, p)


@kernel(work=lambda out, x, w: MULTIPLY_ADD * out.size * w.shape[0])
def matmul(out, x, w):
    """out = x · w

    out : (m, n)    x : (m, ≥ k)    w : (k, n)
    """
    for block in prange((out.shape[0] + 3) // 4):  # owns its four rows of out: no race
        _product_rows(out, x, w, 4 * block)


@kernel(work=lambda dw, x, dout: MULTIPLY_ADD * dw.size * dout.shape[0])
def matmul_xt(dw, x, dout):
    """dw = xᵀ · dout, the gradient of the weights

    dw : (k, n)    x : (m, ≥ k)    dout : (m, n)
    """
    for block in prange((dw.shape[0] + 3) // 4):
        _product_rows(dw, x.T, dout, 4 * block)


@kernel(work=lambda out, w: ELEMENT * out.size)
def transpose(out, w):
    """out = wᵀ

    out : (n, ≥ k)    w : (k, ≥ n)
    """
    # 16 rows of out at a time: they are one cache line of each row of w. (Slices: see `bias_backward`.)
    for block in prange((out.shape[0] + 15) // 16):
        own = out[16 * block : 16 * block + 16]
        for j in range(w.shape[0]):
            row = w[j, 16 * block : 16 * block + 16]
            for i in range(own.shape[0]):
                own[i, j] = row[i]


@kernel(work=lambda dx, dout, wt: MULTIPLY_ADD * dx.size * wt.shape[0])
def matmul_wt(dx, dout, wt):
    """dx = dout · wᵀ, the gradient of the input, from the transposed weights

    dx : (m, k)    dout : (m, ≥ n)    wt : (n, k), what `transpose` makes of w

    The sum runs along rows of w; only its transpose lets the inner loop run over columns of dx and
    keep each output one chain.
    """
    for block in prange((dx.shape[0] + 3) // 4):
        _product_rows(dx, dout, wt, 4 * block)
