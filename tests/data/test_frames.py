"""Columns of frames and lists as numbers or as codes of values."""

import math

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError
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


HUGE = "holds a whole number of more than 308 digits, expected numbers of float64"


@pytest.mark.parametrize("column", [[10**400, 1], (10**400, 1), np.array([1, 10**400], object), [1.5, -(10**400)]])
def test_whole_numbers_beyond_float64(column):
    with pytest.raises(DataError, match=rf"the table\['a'\] {HUGE}"):
        fn.Table.of({"a": column})


def test_a_whole_number_beyond_float64_among_texts():
    with pytest.raises(DataError, match=r"column 'a' holds 1000.*, expected finite numbers"):
        fn.Table.of({"a": ["1", 10**400]}, categories=None)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("form", [np.matrix, lambda rows: rows.view(np.recarray), np.asfortranarray])
def test_subclasses_of_numpy_are_as_their_numbers(form):
    rows = np.array([[1.0, 5], [np.nan, 7], [4, 7]])
    got, want = fn.Table.of(form(rows), categories=[1]), fn.Table.of(rows, categories=[1])
    assert got.config() == want.config()
    np.testing.assert_array_equal(got.encoded(form(rows)), want.encoded(rows))
