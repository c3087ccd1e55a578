"""bfloat16 words and the floats that they stand for."""

import numpy as np
import pytest

from fastnn.common import bfloat16

FINITE = np.array([w for w in range(2**16) if w & 0x7F80 != 0x7F80], np.uint16)


def test_every_word_is_a_number_that_is_encoded_as_that_word():
    np.testing.assert_array_equal(bfloat16.encoded(bfloat16.decoded(FINITE)), FINITE)
    np.testing.assert_array_equal(bfloat16.decoded(np.array([0x3F80, 0xC000, 0x7F80], np.uint16)), [1, -2, np.inf])


def test_the_nearest_word_is_chosen_and_of_two_the_even_one():
    between = np.random.default_rng(0).integers(0, 2**31, 2000, np.uint32)
    x = between.view(np.float32)
    x = x[np.abs(x) < 1e38]
    got = bfloat16.decoded(bfloat16.encoded(x)).astype(np.float64)
    low = bfloat16.decoded((x.view(np.uint32) >> 16).astype(np.uint16)).astype(np.float64)
    high = bfloat16.decoded((x.view(np.uint32) >> 16).astype(np.uint16) + np.uint16(1)).astype(np.float64)
    np.testing.assert_array_equal(np.abs(got - x), np.minimum(x - low, high - x))
    ties = np.array([0x3F808000, 0x3F818000, 0xBF808000], np.uint32).view(np.float32)
    np.testing.assert_array_equal(bfloat16.encoded(ties), [0x3F80, 0x3F82, 0xBF80])


def test_infinity_nan_shapes_and_other_dtypes():
    x = np.array([[np.inf, -np.inf], [np.nan, 3.4e38]])
    got = bfloat16.decoded(bfloat16.encoded(x))
    np.testing.assert_array_equal(got, [[np.inf, -np.inf], [np.nan, np.inf]])
    assert bfloat16.encoded(np.float64(1)).shape == ()
    assert bfloat16.encoded([1, 2]).dtype == np.uint16


@pytest.mark.parametrize(
    ("array", "finite"),
    [
        (FINITE, True),
        (np.array([0x7F80], np.uint16), False),
        (np.array([0xFFC1], np.uint16), False),
        (np.array([1.0, np.inf], np.float32), False),
        (np.array([1.0, -1.0]), True),
        (np.array([2**31]), True),
        (np.zeros(0, np.uint16), True),
    ],
)
def test_what_is_finite(array, finite):
    assert bfloat16.is_finite(array) is finite
