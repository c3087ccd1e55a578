"""exp, log, tanh and sigmoid against longdouble (float64 for float32), and their code in loops."""

import functools
import math
import platform
import re

import numba
import numpy as np
import pytest

from fastnn_kernels._jit import JIT, OPTIONS
from fastnn_kernels._math import elementary

# The largest errors seen, over all float32 inputs, with and without fused multiply-add, rounded up.
MAX_ULP = {"exp": 1.1, "log": 1.0, "tanh": 2.6, "sigmoid": 1.9}
SAMPLES = 100_000 if JIT else 1_500  # 1,500: what plain Python does in a second
DTYPES = [np.float32, np.float64]
TRUTH = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
WIDER = {np.float32: np.float64, np.float64: np.longdouble}

needs_jit = pytest.mark.skipif(not JIT, reason="about compiled code")
every_function = pytest.mark.parametrize("name", TRUTH)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@functools.cache
def loop(name, parallel):
    """The loop that kernels write, over one of the functions."""
    f = getattr(elementary, name)

    def run(out, x):
        for i in numba.prange(x.shape[0]):
            out[i] = f(x[i])

    return numba.njit(run, parallel=parallel, **OPTIONS) if JIT else run


def applied(name, x, parallel=False):
    out = np.empty_like(x)
    loop(name, parallel)(out, x)
    return out


def special(dtype):
    """Both signs of: zero, the ends of subnormals, normals and exp's range, and their neighbours, infinity."""
    info = np.finfo(dtype)
    edges = [0, info.smallest_subnormal, info.smallest_normal, 1, info.max]
    edges += [math.log(float(info.max)), math.log(float(info.smallest_normal)), math.log(2) / 2, math.sqrt(2), 20]
    edges = np.abs(np.array(edges, dtype))
    with np.errstate(over="ignore", under="ignore"):
        near = np.concatenate(
            [edges, np.nextafter(edges, dtype(0)), np.nextafter(edges, dtype(np.inf)), [dtype(np.inf)]]
        )
    return np.concatenate([near, -near])


def sweep(dtype):
    """Bit patterns at even distances, which visit each exponent and sign; everyday numbers; special ones."""
    bits = np.iinfo(f"u{dtype().itemsize}")
    patterns = (np.arange(SAMPLES, dtype=bits.dtype) * bits.dtype.type(bits.max // SAMPLES)).view(dtype)
    rng = np.random.default_rng(1)
    everyday = rng.standard_normal(SAMPLES) * rng.choice([0.01, 0.5, 1, 5, 50], SAMPLES)
    near_1 = 1 + rng.uniform(-0.3, 0.5, SAMPLES // 4)
    x = np.concatenate([patterns, everyday.astype(dtype), near_1.astype(dtype), special(dtype)])
    return x[~np.isnan(x)]


def true_values(name, x):
    wide = WIDER[x.dtype.type]
    if np.finfo(wide).nmant <= np.finfo(x.dtype).nmant:
        pytest.skip("longdouble is float64 here")
    with np.errstate(all="ignore"):
        return TRUTH[name](x.astype(wide))


def ulp_of(want, dtype):
    """The spacing of `dtype` at the true values, for values in its normal range."""
    _, exponent = np.frexp(want)
    return np.ldexp(want.dtype.type(1), exponent - 1 - np.finfo(dtype).nmant)


@every_function
@every_dtype
def test_error_in_ulp_where_the_true_value_is_normal(name, dtype):
    x = sweep(dtype)
    want = true_values(name, x)
    info = np.finfo(dtype)
    normal = (np.abs(want) >= info.smallest_normal) & (np.abs(want) <= info.max)
    assert np.count_nonzero(normal) > SAMPLES / 4
    got = applied(name, x)[normal].astype(want.dtype)
    error = np.abs(got - want[normal]) / ulp_of(want[normal], dtype)
    worst = np.argmax(error)
    print(f"{name} {dtype.__name__}: {error[worst]:.3f} ulp at {x[normal][worst]!r}")  # noqa: T201  (seen with -s)
    assert error[worst] <= MAX_ULP[name]


@every_function
@every_dtype
def test_outside_the_normal_range_infinity_nan_and_the_sign_are_right(name, dtype):
    x = sweep(dtype)
    want, got = true_values(name, x), applied(name, x)
    info = np.finfo(dtype)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    with np.errstate(over="ignore"):
        rounded = want.astype(dtype)
    infinite = np.isinf(rounded)
    assert np.array_equal(got[infinite], rounded[infinite])
    assert np.all(np.isfinite(got[~infinite & ~np.isnan(want)]))
    tiny = np.abs(want) < info.smallest_normal
    assert np.all(got[tiny] * np.sign(want[tiny]) >= 0)
    assert np.all(np.abs(got[tiny]) <= info.smallest_normal)


@every_dtype
def test_special_values(dtype):
    inf, nan = np.inf, np.nan
    x = np.array([-inf, -1, 0, inf, nan, -nan], dtype)
    table = {
        "exp": [0, None, 1, inf],
        "log": [nan, nan, -inf, inf],
        "tanh": [-1, None, 0, 1],
        "sigmoid": [0, None, 0.5, 1],
    }
    for name, want in table.items():
        got = applied(name, x)
        for g, w in zip(got, [*want, nan, nan], strict=True):
            assert w is None or np.array_equal(g, w, equal_nan=True), f"{name}: got {got}, want {want}"


@every_function
@every_dtype
def test_any_nan_survives(name, dtype):
    """Whatever its payload and sign: the exponent tricks read the bits of clamped numbers only."""
    integer = np.dtype(f"i{dtype().itemsize}")
    quiet = np.array(np.nan, dtype).view(integer)
    payloads = np.arange(1, 200, dtype=integer) * (np.iinfo(integer).max - quiet - 1 >> 8) + quiet
    nans = np.concatenate([payloads, payloads | np.iinfo(integer).min]).view(dtype)
    assert np.isnan(nans).all()
    assert np.isnan(applied(name, nans)).all()


@every_dtype
def test_tanh_is_odd_and_the_identity_on_tiny_numbers(dtype):
    x = sweep(dtype)
    assert np.array_equal(applied("tanh", -x), -applied("tanh", x))
    zeros = np.array([0.0, -0.0], dtype)
    assert np.signbit(applied("tanh", zeros)).tolist() == [False, True]
    tiny = x[np.abs(x) < np.finfo(dtype).eps / 8]  # 1 + exp(−2x) rounds to 2, and exp(−2x) − 1 to −2x
    assert tiny.size
    assert np.array_equal(applied("tanh", tiny), tiny)


@every_function
@every_dtype
def test_dtype_stays(name, dtype):
    f = getattr(elementary, name)
    if JIT:
        compiled = numba.njit(lambda x: f(x), **OPTIONS)
        compiled(dtype(0.5))
        (signature,) = compiled.nopython_signatures
        assert signature.return_type == numba.from_dtype(np.dtype(dtype))
    else:
        assert all(type(f(dtype(x))) is dtype for x in (-np.inf, -0.5, 0, 0.5, 30, np.inf, np.nan))


def bits_equal(a, b):
    return np.array_equal(a.view(f"i{a.itemsize}"), b.view(f"i{b.itemsize}"))


@needs_jit
@every_function
@every_dtype
def test_same_bits_in_vector_body_remainder_alone_and_in_parallel(name, dtype):
    x = np.ascontiguousarray(sweep(dtype)[:: SAMPLES // 1000])
    x = x[: x.size - (x.size + 1) % 2]  # odd: no vector length divides it
    whole = applied(name, x)
    alone = np.concatenate([applied(name, x[i : i + 1]) for i in range(x.size)])
    assert bits_equal(whole, alone)
    assert bits_equal(whole, applied(name, x, parallel=True))
    for start in range(1, 17):
        assert bits_equal(whole[start:], applied(name, x[start:]))


@needs_jit
@every_function
@every_dtype
def test_the_bits_do_not_depend_on_the_expression_around(name, dtype):
    """A product before and a sum after may be fused with one another, but not with the function's own operations."""
    f = getattr(elementary, name)

    @numba.njit(**OPTIONS)
    def fused(out, x, y):
        for i in range(x.shape[0]):
            out[i] = y[i] + f(x[i] * y[i])

    rng = np.random.default_rng(2)
    x, y = (rng.uniform(0.1, 3, 20_001).astype(dtype) for _ in range(2))
    out = np.empty_like(x)
    fused(out, x, y)
    assert bits_equal(out, y + applied(name, x * y))


def body(assembly):
    """The loop itself, the first global function; the next ones unpack its arguments."""
    return re.split(r"^\s*\.globl\s", assembly, flags=re.MULTILINE)[1]


CALL = re.compile(r"^\s*call", re.MULTILINE)
PACKED = {  # a product of a whole register
    np.float32: re.compile(r"\bv?mulps\b|\bvfn?m(add|sub)\d+ps\b"),
    np.float64: re.compile(r"\bv?mulpd\b|\bvfn?m(add|sub)\d+pd\b"),
}


@needs_jit
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="reads x86 assembly")
@every_function
@every_dtype
def test_a_loop_is_vector_code_without_a_call(name, dtype):
    applied(name, np.ones(4, dtype))
    kind = numba.from_dtype(np.dtype(dtype))
    assembly = loop(name, False).inspect_asm((kind[::1], kind[::1]))
    assert not CALL.search(body(assembly))
    assert PACKED[dtype].search(body(assembly))


@needs_jit
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="reads x86 assembly")
def test_a_call_to_libm_would_be_seen():
    @numba.njit(**OPTIONS)
    def libm(out, x):
        for i in range(x.shape[0]):
            out[i] = math.tanh(x[i])

    libm(np.ones(4, np.float32), np.ones(4, np.float32))
    (assembly,) = libm.inspect_asm().values()
    assert CALL.search(body(assembly))


@every_dtype
def test_the_logarithm_from_one_on_has_the_bits_of_the_logarithm(dtype):
    x = sweep(dtype)
    x = np.append(x[(x >= 1) & (x < np.inf)], dtype(np.nan))
    np.testing.assert_array_equal(applied("log_from_one", x), applied("log", x))
