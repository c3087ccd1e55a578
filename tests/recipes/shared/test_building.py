"""What recipes make of their flags: optimizers, sizes of layers, pixels."""

from types import SimpleNamespace

import numpy as np
import pytest

import fastnn as fn
from fastnn.recipes import RECIPES
from fastnn.recipes.shared import building


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("100", [100]), ("100,50", [100, 50]), ("100x3", [100] * 3), ("8x2,4", [8, 8, 4]), ("5x1", [5])],
)
def test_sizes_of_layers(text, sizes):
    assert building.sizes_of(text, "hidden") == sizes


@pytest.mark.parametrize("text", ["", "a", "100,", "0", "100,-1", "10x0", "10x-1", "2.5", "10xx2"])
def test_sizes_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match=r"--hidden is .*, expected units of each hidden layer"):
        building.sizes_of(text, "hidden")


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        ({}, fn.SGD(0.2)),
        ({"momentum": 0.9}, fn.SGD(0.2, momentum=0.9)),
        ({"decay": 1.0}, fn.SGD(0.2)),
        ({"decay": 0.5}, fn.SGD(fn.ExponentialDecay(0.2, 0.5))),
        ({"optimizer": "adam"}, fn.Adam(0.2)),
        ({"optimizer": "adamw", "decay": 0.5}, fn.AdamW(fn.ExponentialDecay(0.2, 0.5))),
        ({"optimizer": "rmsprop", "accumulator": 0.3}, fn.RMSProp(0.2)),
        ({"optimizer": "adagrad", "accumulator": 0.3}, fn.AdaGrad(0.2, initial_accumulator_value=0.3)),
    ],
    ids=str,
)
def test_optimizers_by_flag(settings, want):
    got = building.optimizer_of(SimpleNamespace(lr=0.2, **settings))
    assert type(got) is type(want)
    assert got.config() == want.config()


def test_a_rate_along_a_cosine_ends_with_the_training():
    """100 of the 250 samples in batches of 30: 4 steps an epoch."""
    data = SimpleNamespace(train=np.zeros(250))
    made = building.cosine_of(SimpleNamespace(lr=0.2, samples=100, epochs=25, batch_size=30), data)
    assert made == fn.CosineDecay(0.2, steps=100, warmup=5)
    everything = building.cosine_of(SimpleNamespace(lr=0.2, samples=0, epochs=1, batch_size=300), data)
    assert everything == fn.CosineDecay(0.2, steps=1, warmup=0)


def test_hidden_layers_are_followed_by_what_is_asked_for():
    start = fn.initializers.Normal(0.1)
    plain = building.hidden_layers([4, 3], "tanh", start)
    assert plain == [fn.Dense(4, "tanh", start), fn.Dense(3, "tanh", start)]
    first, *rest = building.hidden_layers([4], "relu", start, norm="batch", dropout=0.25)
    assert (first, rest) == (fn.Dense(4, "relu", start), [fn.BatchNorm(), fn.Dropout(rate=0.25)])
    assert building.hidden_layers([4], "relu", start, norm="layer")[1:] == [fn.LayerNorm()]


def test_initializers_by_flag():
    assert building.initializer_of("normal", 0.3) == fn.initializers.Normal(0.3)
    assert building.initializer_of("truncated_normal", 0.3) == fn.initializers.TruncatedNormal(0.3)
    assert building.initializer_of("zeros", 0.3) == fn.initializers.Zeros()


def old_cats(x, y, dtype):
    return np.divide(x[..., None], 255, dtype=dtype), 2.0 * y.astype(np.float64) - 1.0


def old_cifar(x, y, dtype):
    rows = x.reshape(len(x), -1)
    mean = rows.mean(axis=0, dtype=np.float64).astype(dtype)
    return np.subtract(rows, mean, dtype=np.dtype(dtype)), y


# What each system does with its data, written out.
PREPARED = {
    "trigram": lambda x, y, dtype: (x, y),
    "cats-vs-cars": old_cats,
    "cifar10-mlp": old_cifar,
    "moons": lambda x, y, dtype: (x, y),
    "blobs": lambda x, y, dtype: (x, y),
    "mnist-cnn": lambda x, y, dtype: (np.divide(x[..., None], 255, dtype=dtype), y),
    "scalar": lambda x, y, dtype: (x, y),
    "mnist-sgd": lambda x, y, dtype: (np.divide(x.reshape(len(x), -1), 255, dtype=dtype), y),
    "notmnist-mlp": lambda x, y, dtype: (np.divide(x.reshape(len(x), -1), 255, dtype=dtype), y),
    "notmnist-cnn": lambda x, y, dtype: (np.divide(x[..., None], 255, dtype=dtype), y),
    "mnist-mlp": lambda x, y, dtype: (x.reshape(len(x), -1), y),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("system", PREPARED)
def test_data_as_networks_take_them(files, system, dtype):
    recipe = RECIPES[system]
    data, _ = recipe.find(files[system])
    x, y = PREPARED[system](data.train.x, data.train.y, dtype)
    got = recipe.prepare(data, dtype).train
    for one, want in ((got.x, x), (got.y, y)):
        assert one.dtype == want.dtype
        np.testing.assert_array_equal(one, want)


def test_every_system_is_covered():
    assert set(PREPARED) == set(RECIPES)
