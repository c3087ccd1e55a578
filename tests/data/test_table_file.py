"""Tables of text files, and what is made of their columns: kinds, classes, splits."""

import gzip

import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data.formats.table_file import read_table, table_of
from fastnn.data.table_target import TableUse, target_of
from fastnn.data.tables import load_table
from tests.small_data import write_table

SAME = {
    "commas": ("a.csv", b'name,"size, cm"\n"x, ""y""",1.5\nz,\n'),
    "tabs": ("a.tsv", b'name\tsize, cm\n"x, ""y"""\t1.5\nz\t\n'),
    "semicolons": ("a.csv", b'name;"size, cm"\r\n"x, ""y""";1.5\r\n\r\nz;NA\r\n'),
    "spaces and a mark of UTF-8": ("a.csv", b'\xef\xbb\xbfname, "size, cm"\n"x, ""y""", 1.5 \nz, ?\n'),
    "gzip": ("a.csv.gz", gzip.compress(b'name,"size, cm"\n"x, ""y""",1.5\nz,\n')),
}


@pytest.mark.parametrize(("name", "content"), SAME.values(), ids=SAME)
def test_the_same_table_however_it_is_written(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    table = read_table(tmp_path / name)
    assert table.columns == {"name": ['x, "y"', "z"], "size, cm": ["1.5", None]}
    assert len(table) == 2


@pytest.mark.parametrize("cell", ["", "?", "NA", "#NA", "None", "NaT", "NaN", "-nan", "NAN", "1.#IND"])
def test_a_cell_whose_value_is_missing(cell):
    table = table_of(f"a,b\n1,{cell}\n2,x\n".encode(), "t")
    assert table.columns["b"] == [None, "x"]


def test_lines_are_those_of_the_file():
    assert table_of(b'a,b\n\n1,"two\nlines"\n2,3\n', "t").lines == [4, 5]


def test_columns_without_names_are_called_by_their_place():
    assert list(table_of(b",b\n1,2\n", "t").columns) == ["column 1", "b"]
    assert table_of(b"7,8\n9,1\n", "t", header=False).columns == {"1": ["7", "9"], "2": ["8", "1"]}


BAD = {
    "nothing": (b"", FileFormatError, "t is empty"),
    "a workbook": (b"PK\x03\x04\x14\0\6\0\x08\0", FileFormatError, "t is a zip archive, .*: save it as CSV"),
    "Parquet": (b"PAR1\x15\0\x15", FileFormatError, "t is a Parquet file"),
    "names alone": (b"a,b\n", DataError, "t has no rows"),
    "numbers for names": (b"1,2\n3,4\n", DataError, "begins with numbers.*--no-header"),
    "two of one name": (b"a,a\n1,2\n", DataError, "two columns 'a'"),
    "a row cut short": (b"a,b\n1,2\n3\n", DataError, "line 3 has 1 cell between commas, expected 2"),
    "a quote without end": (b'a,b\n"1,2\n', FileFormatError, "line 2: no table"),
    "damaged UTF-8": ("äöü,b\n1,2\n".encode() + b"\xff", FileFormatError, "no UTF-8"),
    "cut gzip": (gzip.compress(b"a,b\n1,2\n" * 50)[:-9], FileFormatError, "t is damaged"),
}


@pytest.mark.parametrize(("content", "kind", "said"), BAD.values(), ids=BAD)
def test_what_is_no_table_is_refused_in_one_line(content, kind, said):
    with pytest.raises(kind, match=said) as caught:
        table_of(content, "t")
    assert "\n" not in str(caught.value)


@pytest.fixture
def file(tmp_path):
    """`file(a=[…], b=[…])` -> the path of a table with these columns."""

    def write(**columns):
        return write_table(tmp_path / "t.csv", columns)

    return write


def numbers(count=60):
    return [str(i * i % 37) for i in range(count)]


def test_columns_have_kinds_and_useless_ones_are_left_out(file):
    texts, gaps = ["x", "y", ""] * 20, ["", "1.5", "2"] * 20
    path = file(
        id=range(1, 61), n=numbers(), text=texts, gaps=gaps, same=["k"] * 60, none=[""] * 60,
        names=[f"person {i}" for i in range(60)], code=["1", "2"] * 30, y=["a", "b", "b"] * 20,
    )  # fmt: skip
    data = load_table(path, TableUse("y", categories=["code"], drop=["n"]))
    assert data.meta["columns"] == ["text", "gaps", "code"]
    assert data.meta["dropped"] == {
        "id": "it counts the rows",
        "n": "--drop",
        "same": "the same in every row",
        "none": "every cell is missing",
        "names": "60 different texts in 60 rows",
    }
    kinds = {name: {type(cell) for cell in data.train.x[:, i]} for i, name in enumerate(data.meta["columns"])}
    assert kinds == {"text": {str, type(None)}, "gaps": {float, type(None)}, "code": {str}}


def test_columns_that_count_or_name_the_rows(file):
    """Also where rows without a target are left out, and where ids do not count."""
    ids = [str(7 * i % 601) for i in range(1, 601)]
    path = file(row=range(600), id=ids, x=numbers(600), y=["a", "b", ""] * 200)
    data = load_table(path, TableUse("y"))
    assert data.meta["dropped"] == {"row": "it counts the rows"}
    assert data.meta["hints"] == {"id": "whole numbers that are all different: if they are ids, name it in --drop"}


TASKS = {
    "texts": (["no", "yes", "no"] * 20, "classification", ["no", "yes"]),
    "two numbers": (["0.5", "0.25", "0.5"] * 20, "classification", ["0.25", "0.5"]),
    "few whole numbers": (["10", "9", "10.0"] * 20, "classification", ["9", "10"]),
    "many whole numbers": ([str(i % 12) for i in range(60)], "regression", None),
    "fractions": (["1", "2", "2.5"] * 20, "regression", None),
}


@pytest.mark.parametrize(("cells", "task", "classes"), TASKS.values(), ids=TASKS)
def test_the_task_is_seen_from_the_column(file, cells, task, classes):
    data = load_table(file(x=numbers(), y=cells), TableUse("y"))
    assert (data.meta["task"], data.meta.get("classes")) == (task, classes)
    assert data.train.y.dtype == (np.uint8 if classes else np.float64)


def test_classes_of_a_model_that_are_numbers_alone_in_other_rows(file):
    """Beside a text the class of 1.0 is the text 1.0; that of numbers alone is 1."""
    data = load_table(file(x=numbers(), y=["1.0", "2", "none"] * 20), TableUse("y"))
    other = read_table(file(x=["1", "2", "3"], y=["2", "1.0", "2"]))
    target, _ = target_of(other, TableUse("y", task="classification"), data.meta["classes"])
    assert [data.meta["classes"][label] for label in target.y] == ["2", "1.0", "2"]


def test_the_task_is_the_user_s_where_given(file):
    path = file(x=numbers(), y=["3", "4", "5"] * 20)
    assert load_table(path, TableUse("y")).meta["task"] == "classification"
    assert set(load_table(path, TableUse("y", task="regression")).train.y) == {3.0, 4.0, 5.0}


def test_rows_are_dealt_whole_and_always_alike(file):
    path = file(x=[str(i) for i in range(0, 200, 2)], t=["u", "v"] * 50, y=[str(i * 0.5) for i in range(100)])
    data, again = (load_table(path, TableUse("y", drop=["t"])) for _ in range(2))
    assert {name: len(split) for name, split in data.splits().items()} == {"train": 70, "val": 15, "test": 15}
    np.testing.assert_array_equal(data.test.x, again.test.x)
    x, y = (np.concatenate([getattr(split, name).ravel() for split in data.splits().values()]) for name in "xy")
    np.testing.assert_array_equal(x.astype(float), 4 * y)
    assert sorted(y) == [i * 0.5 for i in range(100)]
    for name, split in data.splits().items():
        np.testing.assert_array_equal(data.meta["lines"][name], 2 + split.y * 2)


def test_rows_without_a_target_are_left_out(file):
    data = load_table(file(x=numbers(), y=["a", "b", "?"] * 20), TableUse("y"))
    assert data.meta["rows_left_out"] == 20
    assert sum(len(split) for split in data.splits().values()) == 40


REFUSED = {
    "no target": ({}, "", "--target is missing.*one of x, y"),
    "a misspelt one": ({}, "Y", "no column 'Y'.*did you mean y"),
    "one class": ({"y": ["a"] * 60}, "y", "'a' in every row"),
    "one number": ({"y": ["1.5"] * 60}, "y", "1.5' in every row"),
    "names": ({"y": [f"n{i}" for i in range(60)]}, "y", "60 different values in 60 rows"),
    "few rows": ({"x": numbers(9), "y": ["a", "b", "c"] * 3}, "y", "9 rows with 'y', expected 20"),
    "nothing else": ({"x": ["1"] * 60}, "y", "no column to predict 'y' from .x: the same in every row"),
}


@pytest.mark.parametrize(("changes", "target", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_predicted_is_refused(file, changes, target, said):
    columns = {"x": numbers(), "y": ["a", "b", "c"] * 20} | changes
    with pytest.raises(DataError, match=said):
        load_table(file(**columns), TableUse(target))


def test_a_number_that_is_infinite_is_told_with_its_line(file):
    with pytest.raises(DataError, match="line 4: x is infinite, expected a finite number or an empty cell"):
        load_table(file(x=["1", "2", "-inf", *numbers(57)], y=["a", "b", "c"] * 20), TableUse("y"))
    data = load_table(file(x=["1", "2", "-inf", *numbers(57)], y=["a", "b", "c"] * 20), TableUse("y", categories=["x"]))
    assert "-inf" in np.concatenate([split.x for split in data.splits().values()])


@pytest.mark.parametrize(("use", "said"), [
    ({"drop": ["y"]}, "--drop has 'y', which is the target$"),
    ({"categories": ["y"]}, "--categories has 'y', which is the target: --task classification makes classes"),
])  # fmt: skip
def test_the_target_is_no_column_to_predict_from(file, use, said):
    with pytest.raises(DataError, match=said):
        load_table(file(x=numbers(), y=["1", "2", "3"] * 20), TableUse("y", **use))


def test_a_regression_of_texts_names_the_line(file):
    with pytest.raises(DataError, match="line 3: y is 'b', expected a number"):
        load_table(file(x=numbers(), y=["1", "b", "2"] * 20), TableUse("y", task="regression"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_table_in_the_encoding_that_its_bytes_show(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes("größe,b\n1,ä\n".encode(encoding))
    assert read_table(path).columns == {"größe": ["1"], "b": ["ä"]}
