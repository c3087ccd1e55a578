"""Tables, targets and flags that do not fit end in a line that says so, and leave nothing behind."""

import os

import pytest

from fastnn.cli import main
from tests.cli.table.things import columns
from tests.small_data import write_table
from tests.tiny import jit_only

BAD_TABLES = {
    "no column": ({"x": ["1"], "noise": ["1"]}, "has no column 'colour', which the model needs"),
    "no number": ({"x": ["a"], "noise": ["1"], "colour": ["red"]}, "line 2: x is 'a', expected a finite number"),
    "a decimal comma": (
        {"x": ["1,5"], "noise": ["1"], "colour": ["red"]},
        "line 2: x is '1,5', expected a finite number; add --decimal comma",
    ),
    "infinite": ({"x": ["inf"], "noise": ["1"], "colour": ["red"]}, "line 2: x is 'inf', expected a finite number"),
    "no rows": ({"x": [], "noise": [], "colour": []}, "has no rows"),
}


@jit_only
@pytest.mark.parametrize(("rows", "said"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_that_does_not_fit_is_one_line(trained, here, capsys, rows, said):
    write_table("bad.csv", rows)
    assert main(["predict", str(trained / "kind"), "bad.csv", "-o", "out.csv"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert os.listdir(here) == ["bad.csv"]


@jit_only
def test_other_rows_are_of_the_model_s_classes(trained, here, capsys):
    write_table("other.csv", columns(30, seed=1) | {"kind": ["many"] * 29 + ["lots"]})
    assert main(["evaluate", str(trained / "kind"), "--data", "other.csv"]) == 2
    assert "line 31: 'lots' is no class of the model: few, or none, many" in capsys.readouterr().err


@pytest.mark.parametrize(("size", "flags", "said"), [
    (1e40, [], "too far for float32: give it in other units or --dtype float64"),
    (1e300, ["--dtype", "float64"], "too far for float64: give it in other units"),
])  # fmt: skip
def test_targets_beyond_the_numbers_of_a_net_are_told(tmp_path, monkeypatch, capsys, size, flags, said):
    """Before the training, not when its model cannot be saved."""
    monkeypatch.chdir(tmp_path)
    write_table("things.csv", {"x": [f"{i * i % 13}" for i in range(60)], "size": [f"{size * i}" for i in range(60)]})
    assert main(["train", "table", "things.csv", "--target", "size", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "size goes from" in line
    assert line.endswith(said)
    assert os.listdir() == ["things.csv"]


BAD_FLAGS = {
    "no target": ([], "--target is missing"),
    "no such column": (["--target", "kin"], "did you mean kind"),
    "two files": (["--target", "kind", "--data", "things.csv"], "given twice"),
    "layers": (["--target", "kind", "--hidden", "3;4"], "--hidden is '3;4'"),
    "task": (["--target", "kind", "--task", "regression"], "expected a number (regression)"),
    "weights of classes": (
        ["--target", "size", "--class-weight", "balanced"],
        "--class-weight is 'balanced', but size is a number (regression) and has no classes",
    ),
    "one sign for both": (
        ["--target", "kind", "--decimal", "comma", "--thousands", "comma"],
        "--decimal and --thousands are both 'comma'",
    ),
    "other weights": (["--target", "kind", "--class-weight", "2"], "'2' is not one of 'none', 'balanced'"),
}


@pytest.mark.parametrize(("flags", "said"), BAD_FLAGS.values(), ids=BAD_FLAGS)
def test_bad_flags_are_one_line_and_leave_nothing(tmp_path, monkeypatch, capsys, flags, said):
    monkeypatch.chdir(tmp_path)
    write_table("things.csv", columns(40))
    assert main(["train", "table", "things.csv", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert os.listdir() == ["things.csv"]


def test_no_table_is_told_how(capsys):
    assert main(["train", "table"]) == 2
    assert "fastnn data make people" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "hint"), [
    ("people.csv", "fastnn train table people.csv --target COLUMN"),
    ("people.tsv.gz", "fastnn train table people.tsv.gz --target COLUMN"),
    ("book.txt", "fastnn train trigram --data book.txt for a text"),
    ("moon", "unknown system 'moon'; did you mean moons? `fastnn list` shows them"),
    ("zzz", "unknown system 'zzz'; `fastnn list` shows them"),
])  # fmt: skip
def test_a_file_in_the_place_of_a_system_is_told_with_what_trains_on_it(name, hint, capsys):
    assert main(["train", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert hint in line
