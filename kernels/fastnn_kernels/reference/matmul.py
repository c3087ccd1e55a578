"""Reference of the matrix product in its three forms, and of the transpose."""


def matmul(out, x, w):
    """out = x · w"""
    out[:] = x[:, : len(w)] @ w


def matmul_xt(dw, x, dout):
    """dw = xᵀ · dout"""
    dw[:] = x[:, : len(dw)].T @ dout


def transpose(out, w):
    """out = wᵀ"""
    out[:, : len(w)] = w[:, : len(out)].T


def matmul_wt(dx, dout, wt):
    """dx = dout · wᵀ, where wt is wᵀ"""
    dx[:] = dout[:, : len(wt)] @ wt
