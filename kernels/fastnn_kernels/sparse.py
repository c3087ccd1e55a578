"""The products of a dense layer whose input is mostly 0, as pictures are: x·w forward, xᵀ·dout for its weights.

They give what `matmul` and `matmul_xt` give, with 0 in place of −0. How many zeros there are is for each call to see:
where they are not the most, the products are those of `matmul`.
"""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._products.product import product, product_xt_prefetch
from fastnn_kernels._products.sparse import mostly_zero, positive_zeros, sparse_product, sparse_product_xt
from fastnn_kernels._tuning import MULTIPLY_ADD
from fastnn_kernels.matmul import _block

__all__ = ["sparse_matmul", "sparse_matmul_xt", "sparse_matmul_xt_prefetch"]


@kernel(work=lambda out, x, w: MULTIPLY_ADD * out.size * w.shape[0], per_sample=True, cut=("out", "x"))
def sparse_matmul(out, x, w):
    """out = x · w, quick where most of x is 0

    out : (m, n)    x : (m, ≥ k)    w : (k, n)
    """
    size = _block(out.shape[0])
    for block in prange((out.shape[0] + size - 1) // size):  # each block owns its rows of out: no race
        rows = slice(block * size, block * size + size)
        own, left = out[rows], x[rows]
        if mostly_zero(left, 0, w.shape[0]):
            sparse_product(own, left, w)
        else:
            product(own, left, w)
        positive_zeros(own)


@inline
def _gradient(own, x, first, dout, w):
    """A block of rows of `sparse_matmul_xt`, from row `first` of it on; rows of w are prefetched"""
    if mostly_zero(x, first, own.shape[0]):
        sparse_product_xt(own, x, first, dout)
    else:
        product_xt_prefetch(own, x, first, dout, w)
    positive_zeros(own)


@kernel(work=lambda dw, x, dout, offset=0: MULTIPLY_ADD * dw.size * dout.shape[0], cut=("dw",))
def sparse_matmul_xt(dw, x, dout, offset=0):
    """dw = xᵀ · dout, quick where most of x is 0: rows offset ≤ r < offset + k of it

    dw : (k, n)    x : (m, ≥ offset + k)    dout : (m, n)
    """
    size = _block(dw.shape[0])
    for block in prange((dw.shape[0] + size - 1) // size):
        own = dw[block * size : block * size + size]
        _gradient(own, x, offset + block * size, dout, own[:0])


@kernel(work=lambda dw, x, dout, w, offset=0: MULTIPLY_ADD * dw.size * dout.shape[0], cut=("dw", "w"))
def sparse_matmul_xt_prefetch(dw, x, dout, w, offset=0):
    """As `sparse_matmul_xt`, and where x has few zeros it prefetches the rows of w, as `matmul_xt_prefetch` does

    dw, x, dout : as there    w : (k, any), which is not read
    """
    size = _block(dw.shape[0])
    for block in prange((dw.shape[0] + size - 1) // size):
        rows = slice(block * size, block * size + size)
        _gradient(dw[rows], x, offset + block * size, dout, w[rows])
