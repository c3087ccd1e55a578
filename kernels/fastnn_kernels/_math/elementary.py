"""exp, log, tanh and sigmoid of one number, written so that a loop over them runs in vector registers.

Numba's own math functions are calls into libm, one element at a time. These are polynomials without a
branch or a call, so LLVM turns `for j in range(n): out[j] = exp(x[j])` into vector code. Each serves
float32 and float64, and its arithmetic stays in the dtype of its argument.

What keeps them right:
- The argument is clamped first (NaN becomes a limit, too), and the results of special values are put in last, by
  conditional expressions, which LLVM turns into selects. No float is ever converted to an integer: that is undefined
  for NaN and for large numbers. Exponents are read and written as bits.
- A multiply-add may or may not be fused. Products that must be exact have zero bits to spare. No sum adds two
  products, so there is never a choice which of them to fuse: the vector body and the scalar remainder of a loop give
  the same bits. No result is a bare product, which a caller's sum could fuse.

The polynomials stand in `_math/constants.py`. Errors are in ulp, the spacing of floats at the true value, where that
is a normal number: the largest over all float32 inputs (bench/exhaustive_math.py) and over 14 million float64 ones.
Without fused multiply-adds those of sigmoid reach 1.87.
"""

import numpy as np

from fastnn_kernels._jit import always_inline, rounded
from fastnn_kernels._math.constants import constants_of, stored_constants_of
from fastnn_kernels._math.float_bits import bits_of, float_of


@rounded
def rounded_product(a, b):
    """a · b, which is not fused with an addition."""
    return a * b


@always_inline
def _horner(x, coefficients):
    total = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


@always_inline
def expm1_near_zero(r, c):
    """exp(r) − 1 for |r| ≤ ln 2 / 2"""
    return _horner(r, c.exp_tail) * (r * r) + r


@always_inline
def _split(x, c):
    """x = k ln 2 + r with whole k and |r| ≤ ln 2 / 2, as (the bits of k followed by zeros, r).

    Adding 1.5 · 2**mantissa_bits rounds to a whole number, and the last bits of the sum are that number.
    """
    rounder = type(x)(1.5) * c.whole
    shifted = x * c.log2_e + rounder
    k = shifted - rounder
    return bits_of(shifted) << c.mantissa_bits, (x - k * c.ln_2_high) - k * c.ln_2_low


@always_inline
def exp(x):
    """exp(x) = 2**k · exp(r), where x = k ln 2 + r

    Any x. Error ≤ 1.05 ulp in float32, 0.98 in float64. Where the true value is below the smallest
    normal number the result is 0; exp(−inf) = 0, exp(inf) = inf, NaN stays NaN.
    """
    c = stored_constants_of(x)
    clamped = x if x > c.exp_low else c.exp_low
    clamped = clamped if clamped < c.exp_high else c.exp_high
    exponent, r = _split(clamped, c)
    mantissa = expm1_near_zero(r, c) + type(x)(1)
    # Adding to the exponent's bits reaches 2**128, which no float32 factor could.
    y = float_of(bits_of(mantissa) + exponent, x)
    y = type(x)(0) if x < c.exp_low else y
    y = type(x)(np.inf) if x > c.exp_high else y
    return x if x != x else y


@always_inline
def _split_normal(x, c):
    """x = k ln 2 + r as in `_split`, for exp_zero ≤ x ≤ 0, as (2**k, r); 2**k is 0 for exp_zero. NaN stays NaN in r."""
    # With the exponent's bias added, the last bits of the sum are those of the exponent of 2**k.
    rounder = type(x)(1.5) * c.whole + type(x)(c.exponent_bias)
    shifted = x * c.log2_e + rounder
    k = shifted - rounder
    return float_of(bits_of(shifted) << c.mantissa_bits, x), (x - k * c.ln_2_high) - k * c.ln_2_low


@always_inline
def exp_of_sum(x, rest, c):
    """exp(x + rest) for x ≤ 0 and a `rest` that x cannot hold, |rest| ≤ 0.01

    With rest = 0 the bits of `exp`, in half as many instructions, where exp(x) is a normal number; below, the result is
    0 or rounded to a subnormal number. exp(−inf) = 0, NaN stays NaN.

    c : the constants of x, stored ones in a loop that needs those of other functions besides
    """
    power, r = _split_normal(c.exp_zero if x < c.exp_zero else x, c)
    return expm1_near_zero(r + rest, c) * power + power


@always_inline
def exp_nonpositive(x):
    """exp(x) for x ≤ 0: `exp_of_sum` without a rest"""
    return exp_of_sum(x, type(x)(0), constants_of(x))


@always_inline
def stored_exp_nonpositive(x):
    """`exp_nonpositive` with stored constants, for kernels whose other loops leave it too few registers"""
    return exp_of_sum(x, type(x)(0), stored_constants_of(x))


@always_inline
def exp_minus_abs(x):
    """exp(−|x|), for loops that need other functions besides"""
    return stored_exp_nonpositive(-abs(x))


@always_inline
def _mantissa_exponent_normal(x):
    """x = (1 + f) · 2**e with √½ < 1 + f ≤ √2, as (f, e), both floats, for finite x > 0 that are normal numbers."""
    real = type(x)
    c = stored_constants_of(x)
    bits = bits_of(x)
    bias = c.exponent_bias + c.mantissa_bits
    # A whole number or-ed into the last bits of the float 2**mantissa_bits is added to it.
    e = float_of(bits >> c.mantissa_bits | bias << c.mantissa_bits, x) - (c.whole + real(c.exponent_bias))
    m = float_of(bits & ((1 << c.mantissa_bits) - 1) | c.exponent_bias << c.mantissa_bits, x)
    halve = m > c.sqrt_2
    return m * (real(0.5) if halve else real(1)) - real(1), e + (real(1) if halve else real(0))


@always_inline
def _mantissa_exponent(x):
    """`_mantissa_exponent_normal` for any finite x > 0"""
    real = type(x)
    c = stored_constants_of(x)
    subnormal = x < c.smallest_normal
    f, e = _mantissa_exponent_normal(x * (c.whole if subnormal else real(1)))
    return f, e - (real(c.mantissa_bits) if subnormal else real(0))


@always_inline
def _log_of(f, e):
    """log((1 + f) · 2**e) for √½ < 1 + f ≤ √2"""
    c = stored_constants_of(f)
    s = f / (type(f)(2) + f)
    z = s * s
    # 2s = f − s·f: the leading term f is exact. high + low = e · ln_2_high + f exactly.
    high = e * c.ln_2_high + f
    low = f - (high - e * c.ln_2_high)
    return high - ((s * (f - _horner(z, c.log_tail) * z) - low) - e * c.ln_2_low)


@always_inline
def log(x):
    """log(x) = e ln 2 + log(1 + f), where log(1 + f) = 2 atanh(s), s = f / (2 + f)

    Any x, subnormal ones too. Error ≤ 0.96 ulp in float32, 0.93 in float64. log(0) = −inf,
    log(inf) = inf, x < 0 gives NaN, NaN stays NaN.
    """
    real = type(x)
    clamped = x if x > real(0) else real(1)
    f, e = _mantissa_exponent(clamped if clamped < real(np.inf) else real(1))
    y = _log_of(f, e)
    y = y if x > real(0) else real(np.nan)
    y = real(-np.inf) if x == real(0) else y
    return y if x < real(np.inf) else x


@always_inline
def log_from_one(x):
    """log(x) for finite x ≥ 1, with the bits of `log`, in four fifths of its instructions. NaN stays NaN."""
    y = _log_of(*_mantissa_exponent_normal(x))
    return y if x == x else x


@always_inline
def _with_sign_of(x, y):
    """y ≥ 0 with the sign of x"""
    return float_of(bits_of(y) | (bits_of(x) & bits_of(type(x)(-0.0))), x)


@always_inline
def tanh(x):
    """tanh(x) = (1 − e) / (1 + e), where e = exp(−2|x|), 1 − e = (1 − 2**k) − 2**k · (exp(r) − 1), −2|x| = k ln 2 + r

    Any x. Error ≤ 2.29 ulp in float32, 2.59 in float64, where |x| is about 0.21. tanh(±inf) = ±1, NaN stays NaN.
    """
    real = type(x)
    c = stored_constants_of(x)
    size = c.tanh_one if abs(x) > c.tanh_one else abs(x)
    power, r = _split_normal(-(size + size), c)  # an addition: multipliers are what this function waits for
    change = expm1_near_zero(r, c) * power  # exact, so it is the same whether it is fused or not
    return _with_sign_of(x, ((real(1) - power) - change) / (real(1) + (power + change)))


@always_inline
def sigmoid(x):
    """sigmoid(x) = 1 / (1 + exp(−x)) = a − a·q, where e = exp(−|x|), q = e / (1 + e), a = 1 if x > 0 else e

    Any x. Error ≤ 1.67 ulp in float32, 1.64 in float64, also where the value is tiny. Below the
    smallest normal number the result is not larger than that; sigmoid(−inf) = 0, sigmoid(inf) = 1, NaN stays NaN.
    """
    return sigmoid_from(x, exp_minus_abs(x))


@always_inline
def sigmoid_from(x, e):
    """sigmoid(x), where e = exp(−|x|) is known"""
    q = e / (type(x)(1) + e)
    a = type(x)(1) if x > type(x)(0) else e
    return a - a * q
