"""Reference of the matrix product in its three forms, and of the transpose."""


def matmul(out, x, w):
    """out = x · w"""
    out[:] = x[:, : len(w)] @ w


def matmul_xt(dw, x, dout, first=0):
    """dw = xᵀ · dout, its rows from `first` on"""
    dw[:] = x[:, first : first + len(dw)].T @ dout


def transpose(out, w, first=0):
    """out = wᵀ, its columns from `first` on"""
    out[:, first : first + len(w)] = w[:, : len(out)].T


def matmul_wt(dx, dout, wt):
    """dx = dout · wᵀ, where wt is wᵀ"""
    dx[:] = dout[:, : len(wt)] @ wt
