"""Classes of which there are few rows: how they are judged, and weighed in training."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from tests.cli.table.things import SMALL, answers_of, columns, figures
from tests.small_data import write_table
from tests.tiny import jit_only


def test_a_class_that_no_test_row_has_is_told_without_an_accuracy(tmp_path, capfd):
    table = columns(60)
    table["kind"][0] = "a third"  # one row, which is in one of the three parts
    write_table(tmp_path / "things.csv", table)
    where = ["train", "table", str(tmp_path / "things.csv"), "--target", "kind", "--out", str(tmp_path / "run")]
    assert main([*where, *SMALL, "--compare", "none"]) == 0, capfd.readouterr().err
    assert "–" in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "NaN" not in (tmp_path / "run" / "summary.json").read_text("utf-8")


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
    assert list(first["here"]) == ["rise in loss"]


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
