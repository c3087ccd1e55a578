"""Tables of pyarrow as frames: with a stand-in that has those of their methods that are used, and with pyarrow."""

import datetime
import importlib.util

import numpy as np
import pytest

import fastnn as fn
from fastnn.data import frames

COLUMNS = {
    "age": [41, None, 23],
    "height": [1.7, 1.8, 1.6],
    "town": ["Ulm", None, "Bern"],
    "owner": [True, None, False],
}
CODES = {"kind": [4, 4, 7]}  # numbers that stand for categories
DATE = datetime.datetime(2026, 11, 28)


class Column:
    """A column of pyarrow: its methods, and where one is missing what NumPy gets of it."""

    def __init__(self, items, is_dictionary):
        self._items, self.type = items, "dictionary<values=int64>" if is_dictionary else "any"

    def to_pylist(self):
        return list(self._items)

    def __array__(self, dtype=None, copy=None):
        are_numbers = all(type(item) in (int, float, type(None)) for item in self._items)
        if any(isinstance(item, datetime.datetime) for item in self._items):
            return np.array(self._items, "datetime64[us]")
        return np.array(self._items, np.float64 if are_numbers and None in self._items else None)


class ArrowTable:
    """A table of pyarrow."""

    def __init__(self, columns, codes):
        self._columns = [Column(items, False) for items in columns.values()]
        self._columns += [Column(items, True) for items in codes.values()]
        self.column_names = [*columns, *codes]

    def column(self, number):
        return self._columns[number]

    def to_pydict(self):
        raise AssertionError("it would be slow")

    def __array__(self, dtype=None, copy=None):
        arrays = [np.asarray(column) for column in self._columns]
        np.result_type(*arrays)  # as pyarrow does: TypeError if there is none
        return np.column_stack(arrays)


def stand_in(columns, codes=()):
    return ArrowTable(columns, dict(codes))


def of_pyarrow(columns, codes=()):
    import pyarrow

    coded = {name: pyarrow.array(items).dictionary_encode() for name, items in dict(codes).items()}
    return pyarrow.table({**columns, **coded})


def batch_of_pyarrow(columns, codes=()):
    return of_pyarrow(columns, codes).to_batches()[0]


needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
each_form = pytest.mark.parametrize(
    "form",
    [stand_in, pytest.param(of_pyarrow, marks=needs_pyarrow), pytest.param(batch_of_pyarrow, marks=needs_pyarrow)],
)


@each_form
def test_columns_have_their_names_and_kinds(form):
    table, plain = fn.Table.of(form(COLUMNS, CODES)), fn.Table.of(COLUMNS)
    assert [column.name for column in table.columns] == [*COLUMNS, *CODES]
    assert [column.name for column in table.categories] == ["town", "owner", "kind"]
    assert table.config()["columns"][:4] == plain.config()["columns"]
    other = {**CODES, **dict(reversed(COLUMNS.items()))}
    np.testing.assert_array_equal(table.encoded(other), table.encoded(form(COLUMNS, CODES)))


@each_form
def test_a_model_knows_the_columns(form):
    numbers = {"a": [0.5, 1.5, 2.5], "b": [1, 2, 3]}
    model = fn.Sequential([fn.Dense(2)], input_shape=2)
    model.fit(form(numbers), [0, 1, 0], verbose=False)
    assert model.columns == {"x": ["a", "b"]}
    np.testing.assert_array_equal(model.predict(form(numbers)), model.predict(np.column_stack([*numbers.values()])))
    with pytest.raises(fn.DataError, match="in another order"):
        model.predict(form(dict(reversed(numbers.items()))))


@each_form
def test_what_is_no_number_is_said(form):
    model = fn.Sequential([fn.Dense(2)], input_shape=2)
    with pytest.raises(TypeError, match=r"x is a \w+ that is no array of numbers: its columns have no dtype in common"):
        model.predict(form({"when": [DATE], "b": [1]}))
    with pytest.raises(TypeError, match=r"x has dtype object, expected numbers: .* is 'u'|x has dtype <U"):
        model.predict(form({"town": ["u"], "b": [1]}))
    with pytest.raises(TypeError, match=r"the table\['when'\] has dtype datetime64\[us\], expected numbers"):
        fn.Table.of(form({"when": [DATE], "b": [1]}))


@each_form
def test_two_columns_of_one_name(form):
    table = form({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    if isinstance(table, ArrowTable):
        table.column_names = ["a", "a"]
    else:
        table = table.rename_columns(["a", "a"])
    with pytest.raises(fn.DataError, match="the table has two columns 'a'"):
        frames.columns_of(table, "the table")
