"""The normal distribution and its density at one number, in code that loops can vectorise (rules: `_math.elementary`).

For x ≥ 0, Φ(−x) is exp(−x² / 2) times a function that falls slowly from ½ towards 1 / (x·√(2π)). That function is
w · P(t), where w = 1 / (1 + p·x) and t is w mapped linearly to [−1, 1]: P is a polynomial of small coefficients. The
polynomials interpolate at Chebyshev nodes, computed in 50 digits. Errors are in ulp of the true value where that is
a normal number.
"""

from typing import NamedTuple

import numpy as np

from fastnn_kernels._jit import always_inline
from fastnn_kernels._math.constants import stored_constants_of
from fastnn_kernels._math.elementary import _horner, exp_of_sum
from fastnn_kernels._math.float_bits import bits_of, float_of
from fastnn_kernels._math.tables import by_dtype


class _Coefficients(NamedTuple):
    low_bits: int  # half of the bits of a mantissa: a number whose low_bits are zero has an exact square
    density: np.floating  # 1 / √(2π)
    far: np.floating  # exp(−far² / 2) is 0 in both dtypes
    slope: np.floating  # p
    stretch: np.floating  # t = 1 − stretch · (1 − w)
    # Φ(−x) · exp(x² / 2) / w for 0 ≤ x ≤ 13.3 (float32) or 37.8 (float64), where Φ becomes 0. It is
    # a(t)·u² + b(t)·u + c(t), u = tᵏ, k coefficients in b and c: LLVM would not unroll a longer Horner loop.
    scaled: tuple


# fmt: off
_FLOAT32 = _Coefficients(
    low_bits=12,
    density=np.float32(0.3989422804014327),
    far=np.float32(40),
    slope=np.float32(0.28),
    stretch=np.float32(2.5370569280343716),
    # error of the fit: 2**-28.7
    scaled=(
        tuple(map(np.float32, (
            -8.2367298163056031e-7, -3.4922671271856191e-6, 1.4230384446307808e-5))),
        tuple(map(np.float32, (
            4.7799446537381119e-5, -1.8538310453323816e-4, -8.0734245760656428e-4, 1.6088709022062739e-3))),
        tuple(map(np.float32, (
            0.019540456646908761, 0.071715508366073531, 0.16076675081990148, 0.24730342454588342))),
    ),
)
_FLOAT64 = _Coefficients(
    low_bits=27,
    density=np.float64(0.3989422804014327),
    far=np.float64(40),
    slope=np.float64(0.24),
    stretch=np.float64(2.2204585537918871),
    # error of the fit: 2**-57.04
    scaled=(
        tuple(map(np.float64, (
            3.6492762010752088e-12, -3.2500781684927624e-11, 4.9792128330653172e-12, 3.5168892258610428e-10,
            -4.7383161625152377e-10, -1.9933474424491417e-9, 5.5581196301455524e-9, 7.2121236938661752e-9))),
        tuple(map(np.float64, (
            -4.5919574029672785e-8, -8.1658368836909864e-9, 3.4464811508407102e-7, -1.4336995397728965e-7,
            -2.7073004272767539e-6, 1.5055258809033914e-6, 2.4383928476161101e-5, 3.9406131411451938e-7))),
        tuple(map(np.float64, (
            -0.00024770532700532157, -0.00043207661531494354, 0.0019251027369816181, 0.013261401548469994,
            0.042313352922898751, 0.092531551885149273, 0.15287430151745497, 0.19775033729249067))),
    ),
)
# fmt: on


_coefficients = by_dtype(_FLOAT32, _FLOAT64, stored=True)


@always_inline
def _size(x):
    """|x|, at most `far`; NaN stays NaN."""
    far = _coefficients(x).far
    return far if abs(x) > far else abs(x)


@always_inline
def _exp_minus_half_square(size):
    """exp(−½ · size²) for 0 ≤ size ≤ far

    The rounding error of the square alone would cost size² / 2 ulp. So only the high half of the bits is squared, which
    is exact, and the exponential gets the rest, (size − high) · (size + high), beside it.
    """
    bits = _coefficients(size).low_bits
    high = float_of(bits_of(size) >> bits << bits, size)
    rest = -type(size)(0.5) * ((size - high) * (size + high))
    return exp_of_sum(-type(size)(0.5) * (high * high), rest, stored_constants_of(size))


@always_inline
def _scaled_tail(size):
    """Φ(−size) · exp(size² / 2) for 0 ≤ size ≤ far"""
    real = type(size)
    k = _coefficients(size)
    part = k.slope * size
    w = real(1) / (real(1) + part)
    t = real(1) - k.stretch * (part * w)  # where part · w is 1 − w, without the rounding error of a w near 1
    a, b, c = k.scaled
    u = (t * t) * (t * t)
    u = u if len(b) == 4 else u * u
    return ((_horner(t, a) * u + _horner(t, b)) * u + _horner(t, c)) * w


@always_inline
def normal_density(x):
    """φ(x) = exp(−x² / 2) / √(2π)

    Any x. Error ≤ 3 ulp in float32 and float64. NaN stays NaN.
    """
    return _coefficients(x).density * _exp_minus_half_square(_size(x))


@always_inline
def normal_cdf(x):
    """Φ(x), the probability of numbers below x

    Any x. Error ≤ 5 ulp in float32 and float64, also where the value is tiny. Where it is below the smallest normal
    number (x < −13 in float32, −37.5 in float64) the result is not larger than that. Φ(−inf) = 0, Φ(inf) = 1, NaN stays
    NaN.
    """
    size = _size(x)
    tail = _exp_minus_half_square(size) * _scaled_tail(size)
    return tail if x < type(x)(0) else type(x)(1) - tail
