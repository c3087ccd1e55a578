"""bfloat16 numbers, stored as uint16 words, and their stochastic rounding.

A word is the upper half of a float32: its sign, its exponent, and 7 of its 23 bits of mantissa. So any word is a
float32, and a float32 is rounded to one of the two words around it. To nearest, state that moves by less than half the
distance of two words stays where it is: that of Adam's v (β₂ = .999 lets it fall by .1 % a step at most, words lie .4
to .8 % apart). With 16 random bits added below the cut, the mean is right.

The random bits are a function of a key, which `dropout` derives from epoch, stream and step, and of the element's
index: no number depends on an earlier one, nor on how the work is divided. Philox would cost more than the update. So
the function is an integer hash, the 32-bit mixer `lowbias32` that Wellons found by search (2018, "Prospecting for hash
functions"), into which the key's two words enter at two places.

Both functions here are written a second time, in 32 bits from end to end: Numba would widen every product and sum of
them to 64 bits, and Adam's update took .66 ns a parameter where it takes .51 (16,384 of them, one core, AVX-512).
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._jit import inline
from fastnn_kernels._math.float_bits import bits_of, float_of

LOW = 0xFFFFFFFF
SHIFTS = (16, 15, 16)
MULTIPLIERS = (0x7FEB352D, 0x846CA68B)
MAGNITUDE = 0x7FFFFFFF
LARGEST = 0x7F7F0000  # the greatest finite word: from here to infinity all is cut, nothing rounded up


def random_word(index, a, b):
    """32 random bits (uint32) that are a function of an index and a key (a, b), the low 32 bits of each."""
    x = (int(index) + int(a)) & LOW
    x = (x ^ x >> SHIFTS[0]) * MULTIPLIERS[0] & LOW
    x ^= int(b) & LOW
    x = (x ^ x >> SHIFTS[1]) * MULTIPLIERS[1] & LOW
    return np.uint32(x ^ x >> SHIFTS[2])


@type_callable(random_word)
def _type_random_word(context):
    return lambda index, a, b: types.uint32


@lower_builtin(random_word, types.Integer, types.Integer, types.Integer)
def _lower_random_word(context, builder, signature, args):
    word = ir.IntType(32)
    index, a, b = (builder.trunc(arg, word) for arg in args)
    x = builder.add(index, a)
    x = builder.mul(builder.xor(x, builder.lshr(x, word(SHIFTS[0]))), word(MULTIPLIERS[0]))
    x = builder.xor(x, b)
    x = builder.mul(builder.xor(x, builder.lshr(x, word(SHIFTS[1]))), word(MULTIPLIERS[1]))
    return builder.xor(x, builder.lshr(x, word(SHIFTS[2])))


def _rounded(x, random):
    """A float32 rounded to one of the two words around it, by the low 16 bits of `random`."""
    bits = int(bits_of(x)) & LOW
    below = int(random) & 0xFFFF if bits & MAGNITUDE < LARGEST else 0
    return np.uint16(bits + below >> 16)


@type_callable(_rounded)
def _type_rounded(context):
    return lambda x, random: types.uint16


@lower_builtin(_rounded, types.float32, types.Integer)
def _lower_rounded(context, builder, signature, args):
    word, half = ir.IntType(32), ir.IntType(16)
    bits, random = builder.bitcast(args[0], word), builder.trunc(args[1], word)
    finite = builder.icmp_signed("<", builder.and_(bits, word(MAGNITUDE)), word(LARGEST))
    below = builder.select(finite, builder.and_(random, word(0xFFFF)), word(0))
    return builder.trunc(builder.lshr(builder.add(bits, below), word(16)), half)


@inline
def from_word(word, like):
    """The number that a word stands for, in the dtype of `like`."""
    return type(like)(float_of(np.int32(word) << np.int32(16), np.float32(0)))


@inline
def to_word(x, random):
    """x rounded to one of the two words around it; the mean over the low 16 bits of `random` is x, as a float32

    A number that is a word stays. Infinity stays, and so does NaN, if arithmetic made it: such a NaN has its upper
    bits set. A finite float32 stays finite; a float64 beyond the float32 numbers becomes infinite.
    """
    return _rounded(np.float32(x), random)
