"""The constants of exp, log, tanh and sigmoid: those of the two dtypes, and the polynomials of `_math/elementary.py`.

They were fitted for that file with Remez's algorithm in 50 digits, to the least largest error relative to the function
over the reduced range.
"""

from typing import NamedTuple

import numpy as np

from fastnn_kernels._math.tables import by_dtype


class _Constants(NamedTuple):
    """The constants of float32, or of float64. Each float has that dtype, so that it promotes no other."""

    mantissa_bits: int  # stored bits: without the leading 1
    exponent_bias: int
    whole: np.floating  # 2**mantissa_bits: from here on all floats are whole numbers
    smallest_normal: np.floating
    log2_e: np.floating
    sqrt_2: np.floating
    exp_low: np.floating  # the least x with a normal exp(x)
    exp_zero: np.floating  # a whole x at which k, of x = k ln 2 + r, is the least: one below that of any normal exp(x)
    exp_high: np.floating  # the greatest x with a finite exp(x)
    ln_2_high: np.floating  # ln 2 in few bits, so that its product with any exponent is exact
    ln_2_low: np.floating  # ln 2 − ln_2_high
    minus_one: np.floating  # exp(x) of this x is less than half the spacing below 1
    tanh_one: np.floating  # 1 − tanh(x) of this x is less than half the spacing of either dtype below 1
    exp_tail: tuple  # (exp(r) − 1 − r) / r² for |r| ≤ ln 2 / 2, highest power first
    log_tail: tuple  # (2 atanh(s) / s − 2) / z, in powers of z = s², for |s| ≤ 3 − 2√2
    log1p_tail: tuple  # the same for |s| ≤ 1/3


def _table(dtype, mantissa_bits, exponent_bias, **values):
    typed = {k: tuple(map(dtype, v)) if isinstance(v, tuple) else dtype(v) for k, v in values.items()}
    return _Constants(mantissa_bits, exponent_bias, **typed)


# Of both dtypes.
_SHARED = {
    "log2_e": 1.4426950408889634,
    "sqrt_2": 1.4142135623730951,
    "minus_one": -40.0,
    "tanh_one": 20.0,  # 1 − tanh(20) = 8e-18
}


# fmt: off
_FLOAT32 = _table(
    np.float32,
    mantissa_bits=23,
    exponent_bias=127,
    **_SHARED,
    whole=2.0**23,
    smallest_normal=2.0**-126,
    exp_low=-87.33654,
    exp_zero=-88.0,
    exp_high=88.72283,
    ln_2_high=0.693145751953125,
    ln_2_low=1.4286068203094172e-6,
    # relative errors of the fits of exp and log: 2**-26.2, 2**-37.6
    exp_tail=(1.3882516077010068e-3, 8.3665471277569880e-3, 4.1667200718055563e-2, 0.16666543424316396,
              0.49999998149599771),
    log_tail=(0.23582859757083441, 0.28537273463260402, 0.40000335704404143, 0.66666665643378319),
    # error of the fit: 2**-26.6
    log1p_tail=(0.23233564320962936, 0.21704532465788647, 0.2859249903328214, 0.39999703226169379,
                0.66666667333144181),
)
_FLOAT64 = _table(
    np.float64,
    mantissa_bits=52,
    exponent_bias=1023,
    **_SHARED,
    whole=2.0**52,
    smallest_normal=2.0**-1022,
    exp_low=-708.3964185322641,
    exp_zero=-709.0,
    exp_high=709.782712893384,
    ln_2_high=0.6931471805598903,
    ln_2_low=5.4979230187083712e-14,
    # relative errors of the fits of exp and log: 2**-61.7, 2**-59.5
    exp_tail=(2.0875328721584488e-9, 2.5109024381010828e-8, 2.7557402776153978e-7, 2.7557244254423910e-6,
              2.4801587172289233e-5, 1.9841269886073223e-4, 1.3888888888962606e-3, 8.3333333333216543e-3,
              4.1666666666666508e-2, 0.16666666666666677, 0.5),
    log_tail=(0.14796728435162558, 0.15313976946921900, 0.18183567030384452, 0.22222198524646970,
              0.28571428742824459, 0.39999999999412889, 0.66666666666667347),
    # error of the fit: 2**-58.0
    log1p_tail=(0.15638838477165258, 0.074875624455227056, 0.10846258010948219, 0.11734138243026652,
                0.13335189727512237, 0.15384543423928793, 0.18181819914009014, 0.22222222197963522,
                0.28571428571602461, 0.39999999999999515, 0.66666666666666667),
)
# fmt: on


constants_of = by_dtype(_FLOAT32, _FLOAT64)
stored_constants_of = by_dtype(_FLOAT32, _FLOAT64, stored=True)
