"""Products whose left operand is mostly 0 give the bits of `matmul`, whatever they are multiplied with."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn_kernels._jit import JIT, compiled
from fastnn_kernels._lanes import bits
from fastnn_kernels._products import sparse
from fastnn_kernels._tuning import ALIGNMENT
from fastnn_kernels.registry.inputs import GARBAGE, padded
from tests.kernels.cases import DTYPES

SHAPES = [(3, 0, 16), (1, 1, 1), (2, 16, 5), (9, 64, 64), (5, 65, 70), (67, 3, 17), (13, 130, 130)]
SPECIAL = {
    "nan": np.nan,
    "infinity": np.inf,
    "minus infinity": -np.inf,
    "minus zero": -0.0,
    "denormal": 1e-320,
    "tiny": -1e-30,
}


def mostly_zeros(rng, dtype, rows, columns, zeros=0.8):
    """Random numbers, a part of them 0 and some of these −0; rows whole cache lines."""
    values = rng.standard_normal((rows, columns))
    values[rng.random(values.shape) < zeros] = 0
    values[(values == 0) & (rng.random(values.shape) < 0.3)] = -0.0
    return padded(dtype, rows, columns, values)


def strewn(rng, array, columns, value):
    """The array with `value` in one of ten places; padding stays 0."""
    inner = array[:, :columns]
    inner[rng.random(inner.shape) < 0.1] = value
    return array


@compiled
def _product(out, a, b):
    sparse.sparse_product(out, a, b)
    sparse.positive_zeros(out)


@compiled
def _product_xt(out, x, first, b):
    sparse.sparse_product_xt(out, x, first, b)
    sparse.positive_zeros(out)


def called(function, out, *operands):
    """What the function writes, in place of garbage."""
    out = np.full_like(out, GARBAGE)
    with np.errstate(all="ignore"):
        function(out, *operands)
    return out


def assert_same_bits(got, want):
    """The same numbers, NaN in the same places, and 0 where the other has −0."""
    np.testing.assert_array_equal(got, want)
    assert not np.signbit(got[got == 0]).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_products_have_the_bits_of_matmul_for_any_share_of_zeros(shape, dtype):
    m, depth, n = shape
    rng = np.random.default_rng(m)
    for zeros in (0.0, 0.4, 0.8, 1.0):
        x = mostly_zeros(rng, dtype, m, depth, zeros)
        w, d = (padded(dtype, rows, n, rng.standard_normal((rows, n))) for rows in (depth, m))
        forward, gradient = padded(dtype, m, n, 0), padded(dtype, depth, n, 0)
        want, want_xt = called(k.matmul.serial, forward, x, w), called(k.matmul_xt.serial, gradient, x, d, 0)
        for parallel in (False, True):
            assert_same_bits(called(k.sparse_matmul.twin(parallel), forward, x, w), want)
            assert_same_bits(called(k.sparse_matmul_xt.twin(parallel), gradient, x, d, 0), want_xt)
        if m and depth:  # the loop over what is not 0, also where the kernels do not take it because there is much
            assert_same_bits(called(_product, forward, x, w), want)
            assert_same_bits(called(_product_xt, gradient, x, 0, d), want_xt)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("where", ["x", "right", "both"])
def test_zeros_times_nan_and_infinity_are_not_left_out(where, special, dtype):
    m, depth, n = 11, 70, 66
    rng = np.random.default_rng(7)
    x = mostly_zeros(rng, dtype, m, depth)
    w, d = (padded(dtype, rows, n, rng.standard_normal((rows, n))) for rows in (depth, m))
    if where != "right":
        strewn(rng, x, depth, SPECIAL[special])
    if where != "x":
        for right in (w, d):
            strewn(rng, right, n, SPECIAL[special])
    forward, gradient = padded(dtype, m, n, 0), padded(dtype, depth, n, 0)
    want, want_xt = called(k.matmul.serial, forward, x, w), called(k.matmul_xt.serial, gradient, x, d, 0)
    assert np.isnan(want).any() == (special in ("nan", "infinity", "minus infinity"))
    assert_same_bits(called(k.sparse_matmul.serial, forward, x, w), want)
    assert_same_bits(called(k.sparse_matmul_xt.serial, gradient, x, d, 0), want_xt)


@pytest.mark.parametrize("place", [(0, 0), (0, 63), (63, 0), (64, 64), (69, 65), (5, 65), (69, 3)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_number_that_is_not_finite_is_seen_wherever_it_is(value, place):
    x = np.zeros((3, 80), np.float32)
    w = np.zeros((70, 80), np.float32)
    w[place] = value
    got = called(k.sparse_matmul.serial, np.empty((3, 80), np.float32), x, w)
    np.testing.assert_array_equal(np.isnan(got), np.arange(80)[None] == [[place[1]]] * 3)


def test_a_sum_of_negative_numbers_too_small_to_store_is_zero_of_one_sign():
    tiny = np.float32(1e-30)
    x = np.zeros((4, ALIGNMENT), np.float32)
    x[:, 0] = tiny
    w = np.full((ALIGNMENT, 16), -tiny, np.float32)
    for left in (x, np.full_like(x, tiny)):  # mostly zero, and not
        got = called(k.sparse_matmul.serial, np.empty((4, 16), np.float32), left, w)
        assert got.tobytes() == np.zeros_like(got).tobytes()


def test_slices_of_the_gradient_have_its_bits():
    rng = np.random.default_rng(0)
    x, d = mostly_zeros(rng, np.float32, 70, 100), padded(np.float32, 70, 66, rng.standard_normal((70, 66)))
    whole = called(k.matmul_xt.serial, np.empty((100, d.shape[1]), np.float32), x, d, 0)
    for first, last in ((0, 100), (0, 1), (17, 96), (63, 65)):
        own = np.empty((last - first, d.shape[1]), np.float32)
        assert_same_bits(called(k.sparse_matmul_xt.serial, own, x, d, first), whole[first:last])


def test_bits_of_a_word_change_places():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**64, (1, 64), np.uint64)
    columns = [[int(word) >> c & 1 for c in range(64)] for word in words[0]]
    compiled(_transpose)(words)
    assert [[int(word) >> c & 1 for c in range(64)] for word in words[0]] == [
        list(column) for column in zip(*columns, strict=True)
    ]


@compiled
def _words(out, x, count):
    out[0] = bits.nonzero_bits(x, 1, 2, count)
    out[1] = bits.first_bits(count)
    out[2] = bits.count_ones(out[0])
    out[3] = bits.lowest(out[1])


def _transpose(words):
    bits.transpose_bits(words)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64])
def test_words_of_the_numbers_that_are_not_zero(count, dtype):
    x = np.random.default_rng(count).choice(np.array([0, -0.0, 1, 1e-310, np.nan, np.inf], dtype), (3, 70))
    out = np.zeros(4, np.uint64)
    _words(out, x, count)
    other = (x[1, 2 : 2 + count] != 0).tolist()
    assert [int(value) for value in out] == [
        sum(1 << t for t in range(count) if other[t]), 2**count - 1, sum(other), 0
    ]  # fmt: skip


@pytest.mark.skipif(not JIT, reason="a Python loop takes long")
def test_many_samples_take_several_rows_of_words():
    rng = np.random.default_rng(1)
    x = mostly_zeros(rng, np.float32, 600, 96)
    w = rng.standard_normal((96, 64)).astype(np.float32)
    out = np.empty((600, 64), np.float32)
    assert_same_bits(called(_product, out, x, w), called(k.matmul.serial, out, x, w))
