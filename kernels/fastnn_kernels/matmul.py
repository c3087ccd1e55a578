"""The matrix product in its three forms: x·w forward, xᵀ·dout for the weights, dout·wᵀ for the input.

Every output is one chain of fused multiply-adds in ascending order of the summed index, whatever the
block it falls in, so all variants and any number of threads give the same bits. Matrices are
C-contiguous; columns past the logical width (padding) are 0 and come out 0.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._product import product, transposed
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT, MULTIPLY_ADD, ROWS

__all__ = ["matmul", "matmul_wt", "matmul_xt", "transpose"]


@inline
def _block(rows):
    """How many of `rows` rows a block takes: at most ROWS, whole fours, an even number of blocks.

    (Asking for the number of threads would keep compiled code out of the cache.)
    """
    blocks = 2 * -(-rows // (2 * ROWS))
    return max(4, (-(-rows // max(blocks, 1)) + 3) // 4 * 4)


@kernel(work=lambda out, x, w: MULTIPLY_ADD * out.size * w.shape[0], per_sample=True, cut=("out", "x"))
def matmul(out, x, w):
    """out = x · w

    out : (m, n)    x : (m, ≥ k)    w : (k, n)
    """
    size = _block(out.shape[0])
    for block in prange((out.shape[0] + size - 1) // size):  # owns its rows of out: no race
        own = slice(block * size, block * size + size)
        product(out[own], x[own], w)


@kernel(work=lambda dw, x, dout, offset=0: MULTIPLY_ADD * dw.size * dout.shape[0], cut=("dw",))
def matmul_xt(dw, x, dout, offset=0):
    """dw = xᵀ · dout, the gradient of the weights: rows offset ≤ r < offset + k of it

    dw : (k, n)    x : (m, ≥ offset + k)    dout : (m, n)
    """
    size = _block(dw.shape[0])
    for block in prange((dw.shape[0] + size - 1) // size):
        own = dw[block * size : block * size + size]
        at = offset + block * size
        product(own, x[:, at : at + own.shape[0]].T, dout)


@kernel(work=lambda out, w, offset=0: ELEMENT * w.shape[0] * out.shape[0], cut=("w",))
def transpose(out, w, offset=0):
    """out[:, offset : offset + k] = wᵀ

    out : (n, ≥ offset + k)    w : (k, ≥ n)
    """
    lanes = ALIGNMENT // w.itemsize
    # The rows of out in a block are one cache line of each row of w.
    for block in prange((out.shape[0] + lanes - 1) // lanes):
        own = out[block * lanes : block * lanes + lanes, offset : offset + w.shape[0]]
        transposed(own, w[:, block * lanes : block * lanes + own.shape[0]])


@kernel(work=lambda dx, dout, wt: MULTIPLY_ADD * dx.size * wt.shape[0], per_sample=True, cut=("dx", "dout"))
def matmul_wt(dx, dout, wt):
    """dx = dout · wᵀ, the gradient of the input, from the transposed weights

    dx : (m, k)    dout : (m, ≥ n)    wt : (n, k), what `transpose` makes of w

    The sum runs along rows of w; only its transpose lets the inner loop run over columns of dx and
    keep each output one chain.
    """
    size = _block(dx.shape[0])
    for block in prange((dx.shape[0] + size - 1) // size):
        own = slice(block * size, block * size + size)
        product(dx[own], dout[own], wt)
