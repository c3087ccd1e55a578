"""What users give as arrays: accepted forms, and refusals that say what to give instead."""

import numpy as np
import pytest

from fastnn.common import validation
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.user_arrays import as_array, check_numbers
from fastnn.common.weights import class_weights
from tests.tiny import dense_model


class Missing:
    """Stands for the type of pandas.NA."""

    def __repr__(self):
        return "<NA>"


Missing.__name__ = "NAType"


class Table:
    """A table as pandas and polars have it: columns by name, each of its own dtype."""

    def __init__(self, array=None, **columns):
        self.columns = list(columns)
        self.dtypes = [getattr(np.asarray(column), "dtype", None) for column in columns.values()]
        self._array = array if array is not None else np.array(list(columns.values()), dtype=object).T

    def to_numpy(self):
        return self._array


class Sparse:
    """A sparse matrix, by the two things that are asked of it."""

    nnz = 1

    def toarray(self):
        return np.eye(2)


class LazyFrame:
    """A query of polars, by the one thing that is asked of it."""

    def collect(self):
        return Table(a=[1.0])


NUMBERS = {
    "objects": (np.array([[1, 2.5], [True, np.float32(3)]], dtype=object), [[1, 2.5], [1, 3]], "f8"),
    "whole objects": (np.array([2**53 + 1, 1], dtype=object), [2**53 + 1, 1], "i8"),
    "truth values": (np.array([True, False], dtype=object), [1, 0], "b1"),
    "beyond 64 bits": ([2**70, 1], [2.0**70, 1], "f8"),
    "no samples": (np.array([], dtype=object), [], "f8"),
    "a table with dummies": (Table(age=[1.5, 2.5], is_cat=[True, False]), [[1.5, 1], [2.5, 0]], "f8"),
    "a table of whole numbers": (Table(a=[1, 2], b=[True, False]), [[1, 1], [2, 0]], "i8"),
    "a table of floats": (Table(np.eye(2), a=[1.0, 0.0], b=[0.0, 1.0]), [[1, 0], [0, 1]], "f8"),
    "no masked number": (np.ma.array([1, 2], mask=[False, False]), [1, 2], "i8"),
    "a list of such rows": ([np.ma.array([1, 2]), np.ma.array([3, 4])], [[1, 2], [3, 4]], "i8"),
}


@pytest.mark.parametrize(("given", "want", "dtype"), NUMBERS.values(), ids=list(NUMBERS))
def test_what_is_numbers_becomes_an_array_of_numbers(given, want, dtype):
    got = as_array(given, "x")
    assert type(got) is np.ndarray
    assert (got.tolist(), got.dtype) == (want, np.dtype(dtype))


MASKED = np.ma.array([[1.0, 2], [3, 99]], mask=[[0, 0], [0, 1]])
DATES = np.array(["2020-01-01", "2021-01-01"], "M8[D]")
REFUSED = {
    "a query": (LazyFrame(), TypeError, r"x is a LazyFrame, expected its values: give x.collect\(\)$"),
    "a table of texts": (
        Table(a=["u", "v"]),
        TypeError,
        r"row 0 holds 'u'; fn.Table.of\(frame\) makes numbers of texts",
    ),
    "masked": (MASKED, DataError, r"x\[1, 1\] is masked, expected a number: fill .* or leave"),
    "masked rows in a list": (list(MASKED), DataError, r"x\[1, 1\] is masked"),
    "a masked constant": ([1.0, np.ma.masked], DataError, r"x\[1\] is masked"),
    "sparse": (Sparse(), TypeError, r"x is a sparse Sparse, expected an array: give x.toarray\(\)$"),
    "missing": (np.array([1, Missing()], dtype=object), DataError, r"x\[1\] is <NA>, a missing value"),
    "none": (
        [[1, None]],
        TypeError,
        r"x has dtype object, expected numbers: x\[0, 1\] is None, a missing value: fill it",
    ),
    "a word among numbers": (
        np.array([1, "a"], dtype=object),
        TypeError,
        r"x has dtype object.*x\[1\] is 'a'; texts must become",
    ),
    "ragged": ([[1, 2], [3]], ShapeError, "x is no array"),
    "ragged objects": (np.array([[1, 2], [3]], dtype=object), TypeError, r"x\[0\] is \[1, 2\]"),
    "too many digits": ([10**400], DataError, "x holds a whole number of more than 308 digits"),
    "a column of words": (
        Table(age=[1.5, 2], kind=["cat", "dog"]),
        TypeError,
        r"x: column 'kind' has dtype <U3, expected numbers: row 0 holds 'cat'",
    ),
    "a column of dates": (
        Table(np.array([[DATES[0]], [DATES[1]]]), day=DATES),
        TypeError,
        "column 'day' has dtype datet",
    ),
    "a column with a gap": (
        Table(age=[1.5, 2], n=[3, Missing()]),
        DataError,
        "x: column 'n' has dtype object and no value in row 1, expected a number: fill it, or leave the row out",
    ),
}


@pytest.mark.parametrize(("given", "error", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused(given, error, message):
    with pytest.raises(error, match=message) as caught:
        as_array(given, "x")
    assert "\n" not in str(caught.value)


def test_the_hint_calls_an_array_as_its_user_does():
    with pytest.raises(TypeError, match=r"validation y is .*: give y.toarray\(\)"):
        as_array(Sparse(), "validation y")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (np.array([1j]), "has dtype complex128, expected numbers; give the real and the imaginary parts"),
        (DATES, "expected numbers; give numbers instead of dates"),
        (DATES - DATES[0], r"instead of durations: divide them by np.timedelta64\(1, 's'\)"),
        (np.array(["1.5"]), r"texts must become numbers first: x.astype\(float\)"),
        (np.array([b"1"]), "texts must become numbers"),
        (np.zeros(2, [("a", float)]), "give the fields of the records as columns"),
    ],
)
def test_arrays_of_other_kinds_than_numbers(given, hint):
    with pytest.raises(TypeError, match=f"^y .*{hint}"):
        validation.finite(given, "y")
    with pytest.raises(TypeError, match=f"^y .*{hint}"):
        validation.whole_numbers(given, "y", 3, "labels")


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1.5, 2], "kind": ["cat", "dog"]})
    dummies = pandas.get_dummies(frame)
    assert as_array(dummies, "x").tolist() == [[1.5, 1, 0], [2, 0, 1]]
    assert as_array(dummies.to_numpy(), "x").tolist() == [[1.5, 1, 0], [2, 0, 1]]
    assert as_array(pandas.Series([0, 1], dtype="Int64"), "y").tolist() == [0, 1]
    with pytest.raises(TypeError, match=r"x: column 'kind' has dtype .*, expected numbers: row 0 holds 'cat'"):
        as_array(frame, "x")
    for dtype in ("Int64", "boolean", "Float64"):
        gap = pandas.DataFrame({"a": [1.0, 2], "n": pandas.array([1, None], dtype=dtype)})
        with pytest.raises(DataError, match=f"column 'n' has dtype {dtype} and no value in row 1"):
            as_array(gap, "x")
    with pytest.raises(DataError, match=r"y\[1\] is"):
        validation.finite(pandas.Series([0, None], dtype="Int64"), "y")
    assert class_weights(pandas.Series([10.0, 1], index=[1, 0]), 2).tolist() == [1, 10]


@pytest.mark.parametrize("form", ["csr_matrix", "coo_array", "dok_array"])
def test_scipy(form):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=rf"y is a sparse {form}, expected an array: give y.toarray\(\)"):
        as_array(getattr(sparse, form)(np.eye(3)), "y")
    with pytest.raises(TypeError, match=rf"x is a sparse {form}, expected an array: give x.toarray\(\)"):
        dense_model().predict(getattr(sparse, form)(np.eye(5)))


def test_numbers_of_a_further_package_are_cast_by_their_user():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    with pytest.raises(TypeError, match=r"x has dtype bfloat16, expected numbers; give x.astype\('float32'\)"):
        check_numbers(np.ones(3, bfloat16), "x")
    with pytest.raises(TypeError, match="give the fields of the records as columns"):
        check_numbers(np.zeros(3, [("a", "f4")]), "x")


NO_ARRAYS = {
    "a path": ("train.csv", "'train.csv'"),
    "bytes": (b"ab", "b'ab'"),
    "a set": ({1, 2}, "set"),
    "a generator": ((i for i in range(3)), "generator"),
    "an object": (object(), "object"),
}


@pytest.mark.parametrize(("given", "told"), NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_what_is_no_array(given, told):
    with pytest.raises(TypeError, match=f"^x is {told}, expected an array, or lists of numbers$"):
        as_array(given, "x")
    with pytest.raises(TypeError, match=f"^x is {told}, expected an array"):
        dense_model().predict(given)
