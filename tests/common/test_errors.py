"""The exceptions: each can be caught as fastnn's own and as the kind of Python's that it is."""

import pytest

import fastnn as fn
from fastnn.common import errors

KINDS = {
    errors.ShapeError: ValueError,
    errors.DataError: ValueError,
    errors.FileFormatError: ValueError,
    errors.NonFiniteError: ArithmeticError,
    errors.MissingPackageError: ImportError,
    errors.OutOfMemoryError: MemoryError,
}


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_to_catch(kind):
    with pytest.raises(errors.FastnnError, match="why"):
        raise kind("why")
    with pytest.raises(KINDS[kind]):
        raise kind


def test_the_table_above_is_complete():
    defined = {value for value in vars(errors).values() if isinstance(value, type)}
    assert defined == {errors.FastnnError, *KINDS}


@pytest.mark.parametrize("kind", [errors.FastnnError, *KINDS])
def test_each_is_found_where_users_look_for_it(kind):
    assert getattr(fn, kind.__name__) is kind
    assert kind.__name__ in fn.__all__
