"""Rows of other files: predicted beside their table, and judged, as a trained model reads them."""

import csv
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastnn.cli import main
from tests.cli.table.things import SMALL, answers_of, columns
from tests.small_data import write_table
from tests.tiny import jit_only


@jit_only
def test_predictions_beside_the_table(trained, here, capsys):
    """Other columns, in another order, one of them new; a category that training never saw."""
    rows = {"other": ["o"] * 3, "noise": ["0", "1", ""], "colour": ["red", "grey", ""], "x": ["2", "-2", "0"]}
    write_table("new.csv", rows)
    assert main(["predict", str(trained / "kind"), "new.csv", "-o", "out.csv"]) == 0
    out, err = capsys.readouterr()
    assert out == "wrote out.csv: 3 predictions\n"
    assert err.splitlines() == [
        "'new.csv': 1 cell of colour with a category that is new to the model",
        "'new.csv': not used by the model: other",
    ]
    with open("out.csv", newline="", encoding="utf-8") as file:
        header, *found = csv.reader(file)
    assert header == ["other", "noise", "colour", "x", "predicted kind", "probability"]
    assert [row[:4] for row in found] == [list(row) for row in zip(*rows.values(), strict=True)]
    assert [row[4] for row in found][:2] == ["many", "few, or none"]
    assert all(0.5 <= float(row[5]) <= 1 for row in found)
    assert main(["predict", str(trained / "size"), "new.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[f"new.csv:{n}", "size"] for n in (2, 3, 4)]


@jit_only
def test_tables_that_were_predicted_before_are_predicted_again(trained, here):
    write_table("new.csv", {"x": ["1"], "noise": ["1"], "colour": ["red"]})
    for name, out in (("new.csv", "1.csv"), ("1.csv", "2.csv"), ("2.csv", "3.csv")):
        assert main(["predict", str(trained / "kind"), name, "-o", out]) == 0
    header = Path("3.csv").read_text("utf-8").splitlines()[0].split(",")[3:]
    names = ["predicted kind", "probability"]
    assert header == [*names, *(f"{name} 2" for name in names), *(f"{name} 3" for name in names)]


@jit_only
def test_predictions_stand_between_the_separators_of_the_table(trained, here, capsys):
    Path("new.csv").write_text("x;noise;colour\n1;1;red\n", "utf-8")
    Path("new.tsv").write_text("x\tnoise\tcolour\n1\t1\tred\n", "utf-8")
    kind, header = str(trained / "kind"), ["x", "noise", "colour", "predicted kind", "probability"]
    for given, out, separator, said in (
        ("new.csv", "out.csv", ";", ", cells between semicolons"),
        ("new.csv", "out.tsv.gz", "\t", ", cells between tabs"),
        ("new.tsv", "out.csv", "\t", ", cells between tabs"),
        ("new.csv", "out.txt", ";", ", cells between semicolons"),
    ):
        assert main(["predict", kind, given, "-o", out]) == 0
        assert capsys.readouterr().out == f"wrote {out}: 1 prediction{said}\n"
        opened = gzip.open if out.endswith(".gz") else open
        with opened(out, "rt", encoding="utf-8") as file:
            assert file.readline().rstrip("\n").split(separator) == header
    assert main(["predict", kind, "new.csv", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split(";") == header
    assert main(["predict", kind, "out.tsv.gz", "-o", "again.csv"]) == 0


def in_german(cells):
    """Numbers with decimal commas and points between thousands."""
    return [f"{float(cell):,.2f}".translate({44: ".", 46: ","}) if cell else "" for cell in cells]


def write_german(path, rows):
    """A file with semicolons; the columns of numbers are x, noise and size."""
    rows = {name: in_german(cells) if name in ("x", "noise", "size") else cells for name, cells in rows.items()}
    lines = [";".join(cells) for cells in [list(rows), *zip(*rows.values(), strict=True)]]
    Path(path).write_text("\n".join(lines) + "\n", "utf-8-sig")


@jit_only
def test_a_table_with_decimal_commas_is_read_as_the_model_s_table_was(here, capsys):
    flags = ["--target", "size", "--drop", "kind", "--decimal", "comma", "--thousands", "point", "--quiet"]
    write_german("things.csv", columns() | {"kind": ["many"] * 240})
    assert main(["train", "table", "things.csv", *SMALL, *flags, "--compare", "none", "--out", "run"]) == 0
    lines = answers_of(Path("run"))["data"]["lines"]
    assert lines[0] == "240 rows; 3 columns to predict from: 2 of numbers, 1 of categories."
    capsys.readouterr()

    write_german("new.csv", columns(30, seed=1))
    write_table("plain.csv", columns(30, seed=1) | {"size": [""] * 30})
    assert main(["predict", "run", "new.csv", "-o", "out.csv"]) == 0
    assert main(["predict", "run", "plain.csv", "-o", "plain-out.csv", "--decimal", "point"]) == 0
    capsys.readouterr()
    german, plain = (
        list(csv.DictReader(Path(name).read_text("utf-8").splitlines(), delimiter=separator))
        for name, separator in (("out.csv", ";"), ("plain-out.csv", ","))
    )
    assert german[0]["size"].count(",") == 1, "cells are given back as they were"
    got = [float(row["predicted size"].replace(",", ".")) for row in german]
    assert any("," in row["predicted size"] for row in german)
    assert got == pytest.approx([float(row["predicted size"]) for row in plain], abs=2), "x has two decimals there"

    assert main(["evaluate", "run", "--data", "new.csv"]) == 0
    assert main(["predict", "run", "plain.csv"]) == 2
    assert "expected a finite number; add --decimal point" in capsys.readouterr().err
    assert main(["evaluate", "run", "--data", "plain.csv", "--decimal", "point"]) == 2
    assert "every cell of the target 'size' is missing" in capsys.readouterr().err
    assert main(["evaluate", "run", "--data", "new.csv", "--thousands", "comma"]) == 2
    assert "expected a" in capsys.readouterr().err


@jit_only
def test_a_missing_column_is_not_taken_for_another_that_is_needed(trained, here, capsys):
    run = str(trained / "kind")
    write_table("bad.csv", {"x": ["1"], "noise": ["1"]})
    assert main(["predict", run, "bad.csv"]) == 2
    said = "has no column 'colour', which the model needs; all columns that it has are needed under their own names"
    assert capsys.readouterr().err.strip().endswith(said)
    write_table("bad.csv", {"noise": ["1"]})
    assert main(["predict", run, "bad.csv"]) == 2
    assert "has no columns 'x', 'colour', which the model needs; all columns" in capsys.readouterr().err
    write_table("bad.csv", {"x": ["1"], "noise": ["1"], "Color": ["red"]})
    assert main(["predict", run, "bad.csv"]) == 2
    assert capsys.readouterr().err.strip().endswith("; did you mean Color?")


@jit_only
def test_without_a_standard_input(trained, here, capsys, monkeypatch):
    """As services have none: it is needed for `-` alone."""
    monkeypatch.setattr("sys.stdin", None)
    write_table("new.csv", {"x": ["1"], "noise": ["1"], "colour": ["red"]})
    assert main(["predict", str(trained / "kind"), "new.csv"]) == 0
    assert main(["predict", str(trained / "kind"), "-"]) == 2
    assert capsys.readouterr().err == "fastnn: the standard input is closed: name a file instead of -\n"


@jit_only
@pytest.mark.skipif(os.name == "nt", reason="no SIGPIPE there")
def test_a_reader_that_has_gone_is_no_fault(trained, here):
    """`| head -1`: the run is there, and the status is that of SIGPIPE. Progress goes on where nobody reads results."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "fastnn", "train", "table", str(trained / "things.csv"), "--target", "kind"]
    with os.fdopen(write, "wb") as nobody:
        got = subprocess.run([*command, *SMALL, "--out", "run"], stdout=nobody, stderr=subprocess.PIPE, check=False)
    assert got.returncode == 141
    assert b"Traceback" not in got.stderr
    assert b"error of fastnn" not in got.stderr
    assert "report.html" in os.listdir("run")
