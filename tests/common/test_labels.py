"""Labels: what is taken, what is refused with the line that mends it, their balance and their order."""

import warnings

import numpy as np
import pytest

from fastnn.common import labels
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.weights import balanced_weights

WORDS = "expected whole numbers from 0; this numbers the classes: names, y = np.unique(y, return_inverse=True)"
ONE_LABEL = "expected one label per sample: (N,) or (N, 1)"


@pytest.mark.parametrize("given", [[0, 2, 1], [[0], [2], [1]], [0.0, 2.0, 1.0], np.array([0, 2, 1], np.uint8)])
def test_what_is_taken(given):
    assert labels.class_labels(given, "y", 3).tolist() == [0, 2, 1]


REFUSED = [
    (np.eye(3), ShapeError, f"y has shape (3, 3), {ONE_LABEL}; y is one-hot: its labels are y.argmax(axis=1)"),
    (np.eye(3) / 2, ShapeError, f"y has shape (3, 3), {ONE_LABEL}"),
    (np.eye(3)[:, :2], ShapeError, f"y has shape (3, 2), {ONE_LABEL}"),
    (["cat", "dog"], TypeError, f"y holds words such as 'cat', {WORDS}"),
    (np.array(["cat", "dog"], object), TypeError, f"y holds words such as 'cat', {WORDS}"),
    ([1, 3, 2], DataError, "y holds labels from 1 to 3, but classes are numbered from 0 to 2: give y - 1"),
    ([0, 3, 2], DataError, "y[1] is 3, expected 0 to 2 (labels of 3 classes)"),
    ([2, 4, 3], DataError, "y[1] is 4, expected 0 to 2 (labels of 3 classes)"),
    ([-1, 1, 1], DataError, "y[0] is -1, expected 0 to 2 (labels of 3 classes)"),
    (
        [0.5, 1.0],
        DataError,
        "y[0] is 0.5, expected whole numbers (labels of 3 classes; "
        'numbers as targets need another loss, such as "mse")',
    ),
    ([np.nan, 1.0], DataError, "y[0] is nan, expected whole numbers (labels of 3 classes)"),
]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_is_refused(given, error, message):
    with pytest.raises(error) as caught:
        labels.class_labels(given, "y", 3)
    assert str(caught.value) == message


def test_plus_and_minus_one():
    with pytest.raises(DataError) as caught:
        labels.class_labels([1, -1, 1], "y", 2)
    assert str(caught.value) == "y holds -1 and 1, but classes are numbered from 0: give (y + 1) // 2"
    assert labels.is_plus_minus_one(np.array([-1.0, 1.0]))
    for other in ([1, 1], [-1, 0, 1], [-1, -2], []):
        assert not labels.is_plus_minus_one(np.array(other))


def test_balanced_weights_are_those_of_scikit_learn():
    y = np.array([0, 0, 0, 3, 3, 2])
    got = balanced_weights(y, 5)
    np.testing.assert_allclose(got, [6 / 9, 1, 6 / 3, 6 / 6, 1])
    assert got[y].sum() == pytest.approx(len(y))


SHUFFLE = "order = np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order]"


@pytest.mark.parametrize(
    ("kept", "rest", "what"),
    [
        ([0, 0, 1, 1], [2], "class 2 is only among them"),
        ([2, 2, 1, 1], [0, 0], "class 0 is only among them"),
        ([0, 0, 1], [1], "the samples are sorted by class"),
        ([[1.0], [1.0], [0.0]], [[0.0]], "the samples are sorted by class"),
        ([[0.0], [0.0]], [[1.0]], "class 1 is only among them"),
        ([0, 1, 0], [1, 0], None),
        ([0, 0, 0], [0], None),
        ([[0.0], [0.2]], [[1.0]], None),  # probabilities
        ([[0.0, 1.0], [0.0, 1.0]], [[1.0, 1.0]], None),  # several outputs
    ],
)
def test_the_order_of_what_is_cut(kept, rest, what):
    kept, rest = np.array(kept), np.array(rest)
    count = f"validation_split takes the last {len(rest)} of {len(kept) + len(rest)} samples"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        labels.warn_of_order(kept, rest)
    want = [] if what is None else [f"{count}, and {what}; shuffle them first: {SHUFFLE}"]
    assert [str(warning.message) for warning in caught] == want
