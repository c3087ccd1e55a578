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

The polynomials were fitted for this file with Remez's algorithm in 50 digits, to the least largest error
relative to the function over the reduced range. Errors are in ulp, the spacing of floats at the true
value, where that is a normal number: the largest over all float32 inputs (bench/exhaustive_math.py)
and over 14 million float64 ones. Without fused multiply-adds those of sigmoid reach 1.87.
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._jit import always_inline, implementation, inline

LOG2_E = 1.4426950408889634
SQRT_2 = 1.4142135623730951
TANH_IS_HALF = 0.55
TANH_IS_ONE = 20.0  # 1 − tanh(20) = 8e-18 is less than half the spacing of float64 below 1


class _Constants(NamedTuple):
    """The constants of float32, or of float64. Each float has that dtype, so that it promotes no other."""

    mantissa_bits: int  # stored bits: without the leading 1
    exponent_bias: int
    whole: np.floating  # 2**mantissa_bits: from here on all floats are whole numbers
    smallest_normal: np.floating
    exp_low: np.floating  # the least x with a normal exp(x)
    exp_zero: np.floating  # a whole x at which k, of x = k ln 2 + r, is the least: one below that of any normal exp(x)
    exp_high: np.floating  # the greatest x with a finite exp(x)
    ln_2_high: np.floating  # ln 2 in few bits, so that its product with any exponent is exact
    ln_2_low: np.floating  # ln 2 − ln_2_high
    exp_tail: tuple  # (exp(r) − 1 − r) / r² for |r| ≤ ln 2 / 2, highest power first
    log_tail: tuple  # (2 atanh(s) / s − 2) / z, in powers of z = s², for |s| ≤ 3 − 2√2
    log1p_tail: tuple  # the same for |s| ≤ 1/3
    tanh_tail: tuple  # (tanh(x) / x − 1) / z, in powers of z = x², for |x| ≤ 0.55


def _table(dtype, mantissa_bits, exponent_bias, **values):
    typed = {k: tuple(map(dtype, v)) if isinstance(v, tuple) else dtype(v) for k, v in values.items()}
    return _Constants(mantissa_bits, exponent_bias, **typed)


# fmt: off
_FLOAT32 = _table(
    np.float32,
    mantissa_bits=23,
    exponent_bias=127,
    whole=2.0**23,
    smallest_normal=2.0**-126,
    exp_low=-87.33654,
    exp_zero=-88.0,
    exp_high=88.72283,
    ln_2_high=0.693145751953125,
    ln_2_low=1.4286068203094172e-6,
    # relative errors of the fits of exp, log and tanh: 2**-26.2, 2**-37.6, 2**-29.8
    exp_tail=(1.3882516077010068e-3, 8.3665471277569880e-3, 4.1667200718055563e-2, 0.16666543424316396,
              0.49999998149599771),
    log_tail=(0.23582859757083441, 0.28537273463260402, 0.40000335704404143, 0.66666665643378319),
    # error of the fit: 2**-26.6
    log1p_tail=(0.23233564320962936, 0.21704532465788647, 0.2859249903328214, 0.39999703226169379,
                0.66666667333144181),
    tanh_tail=(-6.2734856039873862e-3, 2.1071177226452245e-2, -5.3852196348435575e-2, 0.13332585139659478,
               -0.33333317532880821),
)
_FLOAT64 = _table(
    np.float64,
    mantissa_bits=52,
    exponent_bias=1023,
    whole=2.0**52,
    smallest_normal=2.0**-1022,
    exp_low=-708.3964185322641,
    exp_zero=-709.0,
    exp_high=709.782712893384,
    ln_2_high=0.6931471805598903,
    ln_2_low=5.4979230187083712e-14,
    # relative errors of the fits of exp, log and tanh: 2**-61.7, 2**-59.5, 2**-55.5
    exp_tail=(2.0875328721584488e-9, 2.5109024381010828e-8, 2.7557402776153978e-7, 2.7557244254423910e-6,
              2.4801587172289233e-5, 1.9841269886073223e-4, 1.3888888888962606e-3, 8.3333333333216543e-3,
              4.1666666666666508e-2, 0.16666666666666677, 0.5),
    log_tail=(0.14796728435162558, 0.15313976946921900, 0.18183567030384452, 0.22222198524646970,
              0.28571428742824459, 0.39999999999412889, 0.66666666666667347),
    # error of the fit: 2**-58.0
    log1p_tail=(0.15638838477165258, 0.074875624455227056, 0.10846258010948219, 0.11734138243026652,
                0.13335189727512237, 0.15384543423928793, 0.18181819914009014, 0.22222222197963522,
                0.28571428571602461, 0.39999999999999515, 0.66666666666666667),
    tanh_tail=(5.1010082016724693e-5, -2.1028610789851816e-4, 5.7912715772598528e-4, -1.4532134703426148e-3,
               3.5917190394518201e-3, -8.8631944231908162e-3, 2.1869485968816363e-2, -5.3968253875829542e-2,
               0.13333333333168199, -0.33333333333332310),
)
# fmt: on


# `_constants`, `_bits` and `_from_bits` run as plain Python functions; after each comes its compiled form.


def _constants(x):
    return _FLOAT32 if isinstance(x, np.float32) else _FLOAT64


@implementation(_constants)
def _compiled_constants(x):
    return {types.float32: lambda x: _FLOAT32, types.float64: lambda x: _FLOAT64}.get(x)


def _bits(x):
    """The bits of a float as an integer of its size."""
    return np.asarray(x).view(f"i{np.asarray(x).itemsize}")[()]


@type_callable(_bits)
def _type_bits(context):
    return lambda x: {types.float32: types.int32, types.float64: types.int64}.get(x)


@lower_builtin(_bits, types.Float)
def _lower_bits(context, builder, signature, args):
    return builder.bitcast(args[0], context.get_value_type(signature.return_type))


def _from_bits(bits, like):
    """The float of the type of `like` whose bits are the low ones of the integer `bits`."""
    size = np.asarray(like).itemsize
    return type(like)(np.asarray(bits).astype(f"i{size}").view(f"f{size}")[()])


@type_callable(_from_bits)
def _type_from_bits(context):
    return lambda bits, like: like


@lower_builtin(_from_bits, types.Integer, types.Float)
def _lower_from_bits(context, builder, signature, args):
    width = context.get_value_type(types.Integer.from_bitwidth(signature.return_type.bitwidth))
    bits = args[0] if args[0].type == width else builder.trunc(args[0], width)
    return builder.bitcast(bits, context.get_value_type(signature.return_type))


@inline
def _horner(x, coefficients):
    total = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


@inline
def _split(x):
    """x = k ln 2 + r with whole k and |r| ≤ ln 2 / 2, as (the bits of k followed by zeros, r).

    Adding 1.5 · 2**mantissa_bits rounds to a whole number, and the last bits of the sum are that number.
    """
    c = _constants(x)
    rounder = type(x)(1.5) * c.whole
    shifted = x * type(x)(LOG2_E) + rounder
    k = shifted - rounder
    return _bits(shifted) << c.mantissa_bits, (x - k * c.ln_2_high) - k * c.ln_2_low


@inline
def exp(x):
    """exp(x) = 2**k · exp(r), where x = k ln 2 + r

    Any x. Error ≤ 1.05 ulp in float32, 0.98 in float64. Where the true value is below the smallest
    normal number the result is 0; exp(−inf) = 0, exp(inf) = inf, NaN stays NaN.
    """
    c = _constants(x)
    clamped = x if x > c.exp_low else c.exp_low
    clamped = clamped if clamped < c.exp_high else c.exp_high
    exponent, r = _split(clamped)
    mantissa = (_horner(r, c.exp_tail) * (r * r) + r) + type(x)(1)
    # Adding to the exponent's bits reaches 2**128, which no float32 factor could.
    y = _from_bits(_bits(mantissa) + exponent, x)
    y = type(x)(0) if x < c.exp_low else y
    y = type(x)(np.inf) if x > c.exp_high else y
    return x if x != x else y


@inline
def _split_normal(x):
    """x = k ln 2 + r as in `_split`, for exp_zero ≤ x ≤ 0, as (2**k, r); 2**k is 0 for exp_zero. NaN stays NaN in r."""
    c = _constants(x)
    # With the exponent's bias added, the last bits of the sum are those of the exponent of 2**k.
    rounder = type(x)(1.5) * c.whole + type(x)(c.exponent_bias)
    shifted = x * type(x)(LOG2_E) + rounder
    k = shifted - rounder
    return _from_bits(_bits(shifted) << c.mantissa_bits, x), (x - k * c.ln_2_high) - k * c.ln_2_low


@inline
def _exp_from(power, r):
    """exp(r) · power for |r| ≤ ln 2 / 2"""
    return (_horner(r, _constants(r).exp_tail) * (r * r) + r) * power + power


@inline
def exp_of_sum(x, rest):
    """exp(x + rest) for x ≤ 0 and a `rest` that x cannot hold, |rest| ≤ 0.01

    With rest = 0 the bits of `exp`, in half as many instructions, where exp(x) is a normal number; below, the result is
    0 or rounded to a subnormal number. exp(−inf) = 0, NaN stays NaN.
    """
    c = _constants(x)
    power, r = _split_normal(c.exp_zero if x < c.exp_zero else x)
    return _exp_from(power, r + rest)


@inline
def exp_nonpositive(x):
    """exp(x) for x ≤ 0: `exp_of_sum` without a rest"""
    return exp_of_sum(x, type(x)(0))


@inline
def _mantissa_exponent(x):
    """x = (1 + f) · 2**e with √½ < 1 + f ≤ √2, as (f, e), both floats, for finite x > 0."""
    real = type(x)
    c = _constants(x)
    subnormal = x < c.smallest_normal
    bits = _bits(x * (c.whole if subnormal else real(1)))
    bias = c.exponent_bias + c.mantissa_bits
    # A whole number or-ed into the last bits of the float 2**mantissa_bits is added to it.
    e = _from_bits(bits >> c.mantissa_bits | bias << c.mantissa_bits, x) - (c.whole + real(c.exponent_bias))
    e = e - (real(c.mantissa_bits) if subnormal else real(0))
    m = _from_bits(bits & ((1 << c.mantissa_bits) - 1) | c.exponent_bias << c.mantissa_bits, x)
    halve = m > real(SQRT_2)
    return m * (real(0.5) if halve else real(1)) - real(1), e + (real(1) if halve else real(0))


@always_inline
def _log_of(f, e):
    """log((1 + f) · 2**e) for √½ < 1 + f ≤ √2"""
    c = _constants(f)
    s = f / (type(f)(2) + f)
    z = s * s
    # 2s = f − s·f: the leading term f is exact. high + low = e · ln_2_high + f exactly.
    high = e * c.ln_2_high + f
    low = f - (high - e * c.ln_2_high)
    return high - ((s * (f - _horner(z, c.log_tail) * z) - low) - e * c.ln_2_low)


@inline
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


@inline
def _with_sign_of(x, y):
    """y ≥ 0 with the sign of x"""
    return _from_bits(_bits(y) | (_bits(x) & _bits(type(x)(-0.0))), x)


@inline
def tanh(x):
    """tanh(x) = 1 − 2e / (1 + e), where e = exp(−2x), and x + x³ p(x²) for small x; odd

    Any x. Error ≤ 1.52 ulp in float32, 1.52 in float64. tanh(±inf) = ±1, NaN stays NaN.
    """
    real = type(x)
    size = real(TANH_IS_ONE) if abs(x) > real(TANH_IS_ONE) else abs(x)
    z = size * size
    small = _horner(z, _constants(x).tanh_tail) * z * size + size
    power, r = _split_normal(-(size + size))  # an addition: multipliers are what this function waits for
    e = _exp_from(power, r)
    large = real(1) - real(2) * (e / (real(1) + e))
    return _with_sign_of(x, small if size < real(TANH_IS_HALF) else large)


@inline
def sigmoid(x):
    """sigmoid(x) = 1 / (1 + exp(−x)) = a − a·q, where e = exp(−|x|), q = e / (1 + e), a = 1 if x > 0 else e

    Any x. Error ≤ 1.67 ulp in float32, 1.64 in float64, also where the value is tiny. Below the
    smallest normal number the result is not larger than that; sigmoid(−inf) = 0, sigmoid(inf) = 1, NaN stays NaN.
    """
    return sigmoid_from(x, exp_nonpositive(-abs(x)))


@inline
def sigmoid_from(x, e):
    """sigmoid(x), where e = exp(−|x|) is known"""
    q = e / (type(x)(1) + e)
    a = type(x)(1) if x > type(x)(0) else e
    return a - a * q
