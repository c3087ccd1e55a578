"""The errors of h5py: one kind, one line, and fastnn's own errors as they are."""

import pytest

from fastnn.common.errors import DataError, FileFormatError, ShapeError
from fastnn.common.hdf5 import DAMAGE, hdf5_errors


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_kind_becomes_one_error_in_one_line(kind):
    with (
        pytest.raises(FileFormatError, match=r"'a.h5' is damaged: .*two lines$") as caught,
        hdf5_errors("'a.h5' is damaged"),
    ):
        raise kind("two\n lines")
    assert isinstance(caught.value.__cause__, kind)


def test_the_type_is_named_where_the_message_alone_says_little():
    with pytest.raises(FileFormatError, match=r"^bad: KeyError: 'network'$"), hdf5_errors("bad"):
        {}["network"]
    with pytest.raises(FileFormatError, match=r"^bad: no end$"), hdf5_errors("bad"):
        raise OSError("no end")


def test_errors_of_fastnn_pass_unless_told_otherwise():
    with pytest.raises(DataError, match=r"^id$"), hdf5_errors("bad"):
        raise DataError("id")
    with pytest.raises(FileFormatError, match=r"^bad: ShapeError: rows$"), hdf5_errors("bad", passing=FileFormatError):
        raise ShapeError("rows")


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), hdf5_errors("bad"):
        raise ZeroDivisionError
    with pytest.raises(KeyboardInterrupt), hdf5_errors("bad"):
        raise KeyboardInterrupt
