"""What the page of a user's own table tells, and the command that makes it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from tests.cli.table.things import SMALL, answers_of, columns, figures
from tests.small_data import write_table
from tests.tiny import jit_only


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


def test_a_regression_is_told_by_both_errors():
    from fastnn.experiment.answers import Row
    from fastnn.recipes.table.answers import _told

    rows = [Row("the net", {"RMSE": 8.0372}), Row("linear model", {"RMSE": 8.0769}), Row("always", {"RMSE": 9.5})]
    assert _told(rows, 100, "RMSE") == ["The net's RMSE is 8.0372; the best of the others (linear model) has 8.0769."]


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
    (_, told) = answers_of(trained / "size")["chosen"]["lines"]
    assert told.startswith("The losses are those of size less its mean, ")
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
