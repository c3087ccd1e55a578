"""A user's own table from the command line: trained, told, predicted, judged on other rows."""

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from tests.small_data import write_table
from tests.tiny import jit_only

SMALL = ["--epochs", "12", "--hidden", "8", "--threads", "1"]
COLOURS = ("red", "green", "blue")


def columns(count=240, seed=0):
    """`kind` follows from x and colour, `size` is 1,000 + 100·x and a little; some cells are missing."""
    rng = np.random.default_rng(seed)
    x, colour = rng.normal(size=count), rng.integers(0, 3, count)
    return {
        "x": [f"{value:.3f}" if i % 9 else "" for i, value in enumerate(x)],
        "colour": [COLOURS[i] for i in colour],
        "noise": [f"{value:.3f}" for value in rng.normal(size=count)],
        "size": [f"{1000 + 100 * value + rng.normal():.2f}" for value in x],
        "kind": ["many" if value + (i == 0) > 0.6 else "few, or none" for value, i in zip(x, colour, strict=True)],
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the table and a run of each task; how it was made is not looked at again."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "things.csv", columns())
    where = ["train", "table", str(folder / "things.csv"), *SMALL]
    lr = ["--lr", "0.02", "--quiet"]
    assert main([*where, "--target", "kind", "--drop", "size", "--out", str(folder / "kind"), *lr]) == 0
    assert main([*where, "--target", "size", "--drop", "kind", "--out", str(folder / "size"), *lr]) == 0
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """An empty current folder, beside it the trained runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answers_of(run):
    return {answer["name"]: answer for answer in json.loads((run / "summary.json").read_text("utf-8"))["answers"]}


def figures(answer):
    return {row["label"]: row["here"] for row in answer["tables"][0]["rows"]}


@jit_only
def test_classes_are_told_beside_simpler_rules(trained):
    assert set(os.listdir(trained / "kind")) == {
        *("model.h5", "history.csv", "summary.json", "report.html"),
        *("columns.png", "confusion.png", "curves.png"),
    }
    answers = answers_of(trained / "kind")
    found = figures(answers["linear"])
    assert list(found) == ["the net", "linear model", "always few, or none"]
    assert found["the net"]["accuracy"] > found["always few, or none"]["accuracy"] + 0.1
    assert answers["columns"]["tables"][0]["rows"][0]["label"] == "x"
    assert "Left out: column size (--drop)." in answers["data"]["lines"]
    page = (trained / "kind" / "report.html").read_text("utf-8")
    assert "How well does it predict kind" in page
    assert "<tr><td>batch size</td><td>about 100 steps an epoch</td></tr>" in page


@pytest.mark.parametrize(("mine", "judged", "said"), [
    (0.85, "accuracy", "The net's accuracy is 5.00 points above that of the best of the others (linear model)."),
    (0.75, "accuracy", "The net's accuracy is 5.00 points below that of the best of the others (linear model)."),
    (0.8, "accuracy", "The net's accuracy is as high as that of the best of the others (linear model)."),
    (0.85, "balanced accuracy", "The net's balanced accuracy is 20.00 points below that of the best of the others"),
])  # fmt: skip
def test_the_net_is_judged_by_what_it_was_trained_for(mine, judged, said):
    from fastnn.experiment.answers import Row
    from fastnn.recipes.table.answers import _told

    rows = [
        Row("the net", {"accuracy": mine, "balanced accuracy": 0.5}),
        Row("linear model", {"accuracy": 0.8, "balanced accuracy": 0.4}),
        Row("always", {"accuracy": 0.6, "balanced accuracy": 0.7}),
    ]
    (line,) = _told(rows, 100, judged)
    assert line.startswith(said)
    assert ("a balanced one by more" in line) == (judged != "accuracy")


@jit_only
def test_columns_that_may_mean_something_else_are_told(here, capsys):
    given = columns(60) | {"member": ["true", "FALSE", "1"] * 20}
    write_table(here / "things.csv", given)
    assert main(["train", "table", "things.csv", *SMALL, "--target", "kind", "--epochs", "1"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "To look at: column member (yes and no are spelled in 3 ways (1, FALSE, true), each its own category" in told


@jit_only
def test_numbers_are_told_in_the_units_of_their_column(trained):
    assert "residuals.png" in os.listdir(trained / "size")
    found = figures(answers_of(trained / "size")["linear"])
    assert found["the net"]["R²"] > 0.5
    assert found["always the mean"]["RMSE"] == pytest.approx(100, abs=25)
    assert found["always the mean"]["R²"] == pytest.approx(0, abs=0.2)
    model = fn.load(trained / "size" / "model.h5")
    given = {name: values for name, values in columns().items() if name not in ("size", "kind")}
    given["x"] = [float(value) if value else None for value in given["x"]]
    given["noise"] = list(map(float, given["noise"]))
    predicted = model.predict(given)[:, 0]
    assert predicted.mean() == pytest.approx(1000, abs=30)
    assert np.corrcoef(predicted, np.array(columns()["size"], float))[0, 1] > 0.8


@jit_only
def test_the_page_s_figures_are_those_of_the_model_that_is_kept(trained, capsys):
    """The test rows, written to a file of their own, judged by `fastnn evaluate`."""
    from fastnn.data.tables import TableUse, load_table

    lines = load_table(trained / "things.csv", TableUse("kind")).meta["lines"]["test"]
    rows = {name: [cells[line - 2] for line in lines] for name, cells in columns().items()}
    path = write_table(trained / "tested.csv", rows)
    for run, name, column in (("kind", "accuracy", "accuracy"), ("size", "mae", "MAE")):
        assert main(["evaluate", str(trained / run), "--data", str(path), "--format", "json"]) == 0
        got = json.loads(capsys.readouterr().out)["test"]
        assert got["samples"] == len(lines)
        assert got[name] == pytest.approx(figures(answers_of(trained / run)["linear"])["the net"][column], rel=1e-4)


@pytest.mark.parametrize(("metrics", "said"), [
    ({"train_loss": 0.1, "train_accuracy": 0.5, "test_accuracy": float("nan")}, "accuracy training 50.00 %, test –"),
    ({"train_r2": 0.91234, "val_r2": 0.5, "val_loss": 2.0}, "R² training 0.9123, validation 0.5000"),
    ({"train_loss": 3.0, "test_loss": 12345.6}, "loss training 3, test 12,346"),
])  # fmt: skip
def test_a_run_beside_others_is_told_by_a_figure_that_it_has(metrics, said):
    from fastnn.cli.training import _outcome

    assert _outcome(metrics) == said


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


@jit_only
def test_json_is_one_object_and_the_folder_has_the_file_s_name(here, trained, capsys):
    flags = ["--target", "kind", *SMALL, "--epochs", "1", "--compare", "none", "--json", "--quiet"]
    assert main(["train", "table", str(trained / "things.csv"), *flags]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == json.loads(Path("runs/things/summary.json").read_text("utf-8"))
    assert main(["train", "table", str(trained / "things.csv"), *flags, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out), "it was there, and is not trained again"


@jit_only
def test_a_sweep_over_settings_of_the_net(here, trained, capsys):
    where = ["sweep", "table", "--data", str(trained / "things.csv"), "--target", "size", "--epochs", "2"]
    assert main([*where, "--grid", "target=x,size"]) == 2
    assert "--grid has target, by which the data are read" in capsys.readouterr().err
    assert main([*where, "--grid", "hidden=none;4", "--threads", "1"]) == 0
    assert len(Path("sweeps/table/sweep.csv").read_text("utf-8").splitlines()) == 3
    assert "val r2" in capsys.readouterr().out


def test_a_class_that_no_test_row_has_is_told_without_an_accuracy(tmp_path, capfd):
    table = columns(60)
    table["kind"][0] = "a third"  # one row, which is in one of the three parts
    write_table(tmp_path / "things.csv", table)
    where = ["train", "table", str(tmp_path / "things.csv"), "--target", "kind", "--out", str(tmp_path / "run")]
    assert main([*where, *SMALL, "--compare", "none"]) == 0, capfd.readouterr().err
    assert "–" in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "NaN" not in (tmp_path / "run" / "summary.json").read_text("utf-8")


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


@jit_only
def test_a_rare_class_is_judged_by_more_than_the_accuracy(here):
    """Of 600 rows 30 are of the rare class, which follows from x: few rows, but the loss shows that x matters."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    kind = np.where(x >= np.sort(x)[-30], "rare", "usual")
    noise = [f"{value:.3f}" for value in rng.normal(size=600)]
    write_table(here / "things.csv", {"noise": noise, "x": [f"{value:.3f}" for value in x], "kind": list(kind)})
    assert main(["train", "table", "things.csv", *SMALL, "--target", "kind", "--lr", "0.01", "--out", "run"]) == 0
    answers = answers_of(here / "run")
    found = figures(answers["linear"])
    assert found["always usual"]["accuracy"] > 0.9
    assert found["always usual"]["balanced accuracy"] == 0.5
    assert found["the net"]["balanced accuracy"] > 0.6
    assert "The classes are unequal: 'always usual' is right in 9" in " ".join(answers["linear"]["lines"])
    assert answers["columns"]["lines"][0] == "Most important: x."
    first = answers["columns"]["tables"][0]["rows"][0]
    assert first["label"] == "x"
    assert list(first["here"]) == ["loss gained"]


@jit_only
def test_balanced_weights_find_more_of_a_rare_class(here):
    """Of 800 rows about 6 % are rare, but no single x is rare more often than usual: unweighed, the net finds few."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=800)
    kind = np.where(rng.random(800) < 0.4 * (x > 1), "rare", "usual")
    write_table(here / "things.csv", {"x": [f"{value:.3f}" for value in x], "kind": list(kind)})
    recall = {}
    for weight, said in (("none", "lets them count alike in training, too"), ("balanced", "all classes counted alike")):
        flags = ["--target", "kind", "--lr", "0.01", "--out", weight, "--class-weight", weight]
        assert main(["train", "table", "things.csv", *SMALL, *flags]) == 0
        assert json.loads(Path(weight, "summary.json").read_text("utf-8"))["config"]["class_weight"] == weight
        answers = answers_of(here / weight)
        assert said in " ".join(answers["linear"]["lines"])
        found = fn.load(Path(weight, "model.h5")).predict({"x": x}).argmax(axis=1)
        recall[weight] = (found[kind == "rare"] == 0).mean()
    assert recall["none"] < 0.3
    assert recall["balanced"] > 0.8


@jit_only
def test_the_best_epoch_is_found_with_the_weights_that_are_trained_with(tmp_path, monkeypatch):
    """Validation samples are weighed by the classes of the training samples: a class that has none of these by 1."""
    from fastnn.experiment import train_one
    from fastnn.recipes.table.recipe import RECIPE

    given = {}
    y = np.array([0, 0, 0, 1])
    data = fn.Dataset(fn.Split(np.zeros((4, 1)), y), fn.Split(np.zeros((3, 1)), np.array([0, 1, 2])), None, {})
    model = type("Spy", (), {"fit": lambda self, **arguments: given.update(arguments)})()
    balanced = RECIPE.with_settings({"class_weight": "balanced"})
    train_one.fit(RECIPE, model, None, balanced, data, RECIPE.fit_arguments(balanced, data.train), [])
    np.testing.assert_allclose(given["validation_data"][2], [4 / 6, 2, 1])
    given.clear()
    train_one.fit(RECIPE, model, None, RECIPE.settings, data, RECIPE.fit_arguments(RECIPE.settings, data.train), [])
    assert len(given["validation_data"]) == 2
    assert "class_weight" not in given


@jit_only
def test_importances_count_classes_as_the_training_does(here):
    """A column that tells the rare class from others matters more where all classes count alike."""
    from fastnn.recipes.table.answers import _loss

    predicted = np.array([[0.9, 0.1], [0.8, 0.2], [0.5, 0.5]])
    y = np.array([0, 0, 1], np.uint8)
    assert _loss(predicted, y) == pytest.approx(-np.log([0.9, 0.8, 0.5]).mean())
    assert _loss(predicted, y, np.array([0.75, 1.5])) == pytest.approx((-np.log([0.9, 0.8]).mean() - np.log(0.5)) / 2)
    x = np.random.default_rng(0).normal(size=400)
    kind = np.where(x >= np.sort(x)[-20], "rare", "usual")
    kind[0] = "solo"
    write_table("things.csv", {"x": [f"{value:.3f}" for value in x], "kind": list(kind)})
    flags = ["--target", "kind", "--epochs", "2", "--hidden", "8", "--threads", "1", "--class-weight", "balanced"]
    assert main(["train", "table", "things.csv", *flags, "--compare", "none", "--out", "run"]) == 0
    answers = answers_of(Path("run"))
    assert answers["columns"]["lines"][-1] == "All classes count alike in the loss."
    assert any("history.csv, all classes count alike" in line for line in answers["chosen"]["lines"])
    assert any(line.startswith("Classes of fewer than 10 rows: solo (1).") for line in answers["data"]["lines"])


@jit_only
def test_figures_before_the_first_epoch_are_weighed_as_those_after(tmp_path):
    """At a rate of 0 nothing is learned: the figures of each epoch are those of before."""
    from fastnn.experiment.train_one import train_one
    from fastnn.recipes.table.recipe import RECIPE, load, prepare

    write_table(tmp_path / "things.csv", columns())
    given = {"target": "kind", "class_weight": "balanced", "lr": 0.0, "epochs": 1, "hidden": "none", "l2": 0.0}
    settings = RECIPE.with_settings(given | {"dropout": 0.0, "batch_size": 240})
    data = prepare(load(tmp_path / "things.csv", settings)[0], settings)
    run = train_one(RECIPE, "chosen", settings, data)
    (epoch,) = run.epochs
    for before, after in (("val_loss", "val_loss"), ("val_accuracy", "val_accuracy"), ("train_loss", "loss")):
        assert run.before[before] == pytest.approx(epoch[after], rel=1e-5)
    assert run.before["val_loss"] != pytest.approx(run.metrics["val_loss"], rel=1e-3)


def test_a_large_file_is_announced_before_it_is_read(here, capsys, monkeypatch):
    """Reading takes seconds, in which nothing else is told. An error is the only line for a small file."""
    write_table(here / "things.csv", columns(40))
    command = ["train", "table", "things.csv", "--target", "nothing"]
    assert main(command) == 2
    (error,) = capsys.readouterr().err.splitlines()
    monkeypatch.setattr("fastnn.cli.training.LARGE", 1000)
    assert main(command) == 2
    assert capsys.readouterr().err.splitlines() == ["reading things.csv, 0.0 MB ...", error]
    assert main([*command, "--quiet"]) == 2
    assert capsys.readouterr().err.splitlines() == [error]


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
