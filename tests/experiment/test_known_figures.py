"""Figures of the kept weights that the history has already are not evaluated again: they are the same ones."""

from dataclasses import replace

import pytest

from fastnn.experiment import train_one
from fastnn.recipes import RECIPES


def trained(recipe, monkeypatch, **changes):
    """The result of two epochs on few samples, and what `metrics_of` evaluated after them, by split."""
    settings = recipe.with_settings({**recipe.quick, "samples": 300, "epochs": 2, **changes})
    data = recipe.prepare(recipe.find(None, quick=True)[0], settings.dtype, settings)
    asked, evaluate = [], train_one.Model.evaluate
    names = {id(split.x): name for name, split in train_one.fewer_samples(data, 300).splits().items()}
    monkeypatch.setattr(
        train_one.Model,
        "evaluate",
        lambda self, x, y, **weights: (asked.append(names.get(id(x), "train")), evaluate(self, x, y, **weights))[1],
    )
    result = train_one.train_one(recipe, "", settings, data)
    monkeypatch.undo()
    split = train_one.fewer_samples(data, 300)
    return result, asked[len(split.splits()) :], train_one.metrics_of(result.model, split)


@pytest.mark.parametrize(
    ("name", "left"), [("cifar10-mlp", []), ("mnist-mlp", ["train"]), ("scalar", ["val"]), ("cats-vs-cars", [])]
)
def test_what_the_history_knows_is_not_evaluated_again(name, left, monkeypatch):
    result, asked, want = trained(RECIPES[name], monkeypatch)
    assert asked == [split for split in left if f"{split}_loss" in want]
    assert list(result.metrics.items()) == list(want.items())


def test_the_figures_are_those_of_the_epoch_that_was_kept(monkeypatch):
    result, asked, want = trained(RECIPES["cifar10-mlp"], monkeypatch, epochs=4, lr=0.3)
    assert result.metrics == want
    assert asked == []
    assert result.metrics["val_accuracy"] == max(result.curve("val_accuracy"))


def test_a_model_that_its_recipe_completes_is_evaluated(monkeypatch):
    recipe = replace(RECIPES["mnist-mlp"], trained=lambda model, data: model.parameters.flat.fill(0.01))
    result, asked, want = trained(recipe, monkeypatch)
    assert asked == ["train", "val", "test"]
    assert result.metrics == want


def test_other_validation_samples_are_evaluated(monkeypatch):
    result, *_ = trained(replace(RECIPES["mnist-mlp"], judged=50), monkeypatch)
    assert "val_loss" in result.metrics
    assert result.metrics["val_loss"] != result.epochs[-1]["val_loss"]
