"""Cats against cars: our convolutions, mirror images and shifted copies; without them the net is the report's."""

from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from fastnn.data import save_cats_vs_cars
from fastnn.experiment.run_files import read_summary
from fastnn.experiment.train_one import train_one
from fastnn.nn.initializers import Normal
from fastnn.recipes import RECIPES
from fastnn.recipes.cats_vs_cars.augmentation import REACH
from tests.small_data import pictures
from tests.tiny import bits, jit_only

RECIPE = RECIPES["cats-vs-cars"]
COUNT, SIDE = 10, 32


@pytest.fixture
def prepared():
    """Ten pictures for training and four for testing."""
    return RECIPE.prepare(pictures((SIDE, SIDE), classes=2, train=COUNT, test=4), "float32")


def fitted(prepared, **changes):
    """The x and y that `fit` is given."""
    arguments = RECIPE.fit_arguments(RECIPE.with_settings(changes), prepared.train)
    return arguments["x"], arguments["y"]


def kinds(prepared, **changes):
    model, _ = RECIPE.build(RECIPE.with_settings(changes), prepared)
    return [layer.kind for layer in model.layers]


def offset(picture, moved):
    """By how many rows and columns `moved` is `picture` moved: the only way in which what both show agrees."""
    found = []
    for down in range(-REACH, REACH + 1):
        for right in range(-REACH, REACH + 1):
            rows, columns = (np.clip(np.arange(SIDE) + by, 0, SIDE - 1) for by in (down, right))
            if np.array_equal(moved, picture[rows][:, columns]):
                found.append((down, right))
    assert len(found) == 1
    return found[0]


def test_the_report_s_training_set_is_as_it_was(prepared):
    x, y = fitted(prepared)
    np.testing.assert_array_equal(x, prepared.train.x)
    np.testing.assert_array_equal(y, prepared.train.y)


def test_mirror_images_of_pictures_that_lie_on_their_side(prepared):
    x, y = fitted(prepared, mirror=True)
    np.testing.assert_array_equal(x[:COUNT], prepared.train.x)
    for row in range(SIDE):
        np.testing.assert_array_equal(x[COUNT:, row], prepared.train.x[:, SIDE - 1 - row])
    np.testing.assert_array_equal(y, np.tile(prepared.train.y, 2))
    assert x.dtype == np.float32


def test_copies_are_shifted_by_up_to_the_reach_each_by_its_own(prepared):
    x, y = fitted(prepared, shifts=3)
    assert x.shape == (4 * COUNT, SIDE, SIDE, 1)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(y, np.tile(prepared.train.y, 4))
    moves = [offset(x[i % COUNT], x[i]) for i in range(COUNT, 4 * COUNT)]
    for axis in (0, 1):
        assert {move[axis] for move in moves} == set(range(-REACH, REACH + 1))


def test_shifted_copies_of_mirror_images(prepared):
    x, y = fitted(prepared, mirror=True, shifts=1)
    assert len(x) == len(y) == 4 * COUNT
    for i in range(2 * COUNT):
        offset(x[i], x[2 * COUNT + i])


def test_shifts_depend_on_the_seed_alone(prepared):
    first, again, other = (fitted(prepared, shifts=1, seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_layers(prepared):
    assert kinds(prepared) == ["flatten", "dense", "dense"]
    block = ["conv2d", "batch_norm", "max_pool2d"]
    assert kinds(prepared, conv="2,3", dropout=0.5) == [*block, *block, "flatten", "dense", "dropout", "dense"]


@pytest.mark.parametrize("conv", ["16;32", "0", "3,"])
def test_bad_filters(prepared, conv):
    with pytest.raises(ValueError, match=f"--conv is '{conv}', expected filters of each convolution"):
        RECIPE.build(RECIPE.with_settings({"conv": conv}), prepared)


@jit_only
def test_the_report_s_net_has_the_bits_of_one_over_rows(prepared):
    """Pictures, flattened by the net, are the rows of 1,024 pixels that the report's net takes."""
    settings = RECIPE.with_settings({"epochs": 3, "hidden": "5"})
    found = train_one(RECIPE, "found", settings, prepared).model
    start = {"initializer": "glorot_normal", "bias_initializer": Normal(0.01)}
    layers = [fn.Dense(5, "tanh", **start), fn.Dense(1, "tanh", **start)]
    rows = fn.Sequential(layers, input_shape=(SIDE * SIDE,), loss=fn.MSE(scale=0.5), dtype="float32", seed=0)
    x, y = prepared.train.x.reshape(COUNT, -1), prepared.train.y
    rows.fit(x, y, optimizer=fn.SGD(0.1), batch_size=18, epochs=3, verbose=False)
    assert bits(found.parameters) == bits(rows.parameters)


@jit_only
def test_best_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_cats_vs_cars("cats.h5", pictures((SIDE, SIDE), classes=2, in_order=True))
    flags = ("--best", "--quick", "--conv", "2,2", "--hidden", "4", "--epochs", "2", "--no-mirror", "--threads", "1")
    assert main(["train", "cats-vs-cars", "--data", "cats.h5", *flags]) == 0
    summary = read_summary(Path("runs/cats-vs-cars"))
    assert summary.best == RECIPE.best.found
    assert {name: summary.config[name] for name in ("conv", "mirror", "shifts")} == {
        "conv": "2,2",
        "mirror": False,
        "shifts": 0,  # --quick takes fewer pictures, and no copies of them
    }
    assert summary.ending.runs == [], "--best is no run of a comparison"
    model = fn.load("runs/cats-vs-cars/model.h5")
    assert model.predict(np.zeros((2, SIDE, SIDE, 1), np.float32)).shape == (2, 1)
