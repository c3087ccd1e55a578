"""Small data are copied to arrays of a runner's own: the same numbers, and nothing of a user's is kept."""

import copy
import weakref

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.passes import kept

RNG = np.random.default_rng(5)
X, Y, WEIGHTS = RNG.normal(size=(40, 3)).astype(np.float32), RNG.integers(0, 4, 40), RNG.random(40)


@pytest.fixture
def model():
    return fn.Sequential([fn.Dense(5, "tanh"), fn.Dropout(0.5), fn.Dense(4)], input_shape=3, metrics=["accuracy"])


@pytest.fixture
def nothing_is_small(monkeypatch):
    """Calling it makes every data set large."""
    return lambda: monkeypatch.setattr(kept, "SMALL_BYTES", -1)


def asked(model, rows):
    """What a model says of some rows, in every way, with sizes and dtypes that change in between."""
    return [
        model.predict(X[rows]),
        model.predict(X[rows].astype(np.float64)),
        model.outputs_of("dense", X[rows]),
        model.evaluate(X[rows], Y[rows]),
        model.evaluate(X[rows], Y[rows], sample_weight=WEIGHTS[rows]),
        model.predict(X[:7]),
        model.predict(X[rows][::-1]),
    ]


@pytest.mark.parametrize("rows", [slice(0, 1), slice(3, 8), slice(0, 40)])
def test_they_give_what_large_data_give(model, rows, nothing_is_small):
    small = [asked(model, rows) for _ in range(2)][1]
    nothing_is_small()
    for one, other in zip(small, asked(model, rows), strict=True):
        np.testing.assert_equal(one, other)


def test_small_and_large_ones_in_turns(model):
    large = np.tile(X, (kept.SMALL_BYTES // X.nbytes + 1, 1))
    alone, whole = model.predict(X), model.predict(large)
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(X), alone)
        np.testing.assert_array_equal(model.predict(large), whole)
    np.testing.assert_array_equal(whole[:40], alone)


def test_a_result_is_not_written_by_the_next_call(model):
    first = model.predict(X[:1])
    before, layer = first.copy(), model.outputs_of("dense", X[:1])
    held = layer.copy()
    model.predict(X[1:2])
    model.outputs_of("dense", X[1:2])
    np.testing.assert_array_equal(first, before)
    np.testing.assert_array_equal(layer, held)


def test_parameters_and_data_may_change_between_calls(model, nothing_is_small):
    x = X[:2].copy()
    before = model.predict(x)
    x[0] += 1
    assert (model.predict(x)[0] != before[0]).any()
    model.set_parameters({"dense_1.b": np.arange(4)})
    small = model.predict(x)
    nothing_is_small()
    np.testing.assert_array_equal(small, model.predict(x))
    assert (small != before).any()


def test_steps_of_sizes_in_turns(model):
    trained = copy.deepcopy(model)
    for number, samples in enumerate((40, 3, 17, 40, 1)):
        x, y, weights = X[:samples], Y[:samples], WEIGHTS[:samples]
        given = {"sample_weight": weights, "draw": number}
        (loss, found), (alone, want) = (one.loss_and_gradients(x, y, **given) for one in (model, copy.deepcopy(model)))
        np.testing.assert_equal((loss, dict(found)), (alone, dict(want)))
        fresh = copy.deepcopy(trained)
        assert trained.train_on_batch(x, y, optimizer="sgd") == fresh.train_on_batch(x, y, optimizer="sgd")
        np.testing.assert_equal(dict(trained.parameters), dict(fresh.parameters))


@pytest.mark.parametrize("samples", [2, 9000])
def test_a_users_array_is_not_kept(model, samples):
    x = np.zeros((samples, 3), np.float32)
    gone = weakref.ref(x)
    model.predict(x)
    model.evaluate(x, np.zeros(samples, int))
    del x
    assert gone() is None
