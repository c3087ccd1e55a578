"""An experiment from data to its folder: each model is built once, and errors come before any file."""

from dataclasses import replace

import pytest

from fastnn.experiment.comparison import Comparison
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.run_files import read_summary
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.runner import Observer, run
from fastnn.recipes import RECIPES
from tests.small_data import pictures
from tests.tiny import jit_only

WIDTHS = Comparison("widths", "how many hidden units?", {f"hidden {n}": {"hidden": str(n)} for n in (2, 3)})


class Notes(Observer):
    """Keeps a note of each call."""

    def __init__(self):
        self.said = []

    def run_begins(self, number, count, run):
        self.said.append(("begins", number, count, run.label))
        return []

    def run_ended(self, number, count, result):
        self.said.append(("ended", number, count, result.label))


def experiment(build=None, **changes):
    """Two small nets of cats-vs-cars, the first of which is the chosen one."""
    recipe = RECIPES["cats-vs-cars"]
    recipe = replace(recipe, build=build or recipe.build)
    settings = recipe.with_settings({"hidden": "2", "epochs": 1} | changes)
    data = pictures((32, 32), classes=2, train=20, test=6)
    return Experiment(recipe, settings, data, "a test's pictures", (WIDTHS,))


@jit_only
def test_each_model_is_built_once_and_each_training_announced(tmp_path):
    built, notes = [], Notes()

    def build(settings, data):
        built.append(settings.hidden)
        return RECIPES["cats-vs-cars"].build(settings, data)

    report = run(experiment(build), RunFolder(tmp_path / "run"), notes)
    assert built == ["2", "3"]
    labels = ("chosen", "hidden 3")
    assert notes.said == [(what, i + 1, 2, labels[i]) for i in (0, 1) for what in ("begins", "ended")]
    assert report.folder == tmp_path / "run"
    assert report.summary == read_summary(report.folder)
    assert list(report.summary.ending.comparisons()) == ["widths"]
    assert [row.label for row in report.summary.ending.runs] == ["hidden 2", "hidden 3"]


@jit_only
def test_samples_are_those_that_are_trained_on(tmp_path):
    assert run(experiment(samples=8), RunFolder(tmp_path / "few")).summary.samples == {"train": 8, "test": 6}
    assert run(experiment(samples=99), RunFolder(tmp_path / "all")).summary.samples == {"train": 20, "test": 6}


def test_a_candidate_that_cannot_be_built_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="--hidden is 'x'"):
        run(experiment(hidden="x"), RunFolder(tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_checked_as_it_is_named(tmp_path):
    """Before data are loaded, which may take minutes."""
    (tmp_path / "thesis.tex").write_text("precious", "utf-8")
    with pytest.raises(ValueError, match="no run made"):
        RunFolder(tmp_path)
