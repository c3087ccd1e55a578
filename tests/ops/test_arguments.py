"""Arrays that users hand to `fastnn.ops`; `test_functions.py` has the refusals of every function."""

import numpy as np
import pytest

from fastnn.common.errors import DataError
from fastnn.ops.arguments import arrays_of_floats, as_matrix, ids_of_rows, kernel_array, updated_in_place


def test_what_kernels_can_take_is_not_copied():
    a = np.ones((2, 3), np.float32)
    assert np.shares_memory(kernel_array(a), a)
    copied = kernel_array(a.T)
    assert copied.flags.c_contiguous
    assert not np.shares_memory(copied, a)


def test_whole_numbers_and_lists_follow_the_floats_beside_them():
    got = arrays_of_floats(x=np.ones(2, np.float32), y=[1.5], z=np.arange(3))
    assert [a.dtype for a in got] == [np.float32] * 3
    assert arrays_of_floats(x=[1], y=np.arange(2))[0].dtype == np.float64


def test_nothing_can_be_chosen_from_nothing():
    assert ids_of_rows("ids", [], 0, "w has 0 rows").dtype == np.int64
    with pytest.raises(DataError, match=r"ids has 2 numbers, expected none.*\(w has 0 rows\)"):
        ids_of_rows("ids", [0, 1], 0, "w has 0 rows")


@pytest.mark.parametrize(("shape", "want"), [((), (1, 1)), ((4,), (1, 4)), ((2, 3, 4), (6, 4)), ((2, 0), (2, 0))])
def test_a_matrix_is_a_view(shape, want):
    a = np.zeros(shape)
    assert as_matrix(a).shape == want
    assert np.shares_memory(as_matrix(a), a) or not a.size


def test_updates_reach_arrays_that_had_to_be_copied():
    w, v = np.zeros((2, 4))[:, ::2], np.zeros(4)
    with updated_in_place(w=w, v=v) as flat:
        for a in flat:
            a += np.arange(4)
    assert w.tolist() == [[0, 1], [2, 3]]
    assert v.tolist() == [0, 1, 2, 3]
