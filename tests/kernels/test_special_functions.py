"""The normal distribution, expm1 and log1p: digits where they are easily lost, NaN, infinity, vector code."""

import math
import platform

import numba
import numpy as np
import pytest

from fastnn_kernels._jit import JIT, OPTIONS
from fastnn_kernels._math import expm1, normal
from tests.kernels.cases import needs_jit
from tests.kernels.test_math import CALL, PACKED, bits_equal, body, ulp_of

DTYPES = [np.float32, np.float64]
SAMPLES = 20_000 if JIT else 1_000
ERF = np.vectorize(math.erf, otypes=[np.float64])
# function, true values (float64 or longdouble) by float64 x, range, largest error in ulp seen, rounded up
CASES = {
    "normal_cdf": (normal.normal_cdf, lambda x: 0.5 * (1 + ERF(x / np.sqrt(2))), (-0.5, 9), 3.5),
    "normal_density": (
        normal.normal_density,
        lambda x: np.exp(-(x.astype(np.longdouble) ** 2) / 2) / np.sqrt(2 * np.pi),
        (-13, 13),
        3.5,
    ),
    "expm1": (expm1.expm1, lambda x: np.expm1(x.astype(np.longdouble)), (-45, 0), 1.5),
    "log1p": (expm1.log1p, lambda x: np.log1p(x.astype(np.longdouble)), (0, 1), 1.5),
}
every_case = pytest.mark.parametrize("name", CASES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
_loops = {}


def loop(name):
    f = CASES[name][0]

    def run(out, x):
        for i in range(x.shape[0]):
            out[i] = f(x[i])

    return _loops.setdefault(name, numba.njit(run, **OPTIONS) if JIT else run)


def applied(name, x):
    out = np.empty_like(x)
    loop(name)(out, x)
    return out


def sample(name, dtype):
    """Even over the range, dense around 0, and down to tiny numbers."""
    low, high = CASES[name][2]
    rng = np.random.default_rng(3)
    x = np.concatenate(
        [
            rng.uniform(low, high, SAMPLES),
            rng.uniform(max(low, -1.0), min(high, 1.0), SAMPLES),
            rng.choice([low, high], SAMPLES // 4) * 10.0 ** rng.uniform(-20, -1, SAMPLES // 4),
        ]
    )
    return x.astype(dtype)


def errors(got, want):
    """In ulp of `got`'s dtype; where the true values are float64 too, their own rounding is part of it."""
    return np.abs(got.astype(want.dtype) - want) / ulp_of(want, got.dtype)


@every_case
@every_dtype
def test_error_in_ulp(name, dtype):
    x = sample(name, dtype)
    x = x[x != 0]
    got, want = applied(name, x), CASES[name][1](x.astype(np.float64))
    error = errors(got, want)
    rounding = 0.0 if dtype is np.float32 or want.dtype == np.longdouble else 1.0
    print(f"{name} {dtype.__name__}: {error.max():.3f} ulp at {x[error.argmax()]!r}")  # noqa: T201
    assert error.max() <= CASES[name][3] + rounding


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="longdouble is float64 here")
@pytest.mark.parametrize(("dtype", "low"), [(np.float32, -12.9), (np.float64, -37.4)])
def test_lower_tail_of_the_normal_distribution_keeps_its_digits(dtype, low):
    x = np.random.default_rng(4).uniform(low, -3, SAMPLES).astype(dtype)
    size = -x.astype(np.longdouble)
    fraction = size.copy()
    for k in range(200, 0, -1):  # Laplace: Φ(−a) = φ(a) / (a + 1 / (a + 2 / (a + 3 / …)))
        fraction = size + k / fraction
    want = np.exp(-(size**2) / 2) / np.sqrt(8 * np.arctan(np.longdouble(1))) / fraction
    error = errors(applied("normal_cdf", x), want).max()
    print(f"{dtype.__name__}: {error:.3f} ulp")  # noqa: T201
    assert error <= 5


@every_dtype
def test_special_values(dtype):
    inf, nan = np.inf, np.nan
    table = {
        "normal_cdf": {-inf: 0, -50: 0, 0: 0.5, inf: 1},
        "normal_density": {-inf: 0, inf: 0, -50: 0},
        "expm1": {-inf: -1, -100: -1, 0: 0, 1: 0},
        "log1p": {0: 0},
    }
    for name, values in table.items():
        got = applied(name, np.array([*values, nan, -nan], dtype))
        assert np.array_equal(got, np.array([*values.values(), nan, nan], dtype), equal_nan=True), name


@needs_jit
@every_case
@every_dtype
def test_same_bits_in_vector_body_and_remainder(name, dtype):
    x = sample(name, dtype)[: 2 * (SAMPLES // 20) + 1]
    whole = applied(name, x)
    for start in range(1, 17):
        assert bits_equal(whole[start:], applied(name, x[start:]))
    assert bits_equal(whole[:50], np.concatenate([applied(name, x[i : i + 1]) for i in range(50)]))


@needs_jit
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="reads x86 assembly")
@every_case
def test_loops_are_vector_code_without_a_call(name):
    for dtype, kind in zip(DTYPES, (numba.float32, numba.float64), strict=True):
        applied(name, np.ones(4, dtype))
        assembly = body(loop(name).inspect_asm((kind[::1], kind[::1])))
        assert not CALL.search(assembly)
        assert PACKED[dtype].search(assembly)
