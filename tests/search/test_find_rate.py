"""The test of learning rates: what it finds, and that model and optimizer stay as they are."""

import copy

import numpy as np
import pytest

import fastnn as fn
from fastnn.search.find_rate import DIVERGED
from fastnn.search.rate_test import FEWEST

RNG = np.random.default_rng(0)
Y = np.arange(300) % 3
X = (RNG.standard_normal((300, 4)) + 2 * np.eye(3, 4)[Y]).astype(np.float32)


def net(dtype="float32", **settings):
    layers = [fn.Dense(8, "relu"), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=4, dtype=dtype, **settings)


def falling(losses, rates=None):
    rates = np.geomspace(1e-4, 1, len(losses)) if rates is None else rates
    return fn.RateTest(rates, losses)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["adam", fn.SGD(0.5, momentum=0.9)])
def test_a_training_learns_at_the_rate_that_is_found(dtype, optimizer):
    test = fn.find_rate(net(dtype), X, Y, optimizer=optimizer)
    assert test.rates[0] == 1e-6
    assert FEWEST <= len(test.rates) == len(test.losses) <= 100
    assert np.allclose(np.diff(np.log(test.rates)), np.log(1e7) / 99)
    own = fn.Adam(test.suggestion) if optimizer == "adam" else fn.SGD(test.suggestion, momentum=0.9)
    slow = fn.Adam(1e-6) if optimizer == "adam" else fn.SGD(1e-6, momentum=0.9)
    learned, not_learned = (net(dtype).fit(X, Y, optimizer=one, epochs=5)["loss"][-1] for one in (own, slow))
    assert learned < 0.6 * not_learned


def test_the_losses_are_those_of_a_training_at_these_rates():
    test = fn.find_rate(net(seed=3), X, Y, optimizer=fn.SGD(7.0), lowest=1e-3, highest=1e-1, steps=25, batch_size=20)
    model, lr = net(seed=3), fn.ExponentialDecay(1e-3, 100 ** (1 / 24), per="step")
    history = model.fit(X, Y, optimizer=fn.SGD(lr), batch_size=20, epochs=2)
    assert test.losses.tolist() == list(history.steps["loss"])[:25]
    assert test.rates[-1] == pytest.approx(0.1)


def test_model_and_optimizer_stay_as_they_are_and_the_numbers_are_the_same_again():
    model, optimizer = net(), fn.Adam(0.01)
    model.fit(X, Y, optimizer=optimizer)
    parameters, state = model.snapshot(), copy.deepcopy(optimizer.state)
    first, again = (fn.find_rate(model, X, Y, optimizer=optimizer) for _ in range(2))
    assert first.losses.tobytes() == again.losses.tobytes()
    assert (model.epoch, len(model.history), optimizer.lr, optimizer.iteration) == (1, 1, 0.01, 10)
    for kind, arrays in parameters.items():
        for name, array in arrays.items():
            assert np.array_equal(array, model.snapshot()[kind][name])
    for name, parts in state.items():
        assert all(np.array_equal(part, optimizer.state[name][key]) for key, part in parts.items())
    with fn.threads(1):
        assert fn.find_rate(model, X, Y, optimizer=optimizer).losses.tobytes() == first.losses.tobytes()


def test_it_ends_where_the_loss_is_far_above_its_lowest():
    test = fn.find_rate(net(), X, Y, optimizer="sgd", lowest=1e-3, highest=1e3, steps=60)
    means = [test.losses[:count][-5:].mean() for count in range(1, len(test.losses) + 1)]
    ends = [mean > DIVERGED * min(means[: i + 1]) for i, mean in enumerate(means)]
    assert ends.index(True) == len(ends) - 1 < 59
    assert test.suggestion < test.rates[test.losses.argmin() + 3]


def test_it_ends_where_the_loss_is_not_finite():
    line = fn.Sequential([fn.Dense(1)], input_shape=4, loss="mse")
    test = fn.find_rate(line, X, X[:, :1] - 2, optimizer="sgd", lowest=1e-3, highest=1e30, steps=120)
    assert np.isfinite(test.losses).all()
    with pytest.raises(fn.NonFiniteError, match="smaller learning rate"):
        fn.find_rate(line, X, X[:, :1], optimizer="sgd", lowest=1e30, highest=1e33)


@pytest.mark.parametrize("batch_size", [1, 7, 299, None])
def test_any_batches(batch_size):
    weights = np.where(Y == 0, 2.0, 1.0)
    test = fn.find_rate(
        net(), X, Y, batch_size=batch_size, highest=1e-3, steps=11, sample_weight=weights, class_weight="balanced"
    )
    assert len(test.losses) == 11


def test_a_stream_and_a_model_with_preprocessing(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = X, Y
    x, y = (fn.H5Stream(tmp_path / "data.h5", name) for name in "xy")
    assert len(fn.find_rate(net(), x, y, highest=1e-3, steps=12).losses) == 12
    pictures = RNG.integers(0, 256, (40, 2, 2)).astype(np.uint8)
    layers = [fn.Flatten(), fn.Dense(3)]
    model = fn.Sequential(layers, input_shape=(2, 2, 1), preprocessing=fn.Pixels((2, 2), divide=255))
    assert len(fn.find_rate(model, pictures, Y[:40], highest=1e-3, steps=12).losses) == 12


def test_the_suggestion_is_where_the_loss_falls_most_steeply():
    t = np.linspace(-6, 6, 101)
    slope = falling(1 / (1 + np.exp(t)))
    assert slope.suggestion == slope.rates[50]
    after = falling(np.concatenate([1 / (1 + np.exp(t)), [5.0, 90, 0, 90, 0, 90, 0]]))
    assert after.suggestion == after.rates[50]  # what is beyond the lowest mean does not count


@pytest.mark.parametrize("losses", [np.arange(30.0), np.ones(30), [], [3.0, 2, 1]])
def test_no_suggestion_where_the_loss_never_falls(losses):
    test = falling(losses)
    assert test.suggestion is None
    assert "suggestion" not in repr(test)


def test_how_it_is_shown():
    assert repr(falling(np.arange(20.0, 0, -1))) == "<RateTest of 20 steps, rates 0.0001 to 1: suggestion 0.000264>"


@pytest.mark.parametrize("losses", [np.arange(20.0, 0, -1), np.arange(20.0)])
def test_the_picture(losses):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    test = falling(losses)
    (axis,) = test.plot().axes
    assert axis.get_xscale() == "log"
    marked = [line.get_xdata()[0] for line in axis.get_lines()[2:]]
    assert marked == ([] if test.suggestion is None else [test.suggestion])
    own = Figure().subplots()
    assert test.plot(ax=own) is own


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"model": 3}, TypeError, "model is int, expected a model"),
        ({"steps": 9}, ValueError, "find_rate: steps is 9"),
        ({"steps": 20}, ValueError, "20 steps from 1e-06 to 10 each rate is 2.34 times"),
        ({"lowest": 0}, ValueError, "find_rate: lowest is 0"),
        ({"lowest": 1, "highest": 1}, ValueError, "lowest is 1 and highest is 1, expected lowest < highest"),
        ({"highest": np.inf}, ValueError, "to inf each rate is inf times"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"optimizer": "adamm"}, ValueError, "unknown optimizer 'adamm'"),
        ({"x": X[:5]}, fn.ShapeError, "5"),
        ({"y": Y + 1}, fn.DataError, "3"),
        ({"epochs": 3}, TypeError, "find_rate has no argument 'epochs'"),
    ],
)
def test_what_cannot_be(given, error, told):
    with pytest.raises(error, match=told):
        fn.find_rate(**({"model": net(), "x": X, "y": Y} | given))
