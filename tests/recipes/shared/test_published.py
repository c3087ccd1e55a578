"""The published figures: none is lost, and each stands beside ours."""

import json
from collections import Counter
from pathlib import Path

import pytest

from fastnn.cli import main
from fastnn.experiment import runner
from fastnn.recipes import RECIPES
from fastnn.recipes.shared.published import PUBLISHED
from tests.tiny import jit_only

FACTS = Path(__file__).parents[4] / "shared" / "published.json"  # beside the clone, where it is there


def numbers(found):
    """All numbers of nested dicts and lists."""
    if isinstance(found, dict | list):
        values = found.values() if isinstance(found, dict) else found
        return [number for value in values for number in numbers(value)]
    return [] if isinstance(found, str) else [float(found)]


def published(system):
    """Every published figure of a system."""
    known = PUBLISHED[system]
    curves = [run.curves for runs in known.by_epoch.values() for run in runs.values()]
    return numbers(dict(known.figures)) + numbers(curves)


def test_every_system_names_its_report():
    assert PUBLISHED.keys() == RECIPES.keys()
    assert all(known.report for known in PUBLISHED.values())
    assert all(recipe.published is PUBLISHED[name] for name, recipe in RECIPES.items())


@pytest.mark.skipif(not FACTS.exists(), reason="the list of all published figures is not part of the project")
@pytest.mark.parametrize("system", RECIPES)
def test_no_figure_is_lost(system):
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    assert not Counter(numbers(facts.get(system, {}))) - Counter(published(system))


# Flags that keep each system within seconds while all of its comparisons are made.
TINY = {
    "trigram": ["--epochs", "9"],
    "cats-vs-cars": ["--epochs", "1"],
    "cifar10-mlp": ["--compare-epochs", "1"],
    "mnist-sgd": ["--hidden", "8", "--epochs", "1"],
    "notmnist-mlp": ["--hidden", "8", "--compare-epochs", "1"],
    "notmnist-cnn": ["--filters", "2", "--hidden", "8", "--epochs", "1"],
    "mnist-mlp": ["--hidden", "8", "--compare-epochs", "20"],
    "scalar": ["--epochs", "50"],
}
# Figures that stand without one of ours, as these small files have no such step and no test set: (answer, label, name).
ALONE = {
    "cifar10-mlp": {
        ("baseline", "100, l2 0.2, iteration 101", "loss"),
        ("baseline", "100, l2 0.2, iteration 201", "loss"),
        ("adaptive", "adam, 100x4, iteration 11", "loss"),
        ("adaptive", "adam, 100x4, iteration 21", "loss"),
    },
    "scalar": {("points", "epoch 0", "test_loss"), ("points", "epoch 50", "test_loss")},
}


def wanted(system):
    """(Name, value) of each published figure."""
    known = PUBLISHED[system]
    single = [item for rows in known.figures.values() for figures in rows.values() for item in figures.items()]
    runs = [run for labels in known.by_epoch.values() for run in labels.values()]
    return Counter(single + [(name, value) for run in runs for name, values in run.curves.items() for value in values])


def standing(answers):
    """(Answer, table, row, name) -> value of each published figure in answers, and those without one of ours."""
    found, alone = {}, set()
    for answer in answers:
        for table in answer["tables"]:
            for row in table["rows"]:
                place = answer["name"], table["title"], row["label"]
                found |= {(*place, name): value for name, value in row["report"].items()}
                alone |= {(answer["name"], row["label"], name) for name in row["report"].keys() - row["here"].keys()}
    return found, alone


@jit_only
@pytest.mark.parametrize("system", TINY)
def test_each_figure_stands_beside_ours(system, files, tmp_path, monkeypatch):
    # The pictures, which take most of the time, show the same figures.
    monkeypatch.setattr(runner, "save_pictures", lambda folder, pictures: None)
    monkeypatch.setattr(runner.report, "write", lambda folder, summary, zeros: None)
    flags = ["--threads", "1", "--compare", "all", "--out", str(tmp_path / "run"), *TINY[system]]
    assert main(["train", system, "--data", str(files[system]), *flags]) == 0
    answers = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))["answers"]
    found, alone = standing(answers)
    somewhere = Counter((place[-1], value) for place, value in found.items())
    assert not wanted(system) - somewhere, "figures that stand nowhere"
    assert alone == ALONE.get(system, set())
