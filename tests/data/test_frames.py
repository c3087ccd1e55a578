"""Columns of frames and lists as numbers or as codes of values."""

import math

import numpy as np
import pytest

from fastnn.data import frames


@pytest.mark.parametrize(
    "items", [[1.0, None, 3], [None, None], [], [1, 2**60, -0.5], [math.nan, 1.0], [math.inf, None, -math.inf]]
)
def test_a_list_of_plain_numbers_is_as_another_sequence(items):
    """Lists are taken at once, others number by number."""
    got, want = frames._values(items, False, "x"), frames._values(tuple(items), False, "x")
    assert isinstance(got, frames.Numbers)
    assert isinstance(want, frames.Numbers)
    np.testing.assert_array_equal(got.array, want.array)
    assert got.array.dtype == want.array.dtype


@pytest.mark.parametrize("items", [[True, False], ["1", 2.0], [1.0, "x", None]])
def test_truth_values_and_texts_are_no_plain_numbers(items):
    assert isinstance(frames._values(items, False, "x"), frames.Coded)
    assert isinstance(frames._values([1.0, 2.0], True, "x"), frames.Coded)
