"""The ids of a batch in ascending order: which of them begin a row of the list."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn_kernels.listed import DIGIT


@pytest.mark.parametrize("more", [0, 2])
@pytest.mark.parametrize(
    ("first", "second", "V"),
    [
        ([3, 3, 3], [3], 5),
        ([3, 3, 3], [], 4),
        ([0], [0], 1),
        ([4, 0, 4, 2], [2, 0], 5),
        ([4097, 1, 70_000, 4097], [1, 69_999], 70_001),
    ],
    ids=["one id", "the last id", "a table of one row", "several", "of several digits"],
)
def test_each_id_has_one_head_and_its_places_in_order(first, second, V, more):
    """`more`: places beyond the batch, of a shorter one."""
    given = np.array([*first, *second])
    size, m = len(given), len(given) + more
    heads, ids, positions, keys, places = (np.full(m, -7, np.int32) for _ in range(5))
    counts = np.zeros(2**DIGIT, np.int32)
    k.list_rows.serial(heads, ids, positions, keys, places, counts, np.int32(first), np.int32(second), V)
    order = np.argsort(given, kind="stable")
    np.testing.assert_array_equal(positions, [*order, *range(size, m)])
    np.testing.assert_array_equal(ids, [*given[order], *[V] * more])
    seen = [one in given[order][:p] for p, one in enumerate(given[order])]
    np.testing.assert_array_equal(heads[:size], np.where(seen, V, given[order]))
    assert (heads[size:] == V).all()
