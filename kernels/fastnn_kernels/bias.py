"""The bias of a dense layer and of a convolution: added to every row or pixel; its gradient, summed over them."""

from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.channels import next_lanes, period_of, repeat
from fastnn_kernels._lanes.lanes import LANES
from fastnn_kernels._lanes.memory import load, load_first, store, store_first
from fastnn_kernels._lanes.sums import channel_sums
from fastnn_kernels._memory.scratch import scratch_row
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT

__all__ = ["bias_backward", "bias_forward", "channel_bias_backward", "channel_bias_forward"]


@kernel(work=lambda out, b: ELEMENT * out.size, per_sample=True, cut=("out",))
def bias_forward(out, b):
    """out += b, on every row

    out : (B, C)    b : (C,)
    """
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += b[j]


@kernel(work=lambda db, dout, offset=0: ELEMENT * db.size * dout.shape[0], cut=("db",))
def bias_backward(db, dout, offset=0):
    """db[j] = Σᵢ dout[i, offset + j], summed in ascending i

    db : (C,)    dout : (B, ≥ offset + C)    offset : number of db's first column
    """
    # Each iteration takes one block of columns, a whole number of cache lines: one thread owns each sum, and the
    # inner loop runs along rows. The inner loop indexes slices from 0: the compiler cannot know that an index
    # which starts elsewhere is not negative, and did not vectorise the loop (22.7 against 2.8 us at 200 x 250).
    # Blocks are a page wide: where dout comes from memory, long pieces of its rows come faster (10,000 x 1,008: 1.2 ms
    # on one core of a Zen 5, 2.0 in blocks of a quarter and of a sixteenth).
    width = 64 * ALIGNMENT // db.itemsize
    for block in prange((db.shape[0] + width - 1) // width):
        own = db[block * width : block * width + width]
        at = offset + block * width
        for j in range(own.shape[0]):
            own[j] = 0
        for i in range(dout.shape[0]):
            row = dout[i, at : at + width]
            for j in range(own.shape[0]):
                own[j] += row[j]


@inline
def _add_repeated(out, i, row, period, n):
    """out[i, j] += row[0, j mod period] for j < n"""
    zero, j, whole = out.dtype.type(0), 0, n - n % LANES
    for at in range(0, whole, LANES):
        store(load(out, i, at) + load(row, 0, j), out, i, at)
        j = next_lanes(j, period)
    rest = load_first(out, i, whole, n - whole, zero) + load(row, 0, j)
    store_first(rest, out, i, whole, n - whole)


@kernel(work=lambda out, b, P, C: ELEMENT * out.size, per_sample=True, cut=("out",))
def channel_bias_forward(out, b, P, C):
    """out[i, p·C : (p+1)·C] += b, at each of the P pixels

    out : (B, ≥ P·C)    b : (≥ C,)
    """
    row, period = scratch_row(b.dtype.type(0)), period_of(b, P, C)
    repeat(row, b, period, C)
    for i in prange(out.shape[0]):
        if period:
            _add_repeated(out, i, row, period, P * C)
        else:
            for p in range(P):
                own = out[i, p * C : (p + 1) * C]
                for j in range(C):
                    own[j] += b[j]


@kernel(work=lambda db, dout, P, C, offset=0: ELEMENT * dout.size, cut=("db",))
def channel_bias_backward(db, dout, P, C, offset=0):
    """db[j] = Σ dout[i, p·C + offset + j] over samples i and pixels p, in the order of `channel_sums`; offset + j < C

    db : (n,); elements from C − offset on stay    dout : (B, ≥ P·C)    offset : number of db's first channel
    """
    width = 4 * ALIGNMENT // db.itemsize
    count = min(db.shape[0], C - offset)
    for block in prange((count + width - 1) // width):
        own = db[block * width : min(block * width + width, count)]
        channel_sums(own.reshape((1, own.shape[0])), dout, offset + block * width, P, C)
