"""The matrix products of a dense layer: x·w forward, xᵀ·dout for its weights, dout·wᵀ for its input.

Every output is one chain of fused multiply-adds in ascending order of the summed index, whatever block it falls in.
So every version and any number of threads give the same bits. Matrices are C-contiguous; columns past the logical
width (padding) are 0 and come out 0.

dout·wᵀ is `matmul` with the transposed weights, which `transpose` makes. Without the transpose the sum would run along
rows of w: its inner loop could not run over columns of the output and keep each output one chain.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._products.product import product, product_xt, product_xt_prefetch
from fastnn_kernels._products.transpose import transposed
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT, MC, MULTIPLY_ADD, UNDIVIDED

__all__ = ["matmul", "matmul_wt", "matmul_xt", "matmul_xt_prefetch", "transpose"]


@inline
def _block(rows):
    """How many rows a block takes: all, or of many rows at most MC, so that the number of blocks is even.

    It does not depend on the number of threads: code that asks for that number cannot be cached.
    """
    if rows <= UNDIVIDED:
        return max(rows, 1)
    blocks = 2 * -(-rows // (2 * MC))
    return (-(-rows // blocks) + 3) // 4 * 4


@kernel(work=lambda out, x, w: MULTIPLY_ADD * out.size * w.shape[0], per_sample=True, cut=("out", "x"))
def matmul(out, x, w):
    """out = x · w

    out : (m, n)    x : (m, ≥ k)    w : (k, n)
    """
    size = _block(out.shape[0])
    for block in prange((out.shape[0] + size - 1) // size):  # each block owns its rows of out: no race
        own = slice(block * size, block * size + size)
        product(out[own], x[own], w)


matmul_wt = matmul  # the former name of dout·wᵀ: the same product, of dout and wᵀ


@kernel(work=lambda dw, x, dout, offset=0: MULTIPLY_ADD * dw.size * dout.shape[0], cut=("dw",))
def matmul_xt(dw, x, dout, offset=0):
    """dw = xᵀ · dout, the gradient of the weights: rows offset ≤ r < offset + k of it

    dw : (k, n)    x : (m, ≥ offset + k)    dout : (m, n)
    """
    size = _block(dw.shape[0])
    for block in prange((dw.shape[0] + size - 1) // size):
        product_xt(dw[block * size : block * size + size], x, offset + block * size, dout)


@kernel(work=lambda dw, x, dout, w, offset=0: MULTIPLY_ADD * dw.size * dout.shape[0], cut=("dw", "w"))
def matmul_xt_prefetch(dw, x, dout, w, offset=0):
    """As `matmul_xt`, and meanwhile prefetches the rows of w, to be written

    dw, x, dout : as there    w : (k, any), which is not read

    w is the weight, which the update writes next. All threads have read it, and a line that one of them writes must
    first leave the caches of the others. With it the updates of cats-vs-cars take 10 instead of 21 µs of two threads,
    those of trigram 10 instead of 16, and this product as long as `matmul_xt` (Zen 5, AVX2 code). For a large weight,
    the product w · doutᵀ comes between, and need not wait for memory either.
    """
    size = _block(dw.shape[0])
    for block in prange((dw.shape[0] + size - 1) // size):
        own = slice(block * size, block * size + size)
        product_xt_prefetch(dw[own], x, offset + block * size, dout, w[own])


@kernel(work=lambda out, w, offset=0: 4 * ELEMENT * w.shape[0] * out.shape[0], cut=("w",))
def transpose(out, w, offset=0):
    """out[:, offset : offset + k] = wᵀ

    out : (n, ≥ offset + k)    w : (k, ≥ n)
    """
    lanes = ALIGNMENT // w.itemsize
    # A block is one cache line of columns of w, and the rows of out that they become.
    for block in prange((out.shape[0] + lanes - 1) // lanes):
        own = out[block * lanes : block * lanes + lanes, offset : offset + w.shape[0]]
        transposed(own, w[:, block * lanes : block * lanes + own.shape[0]])
