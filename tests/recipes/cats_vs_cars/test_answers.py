"""What cats-vs-cars answers: squared error beside the classification error, speed and steadiness, grids, saturation."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.data import Dataset, Split, save_cats_vs_cars
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.results import RunResult
from fastnn.plots.smoothed import running_mean
from fastnn.recipes import RECIPES
from fastnn.recipes.cats_vs_cars.activations import activation_answer
from fastnn.recipes.cats_vs_cars.answers import _timed
from fastnn.recipes.cats_vs_cars.saturation import _stuck
from fastnn.recipes.cats_vs_cars.squared_error import Course, _told
from tests.small_data import pictures
from tests.tiny import jit_only

RECIPE = RECIPES["cats-vs-cars"]


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """`trained(flags...)` -> answers by name of a small training."""
    monkeypatch.chdir(tmp_path)
    save_cats_vs_cars("cats.h5", pictures((32, 32), classes=2, in_order=True))

    def run(*flags):
        assert main(["train", "cats-vs-cars", "--data", "cats.h5", "--threads", "1", "--fresh", *flags]) == 0
        summary = json.loads(Path("runs/cats-vs-cars/summary.json").read_text(encoding="utf-8"))
        return {answer["name"]: answer for answer in summary["answers"]}

    return run


def run(*accuracies):
    return RunResult("", None, epochs=[{"test_accuracy": value} for value in accuracies])


def test_speed_and_steadiness():
    runs = {"slow": run(0.5, 0.6, 0.7, 0.8, 0.8, 0.8), "fast": run(0.5, 0.85, 0.8, 0.6, 0.9, 0.6)}
    table, lines = _timed(runs)
    assert [dict(row.here) for row in table.rows] == [
        {"epochs to 77 % test": 4.0, "standard deviation, last 3": "0.00 points"},
        {"epochs to 77 % test": 2.0, "standard deviation, last 3": "17.32 points"},
    ]
    assert lines == [
        "First to 77 % on the test set: fast (epoch 2), slow (epoch 4).",
        "Steadiest test accuracy over the last 3 epochs: slow (0.00 points), fast (17.32 points).",
    ]


def test_a_net_that_gives_one_class_at_first():
    train = Split(np.zeros((4, 1)), np.array([-1.0, -1.0, 1.0, 1.0]))
    results = SimpleNamespace(data=Dataset(train))
    stuck = RunResult("", None, epochs=[{"train_accuracy": value} for value in (0.5, 0.51, 0.5, 0.5, 0.75)])
    assert _stuck(results, "wide", stuck).startswith(
        "wide gives nearly all training pictures the same class in its first 4"
    )
    soon = RunResult("", None, epochs=[{"train_accuracy": value} for value in (0.5, 0.5, 0.8)])
    assert _stuck(results, "soon", soon) == ""


def test_what_is_told_of_loss_and_error():
    course = Course("nats", [3.0, 1.0, 2.0], [0.5, 0.25, 0.2])
    assert _told("it", course) == (
        "Trained on it: over 3 epochs test loss and classification error have a correlation of 0.78. "
        "At the lowest loss (epoch 2) the error is 5.0 points above its minimum (epoch 3)."
    )
    assert np.isnan(Course("nats", [1.0, 1.0], [0.5, 0.4]).correlation)
    assert np.isnan(Course("nats", [1.0], [0.5]).correlation)


def test_activations_and_their_derivatives():
    answer = activation_answer()
    found = {row.label: row.here for row in answer.tables[0].rows}
    assert found["tanh"]["derivative_at_3"] == pytest.approx(1 - np.tanh(3) ** 2)
    assert found["tanh"]["largest_derivative"] == pytest.approx(1, abs=1e-12), "at 0, which the curves leave out"
    assert found["sigmoid"]["largest_derivative"] == pytest.approx(0.25, abs=1e-12)
    assert found["relu"] == {"largest_derivative": 1.0, "derivative_at_3": 1.0}
    assert float(answer.lines[0].rstrip(".").split()[-1]) < 1e-9


def test_the_running_mean():
    np.testing.assert_allclose(running_mean([1, 2, 6, 3], 3), [1.5, 3, 11 / 3, 4.5])
    np.testing.assert_allclose(running_mean([1, 2, 6], 1), [1, 2, 6])
    assert len(running_mean([], 5)) == 0


@jit_only
def test_answers_of_a_training(trained):
    answers = trained("--quick", "--hidden", "5", "--epochs", "4", "--compare", "hidden,deep")
    rows = {row["label"]: row["here"] for row in answers["chosen"]["tables"][0]["rows"]}
    assert rows.keys() == {"training", "test"}
    assert rows["test"].keys() == {"mse", "accuracy"}
    assert len(answers["squared-error"]["lines"]) == 2
    peaks = {row["label"]: row for row in answers["peaks"]["tables"][0]["rows"]}
    assert list(peaks) == [
        "c: 8 units",
        "a: 19 units",
        "c: 152 units",
        "d: 76 + 380 units",
        "e: 76 + 380 units, momentum 0.1",
    ]
    assert peaks["a: 19 units"]["report"] == {"smoothed_peak_accuracy": 0.83, "peak_accuracy": 0.87}
    assert all(row["report"].keys() <= row["here"].keys() for row in peaks.values())
    kinds = [table["title"] for table in answers["hidden"]["tables"]]
    assert kinds == ["accuracy", "MSE", "saturation"]
    assert {path.name for path in Path("runs/cats-vs-cars").glob("*.png")} >= {
        *("curves.png", "hidden.png", "deep.png", "squared-error.png", "activations.png")
    }


@jit_only
def test_the_squared_error_is_not_halved(trained):
    answers = trained("--quick", "--hidden", "5", "--epochs", "2", "--compare", "none")
    summary = json.loads(Path("runs/cats-vs-cars/summary.json").read_text(encoding="utf-8"))
    found = answers["chosen"]["tables"][0]["rows"][1]["here"]["mse"]
    assert found == pytest.approx(2 * summary["metrics"]["test_loss"], rel=1e-6)
    assert answers["peaks"]["tables"][0]["rows"][0]["label"] == "chosen"
    header = Path("runs/cats-vs-cars/history.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"train_mse", "test_mse", "train_accuracy", "test_accuracy"} <= set(header)


@jit_only
def test_a_grid_names_its_best(trained):
    (axis,) = [one for one in RECIPE.comparisons if one.name == "grid-initializer"]
    for name in ("grid-initializer", "grid-hidden"):
        answer = trained("--quick", "--epochs", "4", "--compare", name)[name]
        rows = {row["label"]: row["here"]["test_mse_of_the_last_2"] for row in answer["tables"][0]["rows"]}
        best = min(rows, key=rows.get)
        assert answer["lines"][0].startswith(
            f"Best of this axis, by the lowest mean test error of the last 2 epochs: {best} ("
        )
        assert Path("runs/cats-vs-cars", f"{name}.png").exists()
    assert axis.axes == {"initializer"}


@jit_only
def test_a_saturated_net_is_called_so(trained):
    lines = trained("--quick", "--epochs", "3", "--lr", "30", "--compare", "hidden")["hidden"]["lines"]
    assert any(line.startswith("c: 152 units is saturated: ") for line in lines)
    lines = trained("--quick", "--epochs", "1", "--lr", "1e-6", "--compare", "hidden")["hidden"]["lines"]
    assert not any("saturated" in line for line in lines)


@jit_only
def test_why_a_run_failed_is_told(trained, monkeypatch):
    wild = Comparison("hidden", "Does it diverge?", {"tame": {}, "wild": {"l2": 1.0, "lr": 1e30}})
    monkeypatch.setattr(type(RECIPE), "all_comparisons", lambda self: {"hidden": wild})
    answer = trained("--hidden", "5,5", "--epochs", "3", "--compare", "hidden")["hidden"]
    assert any(line.startswith("wild failed: ") and "1e+30" in line for line in answer["lines"])
