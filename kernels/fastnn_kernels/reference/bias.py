"""Reference of the bias of a dense layer."""


def bias_forward(out, b):
    """out[i] += b"""
    out += b


def bias_backward(db, dout):
    """db = Σᵢ dout[i]"""
    db[:] = dout.sum(axis=0)


def channel_bias_forward(out, b, P, C):
    """out[i, p·C : (p+1)·C] += b"""
    out[:, : P * C].reshape(len(out), P, C)[:] += b[:C]


def channel_bias_backward(db, dout, P, C):
    """db[j] = Σ dout[i, p·C + j]"""
    db[:C] = dout[:, : P * C].reshape(len(dout), P, C).sum(axis=(0, 1))
