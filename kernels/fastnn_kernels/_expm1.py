"""exp(x) − 1 and log(1 + x) without the digits that they lose near 0; written by the rules of `_math`."""

from fastnn_kernels._jit import always_inline, inline
from fastnn_kernels._math import SQRT_2, _bits, _constants, _from_bits, _horner, _log_of, _split

IS_MINUS_ONE = -40.0  # exp(−40) is less than half the spacing of float64 below 1


@inline
def expm1(x):
    """exp(x) − 1 = 2**k · (exp(r) − 1) + (2**k − 1), where x = k ln 2 + r

    x ≤ 0; for x > 0 the result is 0. Error ≤ 1.5 ulp in float32 and float64 where the result is a
    normal number. expm1(−inf) = −1, NaN stays NaN.
    """
    real = type(x)
    clamped = x if x > real(IS_MINUS_ONE) else real(IS_MINUS_ONE)
    clamped = clamped if clamped < real(0) else real(0)
    exponent, r = _split(clamped)
    power = _from_bits(_bits(real(1)) + exponent, x)
    y = power * (_horner(r, _constants(x).exp_tail) * (r * r) + r) + (power - real(1))
    return x if x != x else y


@always_inline
def log1p(x):
    """log(1 + x) = log(u) + (x − (u − 1)) / u, where u is 1 + x rounded

    0 ≤ x ≤ 1: so the exponent of u is known without reading its bits. The second term restores what rounding 1 + x
    lost: all of x, where u is 1. Error ≤ 1.5 ulp in float32 and float64. NaN stays NaN.
    """
    real = type(x)
    u = real(1) + x
    halve = u > real(SQRT_2)
    f = u * (real(0.5) if halve else real(1)) - real(1)
    return _log_of(f, real(1) if halve else real(0)) + (x - (u - real(1))) / u
