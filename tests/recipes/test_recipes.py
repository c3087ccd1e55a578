"""Every system in small, from the command line: the files it leaves, its comparisons, its output."""

import csv
import json
import os
import pkgutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
import fastnn.recipes
from fastnn.cli import main
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.run_list import list_runs
from fastnn.recipes import ALL, RECIPES
from tests.small_data import write_all, write_trigrams
from tests.tiny import jit_only

# What keeps each system within a second, beside --quick: flags, and the accuracy of training that it must reach.
SMALL = {
    "trigram": (["--sizes", "4x8", "--epochs", "2", "--samples", "0"], 0.0),
    "cats-vs-cars": (["--hidden", "5", "--epochs", "6", "--compare", "hidden"], 0.9),
    "cifar10-mlp": (["--hidden", "8", "--epochs", "2", "--compare", "dropout"], 0.2),
    "moons": (["--epochs", "2", "--passes", "100", "--compare", "activations"], 0.8),
    "blobs": (["--epochs", "2", "--passes", "100"], 0.8),
    "mnist-cnn": (["--filters", "2,3", "--hidden", "8", "--epochs", "1", "--monitor", "1", "--compare", "none"], 0.0),
    "scalar": (["--epochs", "9", "--lr", ".1"], 0.6),
    "mnist-sgd": (["--hidden", "8", "--epochs", "2", "--lr", "0.05", "--compare", "three-seeds"], 0.2),
    "notmnist-mlp": (["--hidden", "8", "--epochs", "20", "--lr", "1e-3", "--compare", "hidden"], 0.5),
    "notmnist-cnn": (["--filters", "2", "--hidden", "8", "--epochs", "1", "--compare", "l2"], 0.0),
    "mnist-mlp": (["--hidden", "8", "--epochs", "3"], 0.0),
}

# Pictures beside curves.png.
PICTURES = {
    "trigram": {"embedding.png", "first-epochs.png"},
    "cats-vs-cars": {"hidden.png", "squared-error.png", "activations.png"},
    "cifar10-mlp": {"dropout.png"},
    "moons": {"activations.png", "data.png"},
    "blobs": {"depths.png", "data.png"},
    "mnist-cnn": {"filters.png", "activation_histograms.png", "parameter_statistics.png"},
    "scalar": {"loss-by-sample.png", "loss-by-epoch.png", "boundary.png"},
    "mnist-sgd": {"three-seeds-loss.png", "three-seeds-accuracy.png"},
    "notmnist-mlp": {"hidden.png", "confusion.png"},
    "notmnist-cnn": {"l2.png", "filters.png"},
    "mnist-mlp": {"activations.png", "activations-loss.png", "activations-gradients.png", "weights.png", "toy.png"},
}


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("data"))


@pytest.fixture
def train(files, tmp_path, monkeypatch):
    """`train(id, flags...)` -> exit status, in an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def run(system, *flags):
        return main(["train", system, "--data", str(files[system]), "--threads", "1", *flags])

    return run


def summary_of(folder):
    return json.loads(Path(folder, "summary.json").read_text(encoding="utf-8"))


def data_splits(summary):
    return [name.partition("_")[0] for name in summary["metrics"]]


def history(folder):
    with open(os.path.join(folder, "history.csv"), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_recipe_is_listed_and_stands_in_the_folder_of_its_name():
    packages = pkgutil.walk_packages(fastnn.recipes.__path__, "fastnn.recipes.")
    values = [value for package in packages for value in vars(import_module(package.name)).values()]
    assert {value.id for value in values if isinstance(value, Recipe)} == set(ALL)
    folders = {path.parent.name.replace("_", "-") for path in Path(fastnn.recipes.__file__).parent.glob("*/recipe.py")}
    assert folders | {"blobs"} == set(ALL)  # moons has both


def test_every_system_is_covered():
    assert set(SMALL) == set(RECIPES) == set(PICTURES)


@jit_only
@pytest.mark.parametrize("system", SMALL)
def test_a_system_leaves_its_artefacts(train, files, system, capsys):
    flags, least = SMALL[system]
    assert train(system, "--quick", *flags) == 0, capsys.readouterr().err
    folder = f"runs/{system}"
    assert {"model.h5", "summary.json", "history.csv", "report.html", "curves.png"} | PICTURES[system] <= set(
        os.listdir(folder)
    )
    summary = summary_of(folder)
    assert (summary["id"], summary["status"], summary["data"]) == (system, "finished", str(files[system]))
    assert least <= summary["metrics"]["train_accuracy"] <= 1
    assert all(np.isfinite(value) for value in summary["metrics"].values())
    rows = history(folder)
    if summary["runs"]:
        assert {row["run"] for row in summary["runs"]} <= {row["run"] for row in rows}
        for row in summary["runs"]:
            splits = {name.partition("_")[0] for name in row["metrics"]}
            assert splits == ({"train", "val"} if RECIPES[system].tests_last else set(data_splits(summary)))
            assert row["config"]["dtype"] == summary["dtype"]
    model = fn.load(f"{folder}/model.h5")
    assert model.meta["recipe"] == system
    assert not any(name.startswith(("parts", "checkpoint")) for name in os.listdir(folder))
    capsys.readouterr()
    assert main(["evaluate", folder, "--data", str(files[system]), "--format", "json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    same = [split for split, found in figures.items() if found.pop("samples") == summary["samples"].get(split)]
    assert same, "no split is as it was in training"
    for split in same:
        figures[split].pop("perplexity", None)  # of words, which a training does not take down
        assert figures[split] == {name: summary["metrics"][f"{split}_{name}"] for name in figures[split]}


@jit_only
def test_generated_data_is_called_generated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "blobs", "--epochs", "1", "--passes", "10", "--compare", "none", "--threads", "1"]) == 0
    out, err = capsys.readouterr()
    assert "generated data" in err
    assert "These data are generated" in out
    assert json.loads((tmp_path / "runs/blobs/summary.json").read_text("utf-8"))["data"] == "generated"
    assert "Generated data." in (tmp_path / "runs/blobs/report.html").read_text("utf-8")


@jit_only
def test_words_are_no_formulas(tmp_path, monkeypatch):
    """A vocabulary that matplotlib would read as mathematics; the name of the file, too, is written in a title."""
    monkeypatch.chdir(tmp_path)
    words = ["$$", "$x_1$", "$", "^", "\\", "%", "_", "[b]", "[/b]", "{}", "中", "&"]
    write_trigrams(tmp_path / "$$.h5", words)
    assert main(["train", "trigram", "--data", "$$.h5", "--threads", "1", "--quick", *SMALL["trigram"][0]]) == 0
    folder = os.path.dirname(next(Path("runs").rglob("summary.json")))
    assert PICTURES["trigram"] <= set(os.listdir(folder))


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
    from fastnn.experiment.comparison import Comparison
    from fastnn.recipes.cats_vs_cars.recipe import RECIPE

    wild = Comparison("wild", "does a rate this high diverge?", {"tame": {}, "wild": {"l2": 1.0, "lr": 1e30}})
    monkeypatch.setitem(RECIPES, "cats-vs-cars", RECIPE)
    monkeypatch.setattr(type(RECIPE), "all_comparisons", lambda self: {"wild": wild})
    assert train("cats-vs-cars", "--hidden", "5,5", "--epochs", "3", "--compare", "wild") == 0
    tame, failed = summary_of("runs/cats-vs-cars")["runs"]
    assert tame["metrics"]
    assert "failed" not in tame
    assert "1e+30" in failed["failed"]
    assert failed["metrics"] == {}


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
    # The chosen run is "hidden 19" and "(a) 19", too.
    assert [run.label for run in planned.runs] == [
        "chosen",
        "hidden 8",
        "hidden 152",
        "(d) 76, 380",
        "(e) 76, 380, momentum .1",
    ]
    assert planned.groups[0][1]["hidden 19"] == planned.groups[1][1]["(a) 19"] == 0


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


@jit_only
def test_fifty_pictures_are_learned_by_heart(train):
    assert train("cifar10-mlp", "--hidden", "8", "--epochs", "30", "--compare", "overfit") == 0
    rows = summary_of("runs/cifar10-mlp")["runs"]
    assert [row["metrics"]["train_accuracy"] for row in rows] == [1.0, 1.0]


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


BAD = {
    "compare": (["cats-vs-cars", "--compare", "hiden"], "did you mean hidden"),
    "hidden": (["cats-vs-cars", "--hidden", "19;5"], "--hidden is '19;5'"),
    "hidden 0": (["cifar10-mlp", "--hidden", "0x3"], "--hidden is '0x3'"),
    "filters": (["mnist-cnn", "--filters", "32"], "--filters is '32'"),
    "best": (["moons", "--best"], "moons has no --best settings"),
    "second size": (["trigram", "--sizes", "2x3,4"], "--sizes is '4'"),
    "dropout": (["notmnist-cnn", "--dropout", "1"], "--dropout is 1.0, expected below 1"),
    "norm": (["cifar10-mlp", "--norm", "bath"], "batch"),
}


@pytest.mark.parametrize(("flags", "said"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(train, tmp_path, capsys, flags, said):
    assert train(*flags) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(f"{flags[0]}:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert os.listdir(tmp_path) == []


def test_data_of_another_system(train, files, tmp_path, capsys):
    assert main(["train", "mnist-mlp", "--data", str(files["trigram"])]) == 2
    assert "trigram.h5" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_list_has_a_line_for_each(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(ALL)
    assert all(len(line) <= 110 for line in lines)


def test_cifar_pixels_are_centred_and_not_divided(files):
    recipe = RECIPES["cifar10-mlp"]
    data, _ = recipe.find(files["cifar10-mlp"])
    train = recipe.prepare(data, "float64").train.x
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-10)
    assert np.abs(train).max() > 100


def test_labels_of_cats_and_cars(files):
    recipe = RECIPES["cats-vs-cars"]
    data, _ = recipe.find(files["cats-vs-cars"])
    prepared = recipe.prepare(data, "float32")
    assert set(prepared.train.y) == {-1.0, 1.0}
    assert prepared.train.x.dtype == np.float32
    assert 0 <= prepared.train.x.min() <= prepared.train.x.max() <= 1


def test_fewer_samples_come_from_all_classes(files):
    from fastnn.experiment.train_one import fewer_samples

    data, _ = RECIPES["cats-vs-cars"].find(files["cats-vs-cars"])
    few = fewer_samples(data, 20)
    assert len(few.train) == 20
    assert set(few.train.y) == {0, 1}, "the file is sorted by class"
    np.testing.assert_array_equal(few.train.x, fewer_samples(data, 20).train.x)
    assert fewer_samples(data, 0) is data


def test_moons_steps_are_full_batches():
    recipe = RECIPES["moons"]
    data, _ = recipe.find(None)
    arguments = recipe.fit_arguments(recipe.with_settings({"passes": 3}), data.train)
    assert arguments["x"].shape == (200, 2)
    assert (arguments["batch_size"], arguments["steps_per_epoch"]) == (None, 3)


@jit_only
def test_interrupted_comparison_goes_on_where_it_was(train, monkeypatch, capsys):
    """Trainings that had ended are read, not repeated, and the figures are those of an uninterrupted command."""
    from fastnn.experiment import runner

    flags = ("cats-vs-cars", "--hidden", "5", "--epochs", "3", "--compare", "hidden")
    real, done = runner.train_one, []

    def breaking(recipe, label, *arguments, **keywords):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(label)
        return real(recipe, label, *arguments, **keywords)

    monkeypatch.setattr(runner, "train_one", breaking)
    assert train(*flags) == 130
    assert train(*flags) == 2
    assert "--resume" in capsys.readouterr().err
    monkeypatch.setattr(runner, "train_one", lambda r, label, *a, **k: (done.append(label), real(r, label, *a, **k))[1])
    assert train(*flags, "--resume") == 0
    assert len(done) == len(set(done)) == 4
    assert not (Path("runs") / "cats-vs-cars" / "parts").exists()
    assert train(*flags, "--out", "whole") == 0
    resumed, whole = (summary_of(folder) for folder in ("runs/cats-vs-cars", "whole"))
    assert [row["metrics"] for row in resumed["runs"]] == [row["metrics"] for row in whole["runs"]]
    columns = ("run", "epoch", "loss", "test_loss")
    got, want = ([tuple(row[name] for name in columns) for row in history(f)] for f in ("runs/cats-vs-cars", "whole"))
    assert got == want


@jit_only
def test_an_ended_part_of_other_epochs_is_not_taken(train, monkeypatch):
    from fastnn.experiment import runner

    flags = ("cats-vs-cars", "--hidden", "5", "--compare", "hidden")
    real = runner.train_one

    def breaking(recipe, label, *arguments, **keywords):
        if label != "chosen":
            raise KeyboardInterrupt
        return real(recipe, label, *arguments, **keywords)

    monkeypatch.setattr(runner, "train_one", breaking)
    assert train(*flags, "--epochs", "2") == 130
    monkeypatch.setattr(runner, "train_one", real)
    assert train(*flags, "--epochs", "4", "--resume") == 0
    assert {row["epochs_run"] for row in summary_of("runs/cats-vs-cars")["runs"]} == {4}
