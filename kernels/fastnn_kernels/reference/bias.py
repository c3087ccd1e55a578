"""Reference of the bias of a dense layer."""

__all__ = ["bias_backward", "bias_forward", "channel_bias_backward", "channel_bias_forward"]


def bias_forward(out, b):
    """out[i] += b"""
    out += b


def bias_backward(db, dout, offset=0):
    """db[j] = Σᵢ dout[i, offset + j]"""
    db[:] = dout[:, offset : offset + len(db)].sum(axis=0)


def channel_bias_forward(out, b, P, C):
    """out[i, p·C : (p+1)·C] += b"""
    out[:, : P * C].reshape(len(out), P, C)[:] += b[:C]


def channel_bias_backward(db, dout, P, C, offset=0):
    """db[j] = Σ dout[i, p·C + offset + j]"""
    sums = dout[:, : P * C].reshape(len(dout), P, C).sum(axis=(0, 1))[offset : offset + len(db)]
    db[: len(sums)] = sums
