"""Reference of the products whose left operand is mostly 0."""

from fastnn_kernels.reference.matmul import matmul, matmul_xt

__all__ = ["sparse_matmul", "sparse_matmul_xt", "sparse_matmul_xt_prefetch"]


def sparse_matmul(out, x, w):
    """out = x · w"""
    matmul(out, x, w)


def sparse_matmul_xt(dw, x, dout, offset=0):
    """dw = rows offset ≤ r < offset + k of xᵀ · dout"""
    matmul_xt(dw, x, dout, offset)


def sparse_matmul_xt_prefetch(dw, x, dout, w, offset=0):
    """As `sparse_matmul_xt`"""
    matmul_xt(dw, x, dout, offset)
