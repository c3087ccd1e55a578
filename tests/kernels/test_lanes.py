"""Lanes: compiled they give the bits of NumPy's, read nothing behind a row, and sums have the order that is written."""

import numba
import numpy as np
import pytest

from fastnn_kernels._jit import OPTIONS
from fastnn_kernels._lanes import choice, lanes, memory, sums
from tests.kernels.cases import DTYPES, needs_jit

LENGTHS = [0, 1, 7, 15, 16, 17, 31, 32, 33, 47, 48, 100]


def compiled(f):
    return numba.njit(f, **OPTIONS)


def rows(dtype):
    """Three rows of random numbers."""
    return np.random.default_rng(0).normal(size=(3, 101)).astype(dtype)


def combined(out, x, y, count):
    a, b = memory.load_first(x, 1, 3, count, x[0, 0]), memory.load(y, 2, 5)
    memory.store(lanes.larger(a, b) - lanes.smaller(a, b), out, 0, 0)
    memory.store(lanes.half(lanes.negative(a)) + b, out, 1, 0)
    memory.store_first(lanes.sign(a) * lanes.size(b), out, 2, 0, count)
    out[3, 0], out[3, 1] = lanes.total(a), lanes.largest(b)
    out[3, 2] = lanes.holds(a, x[1, 3])


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 5, 15, 16])
def test_compiled_lanes_have_the_bits_of_numpys(count, dtype):
    x, y = rows(dtype), rows(dtype)[:, ::-1].copy()
    x[1, 4] = np.nan
    got, want = np.zeros((2, 4, lanes.LANES), dtype)
    compiled(combined)(got, x, y, count)
    with np.errstate(invalid="ignore"):
        combined(want, x, y, count)
    np.testing.assert_array_equal(got, want)


def kept(out, positions, x, count):
    best, position = memory.load(x, 0, 0), choice.numbers_from(5)
    larger = choice.exceeds(memory.load(x, 1, 0), best)
    memory.store(choice.where(larger, memory.load(x, 1, 0), best), out, 0, 0)
    position = choice.where(larger, choice.numbers_from(100), position)
    memory.store_first(position, positions, 0, 0, count)


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 7, 16])
def test_compiled_choices_have_the_bits_of_numpys(count, dtype):
    x = rows(dtype)
    x[0, [2, 5]] = x[1, [3, 5]] = np.nan
    x[1, 4] = x[0, 4]
    got, want = np.zeros((2, 1, lanes.LANES), dtype)
    got_at, want_at = np.zeros((2, 1, lanes.LANES), np.int32)
    compiled(kept)(got, got_at, x, count)
    kept(want, want_at, x, count)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(got_at, want_at)


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_sums_and_maxima_of_rows_have_one_order(n, dtype):
    x = rows(dtype)[:, : n + 1].copy()
    x[:, n] = np.nan  # behind the row
    for f in (sums.row_sum, sums.row_max):
        assert f(x, 1, n) == f.py_func(x, 1, n)
    assert sums.first_position(x, 1, n, x[1, n // 2]) == n // 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_maximum_ignores_nan(dtype):
    x = np.array([[np.nan, 1, 3, np.nan, 2]], dtype)
    assert sums.row_max(x, 0, 5) == 3
    assert sums.row_max(x[:, :1].copy(), 0, 1) == -np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_first_position_of_a_number_that_is_not_there_is_the_length(dtype):
    x = np.zeros((1, 40), dtype)
    x[0, 39] = 1
    assert sums.first_position(x, 0, 40, dtype(1)) == 39
    assert sums.first_position(x, 0, 39, dtype(1)) == 39
    assert sums.first_position(x, 0, 40, dtype(2)) == 40
