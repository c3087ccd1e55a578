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
        ({"optimizer": "sdg"}, ValueError, "unknown optimizer 'sdg'; did you mean sgd"),
        ({"optimizer": fn.SGD}, TypeError, "expected an optimizer such as"),
        ({"verbose": "loud"}, ValueError, "verbose is 'loud'"),
        (
            {"validation_data": GOOD_X},
            fn.DataError,
            r"validation_data is ndarray, expected \(x, y\) or \(x, y, sample_weight\)",
        ),
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


TOO_LARGE = but(np.zeros((4, 5)), (2, 3), -1e300)
LARGEST = r"expected at most 3.4028235e\+38, the largest float32: scale the numbers, or use dtype='float64'"


def test_numbers_beyond_float32_are_refused_by_name():
    model, opt = dense_model(loss="mse"), fn.SGD(0.1)
    y, good = np.zeros((4, 3)), np.zeros((4, 5))
    before = bits(model.parameters)
    for ask in (lambda: model.predict(TOO_LARGE), lambda: model.fit(TOO_LARGE, y, optimizer=opt, verbose=False)):
        with pytest.raises(fn.DataError, match=rf"^x\[2, 3\] is -1e\+300, {LARGEST}"):
            ask()
    with pytest.raises(fn.DataError, match=rf"^y\[2, 1\] is 1e\+40, {LARGEST}"):
        model.fit(good, but(y, (2, 1), 1e40), optimizer=opt, verbose=False)
    with pytest.raises(fn.DataError, match=rf"^sample_weight\[1\] is 1e\+39, {LARGEST}"):
        model.fit(good, y, sample_weight=[1, 1e39, 1, 1], optimizer=opt, verbose=False)
    with pytest.raises(fn.DataError, match=rf"^dense.b\[0\] is 1e\+39, {LARGEST}"):
        model.set_parameters({"dense.b": [1e39, 0, 0, 0]})
    assert bits(model.parameters) == before


def test_numbers_of_float32_s_range_and_of_float64_are_taken():
    large = but(np.zeros((4, 5)), (2, 3), np.finfo(np.float32).max)
    assert np.isfinite(dense_model().predict(large)).all()
    assert np.isfinite(dense_model(dtype="float64").predict(TOO_LARGE)).all()


def test_weights_that_are_too_large_or_too_small_together():
    model, y = dense_model(), [0, 1, 2, 0]
    weights = {"sample_weight": [1, 1e20, 1, 1], "class_weight": {1: 1e20}}
    with pytest.raises(fn.DataError, match=r"^sample_weight · class_weight\[1\] is 1e\+40, expected at most"):
        model.fit(np.zeros((4, 5)), y, optimizer=fn.SGD(0.1), verbose=False, **weights)
    with pytest.raises(fn.DataError, match="sample_weight goes from 1e-60 to 1e-60, expected ≥ 0 and not all 0"):
        model.fit(np.zeros((4, 5)), y, optimizer=fn.SGD(0.1), verbose=False, sample_weight=[1e-60] * 4)


@pytest.mark.parametrize(
    "x",
    [
        np.full((4, 5), 2**63 + 5, np.uint64),
        [[2**63 + 5] * 5] * 4,
        np.full((4, 5), 2**63 + 5, object),
        np.full((4, 5), 2.0**63, np.longdouble),
    ],
    ids=["uint64", "list", "object", "longdouble"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_numbers_beyond_int64_keep_their_sign(x, dtype):
    model = fn.Sequential([fn.Dense(1, initializer="ones")], input_shape=(5,), loss="mse", dtype=dtype)
    assert model.predict(x)[0, 0] == np.dtype(dtype).type(5 * 2.0**63)


def test_whole_numbers_beyond_int64_are_no_ids():
    for x, said in (
        (np.array([[2**63 + 5, 0, 0]], np.uint64), "9223372036854775813"),
        ([[2**70, 0, 0]], r"1.18.*e\+21"),
    ):
        with pytest.raises(fn.DataError, match=rf"x\[0, 0\] is {said}, expected 0 to 10"):
            tiny_model().predict(x)


def test_a_long_double_beyond_float64_is_not_finite():
    x = np.full((4, 5), np.longdouble(10) ** 400)
    with pytest.raises(fn.DataError, match=r"x\[0, 0\] is inf, expected finite"):
        dense_model(dtype="float64").predict(x)


def test_masked_numbers_are_not_used():
    x, y = np.ma.array(np.zeros((4, 5))), np.ma.array([0, 1, 2, 0])
    assert np.array_equal(dense_model().predict(x), dense_model().predict(x.data))
    x[2, 3], y[1] = np.ma.masked, np.ma.masked
    weights = np.ma.array([1.0] * 4, mask=[0, 0, 0, 1])
    model, settings = dense_model(), {"optimizer": fn.SGD(0.1), "verbose": False}
    with pytest.raises(fn.DataError, match=r"^x\[2, 3\] is masked"):
        model.predict(x)
    with pytest.raises(fn.DataError, match=r"^y\[1\] is masked"):
        model.fit(x.data, y, **settings)
    with pytest.raises(fn.DataError, match=r"^sample_weight\[3\] is masked"):
        model.fit(x.data, y.data, sample_weight=weights, **settings)
