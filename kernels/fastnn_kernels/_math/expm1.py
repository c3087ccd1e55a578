"""exp(x) − 1 and log(1 + x) without the digits that they lose near 0; written by the rules of `_math.elementary`."""

from fastnn_kernels._jit import always_inline
from fastnn_kernels._math.constants import stored_constants_of
from fastnn_kernels._math.elementary import _horner, _split, expm1_near_zero
from fastnn_kernels._math.float_bits import bits_of, float_of


@always_inline
def expm1(x):
    """exp(x) − 1 = 2**k · (exp(r) − 1) + (2**k − 1), where x = k ln 2 + r

    x ≤ 0; for x > 0 the result is 0. Error ≤ 1.5 ulp in float32 and float64 where the result is a
    normal number. expm1(−inf) = −1, NaN stays NaN.
    """
    real = type(x)
    c = stored_constants_of(x)
    clamped = x if x > c.minus_one else c.minus_one
    clamped = clamped if clamped < real(0) else real(0)
    exponent, r = _split(clamped, c)
    power = float_of(bits_of(real(1)) + exponent, x)
    y = power * expm1_near_zero(r, c) + (power - real(1))
    return x if x != x else y


@always_inline
def log1p(x):
    """log(1 + x) = 2 atanh(s), where s = x / (2 + x)

    0 ≤ x ≤ 1. 2s = x − s·x, so the leading term x is exact. Error ≤ 1.5 ulp in float32 and float64. NaN stays NaN.
    """
    s = x / (type(x)(2) + x)
    z = s * s
    return x - s * (x - _horner(z, stored_constants_of(x).log1p_tail) * z)
