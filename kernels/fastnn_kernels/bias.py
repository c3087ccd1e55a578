"""The bias of a dense layer: added to every row, its gradient summed over rows."""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT


@kernel(work=lambda out, b: ELEMENT * out.size)
def bias_forward(out, b):
    """out += b, on every row

    out : (B, C)    b : (C,)
    """
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += b[j]


@kernel(work=lambda db, dout: ELEMENT * dout.size)
def bias_backward(db, dout):
    """db[j] = Σᵢ dout[i, j], summed in ascending i

    db : (C,)    dout : (B, C)
    """
    # One block of columns per iteration, a whole number of cache lines: each sum has one owner, and
    # the inner loop runs along rows. Over slices, from 0: an index that starts elsewhere might be
    # negative for all the compiler knows, and the loop was not vectorised (22.7 against 2.8 us at 200 x 250).
    width = 4 * ALIGNMENT // db.itemsize
    for block in prange((db.shape[0] + width - 1) // width):
        first = block * width
        own = db[first : first + width]
        for j in range(own.shape[0]):
            own[j] = 0
        for i in range(dout.shape[0]):
            row = dout[i, first : first + width]
            for j in range(own.shape[0]):
                own[j] += row[j]


@kernel(work=lambda out, b, P, C: ELEMENT * out.size)
def channel_bias_forward(out, b, P, C):
    """out[i, p·C : (p+1)·C] += b, at every one of P places

    out : (B, ≥ P·C)    b : (≥ C,)
    """
    for i in prange(out.shape[0]):
        for p in range(P):
            own = out[i, p * C : (p + 1) * C]
            for j in range(C):
                own[j] += b[j]


@kernel(work=lambda db, dout, P, C: ELEMENT * dout.size)
def channel_bias_backward(db, dout, P, C):
    """db[j] = Σ dout[i, p·C + j], summed in ascending (i, p)

    db : (≥ C,), elements from C on stay    dout : (B, ≥ P·C)
    """
    width = 4 * ALIGNMENT // db.itemsize  # blocks as in `bias_backward`
    for block in prange((C + width - 1) // width):
        first = block * width
        own = db[first : min(first + width, C)]
        for j in range(own.shape[0]):
            own[j] = 0
        for i in range(dout.shape[0]):
            for p in range(P):
                row = dout[i, p * C + first : p * C + first + own.shape[0]]
                for j in range(own.shape[0]):
                    own[j] += row[j]
