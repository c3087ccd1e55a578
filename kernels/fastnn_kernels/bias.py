"""The bias of a dense layer: added to every row, its gradient summed over rows."""

from numba import prange

from fastnn_kernels._jit import kernel
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT


@kernel(work=lambda out, b: ELEMENT * out.size, per_sample=True)
def bias_forward(out, b):
    """out += b, on every row

    out : (B, C)    b : (C,)
    """
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += b[j]


@kernel(work=lambda db, dout, first=0: ELEMENT * db.size * dout.shape[0])
def bias_backward(db, dout, first=0):
    """db[j] = Σᵢ dout[i, first + j], summed in ascending i

    db : (C,)    dout : (B, ≥ first + C)
    """
    # One block of columns per iteration, a whole number of cache lines: each sum has one owner, and
    # the inner loop runs along rows. Over slices, from 0: an index that starts elsewhere might be
    # negative for all the compiler knows, and the loop was not vectorised (22.7 against 2.8 us at 200 x 250).
    width = 4 * ALIGNMENT // db.itemsize
    for block in prange((db.shape[0] + width - 1) // width):
        own = db[block * width : block * width + width]
        at = first + block * width
        for j in range(own.shape[0]):
            own[j] = 0
        for i in range(dout.shape[0]):
            row = dout[i, at : at + width]
            for j in range(own.shape[0]):
                own[j] += row[j]


@kernel(work=lambda out, b, P, C: ELEMENT * out.size, per_sample=True)
def channel_bias_forward(out, b, P, C):
    """out[i, p·C : (p+1)·C] += b, at every one of P places

    out : (B, ≥ P·C)    b : (≥ C,)
    """
    for i in prange(out.shape[0]):
        for p in range(P):
            own = out[i, p * C : (p + 1) * C]
            for j in range(C):
                own[j] += b[j]


@kernel(work=lambda db, dout, P, C, begin=0: ELEMENT * dout.size)
def channel_bias_backward(db, dout, P, C, begin=0):
    """db[j] = Σ dout[i, p·C + begin + j], summed in ascending (i, p), for begin + j < C

    db : (≥ C − begin,), elements from there on stay    dout : (B, ≥ P·C)
    """
    width = 4 * ALIGNMENT // db.itemsize  # blocks as in `bias_backward`
    count = min(db.shape[0], C - begin)
    for block in prange((count + width - 1) // width):
        own = db[block * width : min(block * width + width, count)]
        first = begin + block * width
        for j in range(own.shape[0]):
            own[j] = 0
        for i in range(dout.shape[0]):
            for p in range(P):
                row = dout[i, p * C + first : p * C + first + own.shape[0]]
                for j in range(own.shape[0]):
                    own[j] += row[j]
