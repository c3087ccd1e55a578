"""Warnings of trainings that change nothing."""

import warnings

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import bits, dense_model

X, Y = np.random.default_rng(0).normal(size=(12, 5)), np.arange(12) % 3


def frozen(*layers, by_layer=False):
    model = fn.Sequential([*layers, fn.Dense(3, freeze=by_layer)], input_shape=(5,))
    model.freeze(*model.network.owners)
    return model


def test_a_model_whose_parameters_are_all_frozen():
    model = frozen(fn.Dense(4), by_layer=True)
    before = bits(model.parameters)
    with pytest.warns(UserWarning, match=r"all parameters are frozen, .*; model\.unfreeze\(\) lets them") as seen:
        model.fit(X, Y, epochs=2, verbose=False)
    assert [warning.filename for warning in seen] == [__file__]
    assert bits(model.parameters) == before


def test_many_models_of_which_one_is_frozen():
    models = [dense_model(), frozen(fn.Dense(4, "tanh"))]
    with pytest.warns(UserWarning, match="all parameters are frozen"):
        fn.fit_many(models, X, Y, epochs=1)


def test_running_statistics_stay_too():
    model = frozen(fn.BatchNorm())
    before = bits(model.buffers)
    with pytest.warns(UserWarning, match="all parameters are frozen"):
        model.fit(X, Y, epochs=2, verbose=False)
    assert bits(model.buffers) == before


def test_no_warning_where_one_layer_trains():
    model = dense_model()
    model.freeze("dense")
    before = bits(model.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, epochs=1, verbose=False)
    assert bits(model.parameters) != before
