"""The normal distribution and its density at one number, in code that loops can vectorise, by the rules of `_math`.

The distribution rests on exp(z²)·erfc(z), which falls slowly from 1 towards 1 / (z√π). Times 1 + 2z it varies
by an eighth over all z ≥ 0, and is a polynomial in t = (z − 4) / (z + 4), which maps z ≥ 0 to [−1, 1).
The polynomials interpolate at Chebyshev nodes, computed in 40 digits. Errors are in ulp of the true value
where that is a normal number.
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from fastnn_kernels._jit import always_inline
from fastnn_kernels._math import _bits, _from_bits, _horner, exp

SQRT_HALF = 0.7071067811865476
INVERSE_SQRT_2_PI = 0.3989422804014327
NEAR = 0.4  # for |x| / √2 below it, Φ is ½ ± ½·erf of a series in x; from there on it is ½·erfc
FAR = 40.0  # exp(−FAR² / 2) is 0 in both dtypes


class _Coefficients(NamedTuple):
    low_bits: int  # half of the bits of a mantissa: a number whose low_bits are zero has an exact square
    near: tuple  # erf(z) / z − 1, in powers of z², for |z| ≤ 0.9, highest power first
    # (1 + 2z) · exp(z²) · erfc(z), in powers of t, for 0 ≤ z ≤ 10 (float32) or 27 (float64), where erfc(z) becomes 0.
    # It is a(t)·u² + b(t)·u + c(t), u = tᵏ, k coefficients each: LLVM would not unroll a longer Horner loop.
    scaled: tuple


# fmt: off
_FLOAT32 = _Coefficients(
    low_bits=12,
    # errors of the two fits: 2**-31.6, 2**-30.2
    near=tuple(map(np.float32, (
        8.5294013228368624e-5, -8.1796321808882654e-4, 5.2042266937523017e-3, -0.02686066479113085,
        0.11283718049593898, -0.37612635193967827, 0.12837916678922236))),
    scaled=(
        tuple(map(np.float32, (
            -6.5527395792506907e-4, -1.1789359257055324e-3, 5.0007527415416431e-3, -0.016029138490183138))),
        tuple(map(np.float32, (
            0.037237583692655225, -0.066348511587611005, 0.093719627111716141, -0.10103875211913314))),
        tuple(map(np.float32, (
            0.068097894663484488, 0.015379672100764785, -0.13962113147920631, 1.2329951184430072))),
    ),
)
_FLOAT64 = _Coefficients(
    low_bits=27,
    # errors of the two fits: 2**-60.4, 2**-58.9
    near=tuple(map(np.float64, (
        -8.4939987970809436e-10, 1.4051482766989913e-8, -1.6276526722586206e-7, 1.6455328747938096e-6,
        -1.492530753550859e-5, 1.2055321382481122e-4, -8.5483267644665423e-4, 5.2239776217703724e-3,
        -0.026866170644823731, 0.11283791670953794, -0.3761263890318373, 0.12837916709551257))),
    scaled=(
        tuple(map(np.float64, (
            1.2428778155837613e-9, 1.8018631131624461e-9, -1.4103503645230917e-8, -1.7835527002435904e-8,
            1.1018756180763167e-7, 7.4558680292977018e-8, -8.2566251872826922e-7, 2.9385425601992845e-7))),
        tuple(map(np.float64, (
            5.7099282552782329e-6, -1.1222059302484184e-5, -2.4399307369455274e-5, 1.5062169378406569e-4,
            -1.9925666705018571e-4, -7.5777329525681076e-4, 5.0319699727960124e-3, -0.016197734056440022))),
        tuple(map(np.float64, (
            0.037167515538075993, -0.066330365812363742, 0.093732834998312668, -0.1010390660362968,
            0.06809705425469371, 0.015379652102619597, -0.13962111684056252, 1.2329951186255525))),
    ),
)
# fmt: on


def _coefficients(x):
    return _FLOAT32 if isinstance(x, np.float32) else _FLOAT64


@overload(_coefficients)
def _compiled_coefficients(x):
    return {types.float32: lambda x: _FLOAT32, types.float64: lambda x: _FLOAT64}.get(x)


@always_inline
def _size(x):
    """|x|, at most FAR; NaN becomes FAR."""
    return abs(x) if abs(x) < type(x)(FAR) else type(x)(FAR)


@always_inline
def _scaled_erfc(z):
    """exp(z²) · erfc(z) for z ≥ 0"""
    real = type(z)
    t = (z - real(4)) / (z + real(4))
    a, b, c = _coefficients(z).scaled
    u = (t * t) * (t * t)
    u = u if len(a) == 4 else u * u
    return ((_horner(t, a) * u + _horner(t, b)) * u + _horner(t, c)) / (real(1) + real(2) * z)


@always_inline
def _exp_minus_half_square(size):
    """exp(−½ · size²) for 0 ≤ size ≤ FAR

    The rounding error of the square alone would cost size² / 2 ulp. It is computed exactly, as `rest`, from the high
    and the low half of size: exp(−½ · (square + rest)) = exp(−½ · square) · (1 − ½ · rest).
    """
    real = type(size)
    square = size * size
    # Also keeps the product above out of the sums below: fused with them it would be another number.
    square = square if square < real(FAR * FAR) else real(FAR * FAR)
    bits = _coefficients(size).low_bits
    high = _from_bits(_bits(size) >> bits << bits, size)
    low = size - high
    rest = ((high * high - square) + real(2) * high * low) + low * low
    e = exp(-real(0.5) * square)
    return e - e * (real(0.5) * rest)


@always_inline
def _erf_series(z):
    """erf(z) for 0 ≤ z ≤ 0.9"""
    return _horner(z * z, _coefficients(z).near) * z + z


@always_inline
def normal_density(x):
    """φ(x) = exp(−x² / 2) / √(2π)

    Any x. Error ≤ 3 ulp in float32 and float64. Below the smallest normal number the result is 0.
    """
    y = type(x)(INVERSE_SQRT_2_PI) * _exp_minus_half_square(_size(x))
    return x if x != x else y


@always_inline
def normal_cdf(x):
    """Φ(x) = ½ · erfc(−x / √2)

    Any x. Error ≤ 5 ulp in float32 and float64, also where the value is tiny, because x is squared and not the
    rounded x / √2. Where exp(−x² / 2) is below the smallest normal number (x < −13.2 in float32, −37.6 in
    float64) the result is 0. Φ(−inf) = 0, Φ(inf) = 1, NaN stays NaN.
    """
    real = type(x)
    size = _size(x)
    z = size * real(SQRT_HALF)
    far = real(0.5) * (_exp_minus_half_square(size) * _scaled_erfc(z))
    tail = real(0.5) - real(0.5) * _erf_series(z) if z < real(NEAR) else far
    y = tail if x < real(0) else real(1) - tail
    return x if x != x else y
