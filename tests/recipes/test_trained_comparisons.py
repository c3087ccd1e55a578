"""Comparisons that are trained, from the command line to summary.json and history.csv."""

from fastnn.experiment.comparison import Comparison
from fastnn.recipes import RECIPES
from fastnn.recipes.cats_vs_cars.recipe import RECIPE
from tests.recipes.run_files import history, summary_of
from tests.tiny import jit_only


def test_sizes_side_by_side(train, capsys):
    assert train("trigram", "--sizes", "2x3,4x5", "--epochs", "2", "--batch-size", "16", "--lr", "0.3") == 0
    summary = summary_of("runs/trigram")
    assert [row["label"] for row in summary["runs"]] == ["2x3", "4x5"]
    losses = {row["label"]: row["metrics"]["val_loss"] for row in summary["runs"]}
    assert summary["chosen"] == min(losses, key=losses.get)
    assert summary["metrics"]["val_loss"] == min(losses.values())
    assert [(row["run"], row["epoch"]) for row in history("runs/trigram")] == [
        (size, epoch) for size in ("2x3", "4x5") for epoch in ("1", "2")
    ]


@jit_only
def test_a_comparison_that_diverges_is_recorded(train, monkeypatch):
    wild = Comparison("wild", "does a rate this high diverge?", {"tame": {}, "wild": {"l2": 1.0, "lr": 1e30}})
    monkeypatch.setitem(RECIPES, "cats-vs-cars", RECIPE)
    monkeypatch.setattr(type(RECIPE), "all_comparisons", lambda self: {"wild": wild})
    assert train("cats-vs-cars", "--hidden", "5,5", "--epochs", "3", "--compare", "wild") == 0
    tame, failed = summary_of("runs/cats-vs-cars")["runs"]
    assert tame["metrics"]
    assert "failed" not in tame
    assert "1e+30" in failed["failed"]
    assert failed["metrics"] == {}


@jit_only
def test_fifty_pictures_are_learned_by_heart(train):
    assert train("cifar10-mlp", "--hidden", "8", "--epochs", "30", "--compare", "overfit") == 0
    rows = summary_of("runs/cifar10-mlp")["runs"]
    assert [row["metrics"]["train_accuracy"] for row in rows] == [1.0, 1.0]
