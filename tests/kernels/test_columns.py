"""Rows of a table of vectors, for ids that the caller should have refused."""

import numpy as np
import pytest

from fastnn_kernels import category_rows
from tests.kernels.cases import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_row_leaves_its_category_whatever_the_id(dtype):
    x = np.array([[0, 2], [1, 4], [-1, -9], [7, 5], [np.nan, np.nan], [np.inf, -np.inf], [-0.5, 1e30]], dtype)
    rows = np.full((len(x), 2), -7, np.int32)
    category_rows.serial(rows, x, np.array([1, 0]), np.array([0, 5, 7]))
    assert rows.tolist() == [[2, 5], [4, 6], [0, 5], [4, 6], [0, 5], [0, 6], [4, 5]]
