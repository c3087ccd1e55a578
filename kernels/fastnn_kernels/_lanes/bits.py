"""Which of 64 numbers are not 0, as the bits of one word; and what a loop over such numbers asks of a word.

In compiled code sixteen numbers are compared at once. With JIT off the same source runs on NumPy's numbers.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._jit import inline
from fastnn_kernels._lanes.lanes import LANES, Lanes
from fastnn_kernels._lanes.memory import load, load_first

WORD = 64
NONE, ONE = np.uint64(0), np.uint64(1)
LOW_HALF = np.uint64((1 << 32) - 1)
SECOND, THIRD, FOURTH = np.uint64(LANES), np.uint64(2 * LANES), np.uint64(3 * LANES)


def lane_bits(lanes):
    """Bit l is 1 where lane l is not 0; NaN is not 0."""
    return np.uint64(sum(1 << lane for lane in range(LANES) if lanes[lane] != 0))


def lowest(bits):
    """The number of the lowest bit that is 1; there must be one."""
    return (int(bits) & -int(bits)).bit_length() - 1


def count_ones(bits):
    """How many bits are 1."""
    return int(bits).bit_count()


type_callable(lane_bits)(lambda context: lambda lanes: types.uint64 if isinstance(lanes, Lanes) else None)
for _function in (lowest, count_ones):
    type_callable(_function)(lambda context: lambda bits: types.int64 if bits == types.uint64 else None)


@lower_builtin(lane_bits, Lanes)
def _emit_lane_bits(context, builder, signature, args):
    other = builder.fcmp_unordered("!=", args[0], ir.Constant(args[0].type, None))
    return builder.zext(builder.bitcast(other, ir.IntType(LANES)), ir.IntType(WORD))


@lower_builtin(lowest, types.uint64)
def _emit_lowest(context, builder, signature, args):
    return builder.cttz(args[0], ir.IntType(1)(1))


@lower_builtin(count_ones, types.uint64)
def _emit_count_ones(context, builder, signature, args):
    return builder.ctpop(args[0])


@inline
def nonzero_bits(x, i, j, count):
    """Bit t is 1 where x[i, j + t] is not 0, for t < count ≤ WORD; all others are 0"""
    if count == WORD:
        low = lane_bits(load(x, i, j)) | lane_bits(load(x, i, j + LANES)) << SECOND
        high = lane_bits(load(x, i, j + 2 * LANES)) << THIRD | lane_bits(load(x, i, j + 3 * LANES)) << FOURTH
        return low | high
    bits = NONE
    for t in range(0, count, LANES):
        lanes = load_first(x, i, j + t, min(LANES, count - t), x.dtype.type(0))
        bits |= lane_bits(lanes) << np.uint64(t)
    return bits


@inline
def first_bits(count):
    """The word whose first `count` bits are 1, 1 ≤ count ≤ WORD"""
    return ~NONE >> np.uint64(WORD - count)


@inline
def transpose_bits(words):
    """Bit c of words[0, r] and bit r of words[0, c] change places, for r and c below WORD.

    The two blocks beside the diagonal change places, then the same within each of the four blocks, and so on.
    """
    size, chosen = WORD // 2, LOW_HALF
    while size > 0:
        shift = np.uint64(size)
        for block in range(0, WORD, 2 * size):
            for r in range(block, block + size):
                changed = (words[0, r] >> shift ^ words[0, r + size]) & chosen
                words[0, r] ^= changed << shift
                words[0, r + size] ^= changed
        size //= 2
        chosen ^= chosen << np.uint64(size)
