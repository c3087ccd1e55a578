"""What a slice of an operation takes of each operand."""

import numpy as np
import pytest

from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Axis, Columns, Slice, array_of, cut_of, is_array

ARRAY = np.zeros((4, 4))
BATCHED, WHOLE = (Buffer("x", (4, 16), np.dtype("float32"), batched) for batched in (True, False))
SAMPLES, ROWS = Axis(None, 1, 8), Axis(4, 1, 8)


@pytest.mark.parametrize(
    ("operand", "along_samples", "along_rows"),
    [
        (BATCHED, "rows", None),
        (WHOLE, None, None),
        (ARRAY, None, None),
        (Slice(ARRAY), "rows", "rows"),
        (Columns(ARRAY), "columns", "columns"),
        (OFFSET, None, None),
        (3, None, None),
    ],
    ids=["a batched buffer", "a buffer", "an array", "a slice", "columns", "the offset", "a number"],
)
def test_what_a_slice_takes(operand, along_samples, along_rows):
    assert cut_of(operand, SAMPLES) == along_samples
    assert cut_of(operand, ROWS) == along_rows


def test_what_is_memory():
    assert all(is_array(operand) for operand in (ARRAY, BATCHED, Slice(ARRAY), Columns(WHOLE)))
    assert not any(is_array(operand) for operand in (OFFSET, 3, np.int64(3)))
    assert array_of(Slice(ARRAY)) is array_of(Columns(ARRAY)) is array_of(ARRAY) is ARRAY
    assert array_of(3) == 3
