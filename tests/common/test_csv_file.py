"""Rows of a CSV file: columns, and what stays when writing fails."""

import csv

import pytest

from fastnn.common.csv_file import write_rows
from fastnn.common.errors import FileFormatError


def test_columns_stand_as_they_first_appear_and_gaps_are_empty(tmp_path):
    path = tmp_path / "rows.csv"
    write_rows(path, [{"b": 1, "a": "x, y"}, {"a": "µ", "c": 0.5}])
    assert path.read_text(encoding="utf-8").splitlines() == ["b,a,c", '1,"x, y",', ",µ,0.5"]
    with open(path, newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file)) == {"b": "1", "a": "x, y", "c": ""}


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileFormatError, match="cannot write"):
        write_rows(tmp_path / "none" / "rows.csv", [{"a": 1}])


def test_a_failure_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "rows.csv"
    write_rows(path, [{"a": 1}])

    class Unwritable:
        def __str__(self):
            raise OSError("disk full")

    with pytest.raises(FileFormatError, match="disk full"):
        write_rows(path, [{"a": 1}, {"a": Unwritable()}])
    assert path.read_text("utf-8") == "a\n1\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.csv"]
