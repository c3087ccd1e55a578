"""Data and settings that do not fit: one clear line, before anything runs."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import WORDS, bits, dense_model, fit, tiny_model, trigrams

GOOD_X, GOOD_Y = trigrams(6)


def but(array, place, value, dtype=None):
    """A copy of `array` with one element changed."""
    changed = array.astype(dtype or array.dtype)
    changed[place] = value
    return changed


BAD_DATA = {
    "id too large": (
        but(GOOD_X, (4, 1), WORDS),
        GOOD_Y,
        fn.DataError,
        r"x\[4, 1\] is 11, expected 0 to 10 \(ids into 11 rows of embedding\)",
    ),
    "id negative": (but(GOOD_X, (0, 2), -1), GOOD_Y, fn.DataError, r"x\[0, 2\] is -1, expected 0 to 10"),
    "id not whole": (but(GOOD_X, (1, 0), 0.5, float), GOOD_Y, fn.DataError, r"x\[1, 0\] is 0.5, expected whole"),
    "id NaN": (but(GOOD_X, (1, 0), np.nan, float), GOOD_Y, fn.DataError, r"x\[1, 0\] is nan, expected whole"),
    "label too large": (
        GOOD_X,
        but(GOOD_Y, 3, WORDS),
        fn.DataError,
        r"y\[3\] is 11, expected 0 to 10 \(labels of 11 classes\)",
    ),
    "label negative": (GOOD_X, but(GOOD_Y, 5, -2), fn.DataError, r"y\[5\] is -2"),
    "label NaN": (GOOD_X, but(GOOD_Y, 5, np.nan, float), fn.DataError, r"y\[5\] is nan"),
    "empty": (GOOD_X[:0], GOOD_Y[:0], fn.DataError, "x is empty"),
    "lengths": (GOOD_X, GOOD_Y[:5], fn.ShapeError, "x has 6 samples but .*y has 5"),
    "rank of x": (GOOD_X[0], GOOD_Y, fn.ShapeError, r"x has shape \(3,\), expected \(N, 3\)"),
    "width of x": (GOOD_X[:, :2], GOOD_Y, fn.ShapeError, r"x has shape \(6, 2\), expected \(N, 3\)"),
    "no axis": (3, GOOD_Y, fn.ShapeError, r"x has shape \(\)"),
    "ragged": ([[1, 2, 3], [1, 2]], [0, 1], fn.ShapeError, "x is no array"),
    "one-hot labels": (GOOD_X, np.eye(WORDS)[GOOD_Y], fn.ShapeError, r"y has shape \(6, 11\), expected one label"),
    "words": (GOOD_X.astype(str), GOOD_Y, TypeError, "x has dtype"),
    "complex": (GOOD_X + 0j, GOOD_Y, TypeError, "x has dtype complex128"),
    "objects": (GOOD_X, [None] * 6, TypeError, "y has dtype object"),
}


@pytest.mark.parametrize(("x", "y", "error", "message"), BAD_DATA.values(), ids=list(BAD_DATA))
def test_bad_data_is_refused_before_anything_runs(x, y, error, message):
    model = tiny_model()
    before = bits(model.parameters)
    opt = fn.SGD(0.1)
    for ask in (
        lambda: model.fit(x, y, optimizer=opt, verbose=False),
        lambda: model.evaluate(x, y),
        lambda: model.loss_and_gradients(x, y),
    ):
        with pytest.raises(error, match=message) as caught:
            ask()
        assert "\n" not in str(caught.value)
    with pytest.raises(error, match="validation " + message):
        model.fit(GOOD_X, GOOD_Y, optimizer=opt, validation_data=(x, y), verbose=False)
    assert bits(model.parameters) == before
    assert model.epoch == opt.iteration == len(model.history) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_must_be_finite(value, kind):
    x = but(np.zeros((4, 5), kind), (2, 3), value)
    with pytest.raises(fn.DataError, match=rf"x\[2, 3\] is {value}, expected finite"):
        dense_model().predict(x)


def test_large_finite_numbers_are_not_mistaken_for_infinite():
    x = np.full((4, 5), np.finfo(np.float32).max, np.float32)
    assert dense_model(dtype="float64").predict(x).shape == (4, 3)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"batch_size": 2.0}, TypeError, "batch_size is 2.0"),
        ({"epochs": 0}, ValueError, "epochs is 0"),
        ({"epochs": None}, TypeError, "epochs is None"),
        ({"optimizer": "sgd"}, TypeError, "optimizer is 'sgd'"),
        ({"optimizer": fn.SGD}, TypeError, "expected an optimizer such as"),
        ({"verbose": "loud"}, ValueError, "verbose is 'loud'"),
        ({"validation_data": GOOD_X}, fn.DataError, "validation_data is ndarray, expected a pair"),
        ({"callbacks": [fn.EarlyStopping]}, TypeError, "callbacks holds .*EarlyStopping"),
    ],
)
def test_bad_settings_of_fit(settings, error, message):
    with pytest.raises(error, match=message):
        fit(tiny_model(), **settings)


def test_bad_settings_of_a_model():
    with pytest.raises(ValueError, match="dtype is 'float16', expected float32 or float64"):
        tiny_model(dtype="float16")
    with pytest.raises(ValueError, match="unknown loss 'mean'"):
        fn.Sequential([fn.Dense(2)], input_shape=(3,), loss="mean")
