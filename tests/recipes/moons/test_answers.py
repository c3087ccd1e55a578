"""What is measured of borders in the plane, and what moons and blobs tell of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.experiment.results import RunResult
from fastnn.experiment.run_list import list_runs
from fastnn.recipes import RECIPES
from fastnn.recipes.moons.answers import Border, told_activations, told_depths, told_widths
from fastnn.recipes.moons.borders import best_line, sharpest_turn, straightness
from tests.tiny import jit_only

POINTS = np.random.default_rng(0).uniform(-1, 1, (300, 2))


def net(lead):
    """A `predict` whose class 0 leads by `lead` (x, y)."""

    def predict(points):
        first = (1 + np.tanh(lead(points[:, 0], points[:, 1]) / 2)) / 2
        return np.stack([first, 1 - first], axis=1)

    return predict


def test_the_best_line():
    x, y = POINTS.T
    assert best_line(POINTS, 3 * x + 2 * y > 0.4) >= 0.99
    assert best_line(POINTS, 3 * x + 2 * y < 0.4) >= 0.99
    assert best_line(POINTS, np.ones(300, bool)) == 1.0
    assert 0.6 < best_line(POINTS, x * y > 0) < 0.8, "of four quadrants a line gets three"
    corners = np.array([[0.0, 0], [1, 1], [0, 1], [1, 0]])
    assert best_line(corners, np.array([True, True, False, False])) == 0.75


def test_how_straight_a_border_is():
    assert straightness(net(lambda x, y: 2 * x - y + 0.1), POINTS) >= 0.99
    assert straightness(net(lambda x, y: x * y), POINTS) < 0.8


def test_how_sharply_a_border_turns():
    assert sharpest_turn(net(lambda x, y: 2 * x - y + 0.1), POINTS) < 1
    assert sharpest_turn(net(lambda x, y: x**2 + y**2 - 0.6**2), POINTS) == pytest.approx(
        np.degrees(0.04 / 0.6), rel=0.3
    )
    assert sharpest_turn(net(lambda x, y: abs(x) - y - 0.3), POINTS) == pytest.approx(90, abs=3)
    assert sharpest_turn(net(lambda x, y: 1 + 0 * x), POINTS) is None
    assert sharpest_turn(net(lambda x, y: np.where(x > 0, 1e4, -1e4)), POINTS) < 1, "probabilities of 0 and 1"


class Shape:
    def __init__(self, hidden):
        self.hidden = hidden


def run(hidden, accuracy, loss):
    return RunResult("", Shape(hidden), metrics={"train_accuracy": accuracy, "train_loss": loss})


def test_what_is_told():
    runs = {"narrow": run("3x1", 0.9, 0.3), "deep": run("3x3", 0.7, 0.6), "wide": run("5x1", 0.95, 0.1)}
    borders = {"narrow": Border(0.8, 10.0), "deep": Border(0.97, None), "wide": Border(0.7, 90.0)}
    lines = told_depths(runs, borders)
    assert lines[1:] == [
        "A nearly straight border (95 % of the plane): deep (70.0 % right).",
        "More units with the same number of layers (one pair of nets): accuracy +5.0 points on average, loss -0.200.",
        "More layers with the same number of units (one pair of nets): accuracy -20.0 points on average, loss +0.300.",
    ]
    assert (
        told_activations(runs, borders)[1]
        == "Borders from the smoothest to the one that turns most sharply: narrow 10°, wide 90°."
    )
    assert (
        told_widths(runs, borders)[1] == "Change of the accuracy in points: narrow to deep -20.0; deep to wide +25.0."
    )
    assert told_widths({"one": runs["deep"]}, borders) == []


def test_quick_has_the_narrow_and_deep_net():
    recipe = RECIPES["moons"]
    chosen = recipe.chosen_comparisons(None, set())
    planned = list_runs(recipe, recipe.with_settings({}, quick=True), chosen, quick=True)
    assert [list(members) for _, members in planned.groups] == [list(one.runs) for one in recipe.comparisons]
    assert any(run.settings.hidden == "5x8" for run in planned.runs)


@jit_only
@pytest.mark.parametrize("flags", [[], ["--compare", "none"]])
def test_answers_of_blobs(tmp_path, monkeypatch, flags):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "blobs", "--epochs", "2", "--passes", "50", "--threads", "1", *flags]) == 0
    summary = json.loads(Path("runs/blobs/summary.json").read_text(encoding="utf-8"))
    answers = {answer["name"]: answer for answer in summary["answers"]}
    assert {"chosen", "data", "boundary" if flags else "depths"} <= set(answers)
    assert "of 200 points right." in answers["data"]["lines"][0]
    (table,) = answers["boundary" if flags else "depths"]["tables"]
    assert all(list(row["here"]) == ["accuracy", "loss", "wrong", "straight", "turn"] for row in table["rows"])
    assert len(table["rows"]) == (1 if flags else 4)
