"""A sweep's trials drawn at random: from lists and ranges, the same ones each time."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.cli.sweep import axes_of_system as axes_of
from fastnn.experiment.sweep import Grid
from fastnn.recipes import RECIPES
from fastnn.search.space import Between, draw
from tests.tiny import jit_only

MOONS = RECIPES["moons"]
AXES = {"lr": Between(1e-4, 1.0), "hidden": ["3", "5", "7"], "passes": Between(2, 200), "l2": Between(0.0, 0.5)}


def test_values_are_on_their_axes():
    found = draw(AXES, 400, seed=0)
    assert len(found) == 400
    for one in found:
        assert list(one) == list(AXES)
        assert 1e-4 <= one["lr"] <= 1
        assert one["lr"] == float(f"{one['lr']:.4g}")
        assert one["hidden"] in AXES["hidden"]
        assert isinstance(one["passes"], int)
        assert 2 <= one["passes"] <= 200
        assert 0 <= one["l2"] <= 0.5
    # Four decades of learning rates have a quarter of the draws each; numbers from 0 are uniform.
    decades = np.bincount([math.floor(-math.log10(one["lr"])) for one in found], minlength=4)
    assert (abs(decades[:4] - 100) < 40).all()
    assert abs(np.mean([one["l2"] for one in found]) - 0.25) < 0.03


def test_more_trials_begin_with_the_same_ones():
    assert draw(AXES, 50, seed=1)[:7] == draw(AXES, 7, seed=1)
    assert draw(AXES, 7, seed=2) != draw(AXES, 7, seed=1)


def test_no_trial_is_drawn_twice():
    lists = {"hidden": ["3", "5"], "lr": [0.1, 0.2]}
    found = draw(lists, 3, seed=0)
    assert len({tuple(one.values()) for one in found}) == 3
    assert len(draw(lists, 10, seed=0)) == 4, "there are no more"


def test_trials_of_a_grid():
    grid = Grid(MOONS, AXES, {"seed": 3}, count=5)
    assert [trial.seed for trial in grid.trials()] == [3] * 5
    assert grid.trials() == grid.trials()
    with pytest.raises(ValueError, match="--lr is"):
        Grid(MOONS, {"lr": Between(-2.0, -1.0)}, {}, count=1).trials()


def test_ranges_as_they_are_written():
    assert axes_of(MOONS, ("lr=0.01..0.5", "passes=2..9"), is_drawn=True) == {
        "lr": Between(0.01, 0.5),
        "passes": Between(2, 9),
    }
    assert axes_of(RECIPES["trigram"], ("embedding=../a.npy",), is_drawn=True) == {"embedding": ["../a.npy"]}
    with pytest.raises(ValueError, match="expected --random"):
        axes_of(MOONS, ("lr=0.01..0.5",))
    with pytest.raises(ValueError, match=r"the range 0\.5\.\.0\.01 is empty"):
        axes_of(MOONS, ("lr=0.5..0.01",), is_drawn=True)
    with pytest.raises(ValueError, match="expected a number"):
        axes_of(MOONS, ("lr=0.5..x",), is_drawn=True)


@jit_only
def test_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ("--grid", "lr=0.001..0.02", "--grid", "hidden=3;2,2", "--epochs", "1", "--passes", "20", "--threads", "1")
    assert main(["sweep", "moons", *flags, "--random", "3"]) == 0
    table = Path("sweeps/moons/sweep.csv")
    with open(table, newline="", encoding="utf-8") as file:
        first = list(csv.DictReader(file))
    assert len(first) == 3
    assert Path("sweeps/moons/sweep.png").exists()
    assert main(["sweep", "moons", *flags, "--random", "4"]) == 0
    with open(table, newline="", encoding="utf-8") as file:
        longer = list(csv.DictReader(file))
    assert len(longer) == 4
    assert all(row in longer for row in first), "those were not trained again"
    assert main(["sweep", "moons", *flags]) == 2
