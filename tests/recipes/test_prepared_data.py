"""What recipes do with data before a network takes them."""

import numpy as np

from fastnn.experiment.train_one import fewer_samples
from fastnn.recipes import RECIPES


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
