"""Every system in small, from the command line: the files it leaves, and what they say."""

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
from fastnn.recipes import ALL, RECIPES
from tests.recipes.run_files import history, summary_of
from tests.small_data import write_trigrams
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


def data_splits(summary):
    return [name.partition("_")[0] for name in summary["metrics"]]


def test_every_recipe_is_listed_and_stands_in_the_folder_of_its_name():
    packages = pkgutil.walk_packages(fastnn.recipes.__path__, "fastnn.recipes.")
    values = [value for package in packages for value in vars(import_module(package.name)).values()]
    assert {value.id for value in values if isinstance(value, Recipe)} == set(ALL)
    folders = {path.parent.name.replace("_", "-") for path in Path(fastnn.recipes.__file__).parent.glob("*/recipe.py")}
    assert folders | {"blobs"} == set(ALL)  # moons has both


def test_every_system_is_covered():
    assert set(SMALL) == set(RECIPES) == set(PICTURES)


def test_list_has_a_line_for_each(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(ALL)
    assert all(len(line) <= 110 for line in lines)


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
