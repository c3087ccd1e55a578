"""Parameters of channels, repeated so that vectors run over pixels that lie side by side.

Six channels fill six of sixteen lanes, and a loop over six numbers ends before it is one of vectors. Repeated over
lcm(C, LANES) numbers, parameters line up with whole vectors of a sample's pixels: number k of a sample belongs to
parameter k mod `period`.
"""

from fastnn_kernels._jit import inline
from fastnn_kernels._lanes.lanes import LANES
from fastnn_kernels._memory.scratch import SCRATCH
from fastnn_kernels._tuning import CHANNEL_BYTES


@inline
def period_of(values, P, C):
    """lcm(C, LANES) where that is worthwhile, at most SCRATCH and the numbers of P pixels; else 0: a loop over channels

    values : an array of the parameters' dtype
    """
    period = C // max(1, min(LANES, C & -C)) * LANES  # C & −C: the largest power of two that divides C
    few = P > 1 and C * values.itemsize < CHANNEL_BYTES
    return period if few and period <= min(SCRATCH, P * C) else 0


@inline
def repeat(row, values, period, C):
    """row[0, j] = values[j mod C] for j < period, a multiple of C; row : (1, SCRATCH)"""
    for copy in range(period // max(1, C)):
        for j in range(C):
            row[0, copy * C + j] = values[j]


@inline
def next_lanes(j, period):
    """Where the parameters of the next vector are in a repeated row, after those from j on."""
    return j + LANES if j + LANES < period else 0
