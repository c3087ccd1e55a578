"""Samples, targets and weights that scikit-learn takes for numbers without a word, or refuses in words of NumPy's."""

import decimal

import numpy as np
import pytest

pytest.importorskip("sklearn")

from fastnn.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.arange(40.0).reshape(10, 4) % 7
Y = np.arange(10) % 2
SMALL = {"hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
MASKED = np.ma.masked_array(X, X == 3)
ARRAYS = np.array([None] * 10)
ARRAYS[:] = [np.ones(2)] * 10

SAMPLES = {
    "masked": (MASKED, r"X\[0, 3\] is masked, expected a number"),
    "dates": (np.zeros((10, 4), "M8[D]"), r"X has dtype datetime64\[D\], expected numbers; give numbers instead"),
    "not a time": (np.full((10, 4), np.timedelta64("NaT", "s")), r"X has dtype timedelta64\[s\], expected numbers"),
    "records": (np.zeros(10, [("a", "f4")]), r"X has dtype .*, expected numbers; give the fields of the records"),
}


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("case", SAMPLES)
def test_samples(kind, case):
    """Masked numbers were used, and times became counts of a unit, or -9223372036854775808."""
    given, message = SAMPLES[case]
    estimator = kind(**SMALL)
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(given, Y)
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(X, Y, validation_data=(given, Y))
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(X, Y).predict(given)


TARGETS = {
    "masked classes": (MLPClassifier, np.ma.masked_array(Y, Y == 1), r"y\[1\] is masked"),
    "masked numbers": (MLPRegressor, np.ma.masked_array(Y, Y == 1), r"y\[1\] is masked"),
    "arrays as classes": (MLPClassifier, ARRAYS, r"y: row 0 is array\(\[1., 1.\]\), expected one label for each row"),
    "arrays as numbers": (MLPRegressor, ARRAYS, r"y has dtype object, expected numbers: y\[0\] is array\(\[1., 1.\]\)"),
    "a text": (MLPRegressor, np.array([1.0] * 9 + ["a"], object), r"y has dtype object, expected .*: y\[9\] is 'a'"),
}


@pytest.mark.parametrize("case", TARGETS)
def test_targets(case):
    kind, y, message = TARGETS[case]
    with pytest.raises((ValueError, TypeError), match=message):
        kind(**SMALL).fit(X, y)


def test_missing_texts_of_a_frame():
    pandas = pytest.importorskip("pandas")
    y = pandas.Series([None, *"ababababa"], dtype="string")
    with pytest.raises((ValueError, TypeError), match=r"y\[0\] is <NA>, a missing value, expected a number"):
        MLPRegressor(**SMALL).fit(X, y)


def test_weights():
    masked = np.ma.masked_array(np.ones(10), Y == 1)
    with pytest.raises(ValueError, match=r"sample_weight\[1\] is masked"):
        MLPClassifier(**SMALL).fit(X, Y, sample_weight=masked)
    for weight in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"^class_weight goes from .*, expected finite numbers ≥ 0 and not all 0"):
            MLPClassifier(**SMALL, class_weight={0: weight}).fit(X, Y)


def test_what_is_masked_nowhere_and_objects_that_are_numbers_are_taken():
    whole = MLPRegressor(**SMALL).fit(X, Y).predict(X)
    for x, y in ((np.ma.masked_array(X, False), Y), (X, np.ma.masked_array(Y, False)), (X, Y.astype(object))):
        np.testing.assert_array_equal(MLPRegressor(**SMALL).fit(x, y).predict(x), whole)
    decimals = np.array([decimal.Decimal(int(y)) for y in Y])
    np.testing.assert_array_equal(MLPRegressor(**SMALL).fit(X, decimals).predict(X), whole)
