"""Reference of the bias of a dense layer."""


def bias_forward(out, b):
    """out[i] += b"""
    out += b


def bias_backward(db, dout):
    """db = Σᵢ dout[i]"""
    db[:] = dout.sum(axis=0)
