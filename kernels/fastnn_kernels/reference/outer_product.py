"""Reference of SGD by outer products, one sample a step and blocks of such steps."""

__all__ = ["add_earlier_steps", "add_matmul_xt", "first_matmul", "keep_steps", "sgd_outer_step", "sgd_outer_update"]


def sgd_outer_update(w, x, dout, scalars, offset=0):
    """w −= lr · (rows offset ≤ r < offset + k of x ⊗ dout)"""
    w -= scalars[0] * x[:, offset : offset + len(w)].T * dout


def first_matmul(out, x, w):
    """out[0] = x[0] · w"""
    out[0] = x[0, : len(w)] @ w


def sgd_outer_step(out, w, x, dout, scalars, sample):
    """w −= lr · (x[sample] ⊗ dout), then out[sample + 1] = x[sample + 1] · w if there is such a sample"""
    w -= scalars[0] * x[sample, : len(w), None] * dout
    if sample + 1 < len(x):
        out[sample + 1] = x[sample + 1, : len(w)] @ w


def add_matmul_xt(w, x, dout, offset=0):
    """w += rows offset ≤ r < offset + k of xᵀ · dout"""
    w += x[:, offset : offset + len(w)].T @ dout[: len(x)]


def add_earlier_steps(out, gram, kept, offset=0):
    """out[i] += Σ_{t < offset + i} gram[i, t] · kept[t]"""
    for i in range(len(out)):
        out[i] += gram[i, : offset + i] @ kept[: offset + i]


def keep_steps(kept, dout, scalars, offset=0):
    """kept[offset + i] = −lr · dout[i]"""
    kept[offset : offset + len(dout)] = -scalars[0] * dout
