"""Which runs a command has, before anything is trained: comparisons, their settings and epochs, what is left out."""

import numpy as np
import pytest

from fastnn.experiment.run_list import list_runs
from fastnn.recipes import RECIPES


def settings(system, *changes, **flags):
    return RECIPES[system].with_settings(dict(*changes, **flags))


def test_another_optimizer_brings_its_learning_rate():
    assert settings("trigram", optimizer="adam").lr == 0.001
    assert settings("trigram", optimizer="adam", lr=0.5).lr == 0.5
    assert settings("trigram").lr == 0.15


def test_what_the_user_sets_is_not_varied():
    recipe = RECIPES["trigram"]
    assert [one.name for one in recipe.chosen_comparisons(None, set())] == ["sizes"]
    assert recipe.chosen_comparisons(None, {"sizes"}) == []
    assert [one.name for one in recipe.chosen_comparisons("sizes, seeds", {"sizes"})] == ["sizes", "seeds"]
    assert recipe.chosen_comparisons("none", set()) == []
    assert len(recipe.chosen_comparisons("all", set())) == len(recipe.comparisons) + 1


def test_the_search_has_the_report_s_triples():
    recipe = RECIPES["trigram"]
    planned = list_runs(recipe, recipe.settings, recipe.chosen_comparisons("search", set()))
    found = [
        (run.settings.lr, run.settings.batch_size, run.settings.momentum, run.settings.epochs) for run in planned.runs
    ]
    assert found[0] == (0.15, 200, 0.85, 50)
    assert found[1:] == [
        *((0.01, 50, 0.1, 30), (0.05, 100, 0.3, 30), (0.1, 150, 0.5, 30), (0.15, 200, 0.7, 30)),
        *((0.3, 250, 0.85, 30), (0.5, 150, 0.9, 30), (0.1, 250, 0.6, 30), (0.17, 100, 0.4, 30)),
    ]


def test_no_training_is_done_twice():
    recipe = RECIPES["cats-vs-cars"]
    planned = list_runs(recipe, recipe.settings, recipe.chosen_comparisons(None, set()))
    # The chosen run is "a: 19 units" of both comparisons, too.
    assert [run.label for run in planned.runs] == [
        "chosen",
        "c: 8 units",
        "c: 152 units",
        "d: 76 + 380 units",
        "e: 76 + 380 units, momentum 0.1",
    ]
    assert planned.groups[0][1]["a: 19 units"] == planned.groups[1][1]["a: 19 units"] == 0


def epochs_of(system, comparison, quick=False, limit=None, **changes):
    """Label -> epochs of the runs of a comparison."""
    recipe = RECIPES[system]
    planned = list_runs(
        recipe,
        recipe.with_settings(changes, quick),
        recipe.chosen_comparisons(comparison, set()),
        quick=quick,
        limit=limit,
    )
    return {label: planned.runs[i].settings.epochs for _, members in planned.groups for label, i in members.items()}


def test_epochs_of_comparisons():
    assert epochs_of("notmnist-mlp", "stopping") == {"80 epochs": 80, "160 epochs": 160, "200 epochs": 200}
    assert epochs_of("notmnist-mlp", "stopping", quick=True) == {}, "30 epochs would bear the label of 80"
    assert set(epochs_of("mnist-sgd", "rates").values()) == {5}
    assert set(epochs_of("mnist-sgd", "rates", limit=2, epochs=2).values()) == {2}
    assert set(epochs_of("cifar10-mlp", "overfit", quick=True).values()) == {20}, "50 pictures cost nothing"
    assert set(epochs_of("cifar10-mlp", "overfit", limit=2, epochs=2).values()) == {2}


@pytest.mark.parametrize("system", RECIPES)
def test_every_comparison_builds(system, files):
    recipe = RECIPES[system]
    data, _ = recipe.find(files[system])
    prepared = recipe.prepare(data, "float32")
    best = [recipe.best.changes] if recipe.best else []
    for chosen in ({}, *best):
        planned = list_runs(recipe, recipe.with_settings(chosen), recipe.chosen_comparisons("all", set()))
        assert len({run.label for run in planned.runs}) == len(planned.runs)
        for run in planned.runs:
            recipe.build(run.settings, prepared)


def test_the_short_way_to_good_digits(files):
    """--best: smaller pictures, a rate that ends at 0, and the model takes pictures as they are in their file."""
    recipe = RECIPES["mnist-mlp"]
    settings = recipe.with_settings({}, best=True)
    data, _ = recipe.find(files["mnist-mlp"], settings=settings)
    prepared = recipe.prepare(data, "float32", settings)
    assert prepared.train.x.shape[1:] == (14 * 14,)
    model, optimizer = recipe.build(settings, prepared)
    assert optimizer.lr.steps == settings.epochs * -(-len(data.train) // settings.batch_size)
    model.preprocessing = prepared.meta["preprocessing"]
    np.testing.assert_array_equal(model.predict(data.test.x), np.asarray(model.predict(data.test.x.reshape(-1, 784))))
    given = {*recipe.best.changes}
    assert not recipe.chosen_comparisons(None, given)  # what varies a setting of --best is made on request only
