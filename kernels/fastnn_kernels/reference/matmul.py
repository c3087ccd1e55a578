"""Reference of the matrix products and of the transpose."""

__all__ = ["matmul", "matmul_wt", "matmul_xt", "matmul_xt_prefetch", "transpose"]


def matmul(out, x, w):
    """out = x · w"""
    out[:] = x[:, : len(w)] @ w


matmul_wt = matmul  # the former name of dout · wᵀ


def matmul_xt(dw, x, dout, offset=0):
    """dw = rows offset ≤ r < offset + k of xᵀ · dout"""
    dw[:] = x[:, offset : offset + len(dw)].T @ dout


def matmul_xt_prefetch(dw, x, dout, w, offset=0):
    """As `matmul_xt`"""
    matmul_xt(dw, x, dout, offset)


def transpose(out, w, offset=0):
    """out[:, offset : offset + k] = wᵀ"""
    out[:, offset : offset + len(w)] = w[:, : len(out)].T
