"""CIFAR-10's checks and comparisons: figures that the sheet prints come out, and sentences say what the runs say."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.recipes import RECIPES
from fastnn.recipes.cifar10_mlp import checks, sentences
from fastnn.recipes.shared.gradient_errors import numeric_gradient, relative_error
from fastnn.recipes.shared.published import PUBLISHED
from tests.small_data import write_all
from tests.tiny import jit_only

PUBLISHED_HERE = PUBLISHED["cifar10-mlp"]
ROUNDING = 1e-7  # of a difference of losses, 1e-16 / step, over gradients of 1e-4 and less


def results(loss=2.3):
    return SimpleNamespace(published=PUBLISHED_HERE, chosen=SimpleNamespace(before={"train_loss": loss}))


def rows(answer):
    """Label -> row, of all tables."""
    return {row.label: row for table in answer.tables for row in table.rows}


@jit_only
def test_relative_errors_are_as_small_as_the_sheet_s():
    for table in checks.gradients(results()).tables:
        for row in table.rows:
            for name, want in row.report.items():
                assert row.here[name] <= max(10 * want, ROUNDING), f"{table.title}, {row.label}: {name}"


def test_a_wrong_gradient_is_seen():
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    right = numeric_gradient(lambda: float((x**2).sum()), x)
    assert relative_error(2 * x, right) < 1e-9
    assert relative_error(2.1 * x, right) > 0.02


def test_first_losses_are_the_sheet_s_to_the_last_digit():
    found = rows(checks.initial_loss(results()))
    for label in ("no penalty", "penalty 3.14"):
        assert found[label].here["loss"] == pytest.approx(found[label].report["loss"], rel=1e-14)
        assert found[label].here["ln_10_+_penalty"] == pytest.approx(found[label].here["loss"], rel=2e-3)
    assert found["dropout 0.75"].here["loss"] == pytest.approx(math.log(10), rel=0.01)


def test_dropout_keeps_the_mean():
    found = rows(checks.dropout_statistics(results()))
    for label, keep in (("keep 0.25", 0.25), ("keep 0.4", 0.4), ("keep 0.7", 0.7)):
        here = found[label].here
        assert here["mean"] == pytest.approx(10, rel=0.01)
        assert here["zeros"] == pytest.approx(1 - keep, abs=0.003)
        assert here["mean_without_division"] == pytest.approx(10 * keep, rel=0.01)


class Run(SimpleNamespace):
    def curve(self, name):
        return self.curves[name]


def run(accuracies, **steps):
    return Run(curves={"train_accuracy": accuracies, "val_accuracy": accuracies}, epochs=accuracies, steps=steps)


def test_what_is_said_of_two_runs():
    said = sentences.catching_up({"a": run([0.1, 0.2, 0.3]), "b": run([0.2, 0.4, 0.6])})
    assert "b ends ahead" in said[0]
    assert "after epoch 2 of 3" in said[1]
    assert "nearly the same" in sentences.catching_up({"a": run([0.3]), "b": run([0.301])})[0]


def test_what_is_said_of_effective_rates():
    steps = np.arange(50.0, 450.0, 50.0)
    falling = {"effective rate step": steps, "effective rate": 1 / np.sqrt(steps)}
    said = sentences.adagrad_told({"adagrad, 100x4": run([0.1], **falling)})
    assert "from step 100 to step 400" in said[0]
    assert "falls by a factor of 2.00" in said[0]
    assert "factor of 2.00" in said[1]


def test_a_depth_that_diverges_did_not_learn():
    runs = {f"three-layer, scale {s:g}": run([1.0]) for s in (0.01, 0.1)} | {"five-layer, scale 0.1": run([0.95])}
    said = sentences.depth_told(runs)
    assert "at 2 of 6 scales (0.01, 0.1)" in said[0]
    assert "at 1 of 6 scales (0.1)" in said[1]
    assert said[2] == "The five-layer net is the more sensitive one here."


def test_quick_leaves_out_what_has_no_time_to_happen():
    recipe = RECIPES["cifar10-mlp"]
    usual = {one.name for one in recipe.chosen_comparisons(None, set())}
    quick = {one.name for one in recipe.chosen_comparisons(None, set(), quick=True)}
    assert usual - quick == {"cells"}
    assert [one.name for one in recipe.chosen_comparisons("cells", set(), quick=True)] == ["cells"]


@jit_only
def test_effective_rates_losses_and_first_accuracies_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = str(write_all(tmp_path)["cifar10-mlp"])
    flags = ["--quick", "--hidden", "8", "--epochs", "2", "--compare", "adagrad,overfit", "--threads", "1"]
    assert main(["train", "cifar10-mlp", "--data", data, *flags]) == 0
    answers = {
        found["name"]: found
        for found in json.loads((tmp_path / "runs/cifar10-mlp/summary.json").read_text("utf-8"))["answers"]
    }
    rates = next(table for table in answers["adagrad"]["tables"] if table["title"] == "effective rate")["rows"]
    first, last = (row["here"]["adagrad, 100x4"] for row in (rates[0], rates[-1]))
    assert 0 < last <= first
    by_step = next(table for table in answers["overfit"]["tables"] if table["title"] == "loss of single steps")["rows"]
    assert by_step[0]["label"] == "three-layer, scale 0.1, iteration 1"
    assert by_step[0]["here"]["loss"] > 0
    title = "three-layer, scale 0.1, by epoch"
    by_epoch = next(table for table in answers["overfit"]["tables"] if table["title"] == title)["rows"]
    assert set(by_epoch[0]["here"]) == {"train_accuracy", "val_accuracy"}, "epoch 0 is before the first step"
