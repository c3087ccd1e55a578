"""Samples and classes that count more or less, and data set apart for validation."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import bits

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3
W = np.random.default_rng(1).integers(0, 4, 12).astype(float)


def model(loss="softmax_cross_entropy"):
    return fn.Sequential([fn.Dense(5, "tanh"), fn.Dense(3)], input_shape=(4,), loss=loss, dtype="float64", seed=2)


def fitted(x=X, y=Y, loss="softmax_cross_entropy", **keywords):
    settings = {"optimizer": fn.SGD(0.5), "batch_size": None, "shuffle": False, "verbose": False, "epochs": 3}
    trained = model(loss)
    trained.fit(x, y, **(settings | keywords))
    return trained


def same(a, b, rtol=1e-12):
    for name in a.parameters:
        np.testing.assert_allclose(a.parameters[name], b.parameters[name], rtol=rtol, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_weight_of_k_is_k_copies(reduction):
    repeated = np.repeat(np.arange(12), W.astype(int))
    loss = fn.SoftmaxCrossEntropy(reduction)
    weighted, copied = fitted(sample_weight=W, loss=loss), fitted(X[repeated], Y[repeated], loss=loss)
    same(weighted, copied)
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(weighted.history[name], copied.history[name], rtol=1e-12)


@pytest.mark.parametrize("shape", [(12,), (12, 1)])
@pytest.mark.parametrize("given", [{1: 5.0, 0: 2.0}, [2.0, 5.0], "balanced"])
def test_classes_of_one_score_have_weights(given, shape):
    y = (Y == 1).astype(float)
    of_class = [12 / 16, 12 / 8] if given == "balanced" else [2.0, 5.0]

    def two(**weights):
        trained = fn.Sequential([fn.Dense(5, "tanh"), fn.Dense(1)], input_shape=4, loss="binary_cross_entropy", seed=2)
        settings = {"optimizer": fn.SGD(0.5), "batch_size": 5, "epochs": 3, "verbose": False}
        trained.fit(X, y.reshape(shape), **settings, **weights)
        return trained

    same(two(class_weight=given), two(sample_weight=np.where(y == 1, of_class[1], of_class[0])), rtol=0)
    with pytest.raises(AssertionError):
        same(two(class_weight=given), two(), rtol=1e-3)


def test_probabilities_are_no_classes():
    model = fn.Sequential([fn.Dense(1)], input_shape=4, loss="binary_cross_entropy")
    y = np.where(Y == 1, 0.25, 1.0)
    with pytest.raises(fn.DataError, match=r"class_weight beside y\[1, 0\] = 0.25, expected 0 or 1"):
        model.fit(X, y, class_weight={1: 5.0}, verbose=False)


def test_class_weights_multiply():
    by_class = fitted(class_weight={0: 2, 2: 0.5}, sample_weight=W)
    same(by_class, fitted(sample_weight=W * np.array([2, 1, 0.5])[Y]))
    same(by_class, fitted(class_weight=[2, 1, 0.5], sample_weight=W))


def test_weights_follow_their_samples_when_shuffled():
    shuffled = fitted(sample_weight=W, shuffle=True, batch_size=12)
    same(shuffled, fitted(sample_weight=W), rtol=1e-9)


def test_a_batch_without_weight_changes_nothing():
    w = np.r_[np.zeros(6), np.ones(6)]
    same(fitted(sample_weight=w, batch_size=6), fitted(X[6:], Y[6:]))


def test_validation_split_takes_the_end():
    split, given = fitted(validation_split=0.25), fitted(X[:9], Y[:9], validation_data=(X[9:], Y[9:]))
    same(split, given)
    assert split.history["val_loss"] == given.history["val_loss"]


BAD = [
    (
        fn.DataError,
        "weights go from 0.0 to 0.0",
        {"sample_weight": (np.asarray(Y) == 0) * 1.0, "class_weight": {0: 0.0}},
    ),
    (fn.ShapeError, r"sample_weight has shape \(3,\)", {"sample_weight": [1, 2, 3]}),
    (fn.DataError, "expected ≥ 0", {"sample_weight": -np.ones(12)}),
    (TypeError, r"expected \(12,\).*loss_weights= of the model;.*fn.ElementwiseLoss", {"sample_weight": {"a": W}}),
    (fn.DataError, "not all 0", {"sample_weight": np.zeros(12)}),
    (fn.DataError, r"sample_weight\[0\] is nan", {"sample_weight": np.full(12, np.nan)}),
    (fn.DataError, "the label 3", {"class_weight": {3: 1}}),
    (fn.ShapeError, r"class_weight has shape \(2,\)", {"class_weight": [1, 2]}),
    (ValueError, "needs classes", {"class_weight": {0: 1}, "loss": "mse", "y": np.ones((12, 3))}),
    (ValueError, "both sides", {"validation_split": 0.99}),
    (ValueError, "both given", {"validation_split": 0.5, "validation_data": (X, Y)}),
]


@pytest.mark.parametrize(("error", "message", "given"), BAD, ids=[message for _, message, _ in BAD])
def test_bad_weights(error, message, given):
    with pytest.raises(error, match=message):
        fitted(**given)


BY_LABEL = {
    "truth values": {False: 1, True: 10},
    "NumPy's truth values": {np.False_: 1, np.True_: 10},
    "NumPy's whole numbers": {np.int64(0): np.float32(1), np.uint8(1): np.int64(10)},
    "whole floats": {0.0: 1.0, np.float32(1): 10.0},
    "an array": np.array([1, 10]),
    "of objects": np.array([1, 10.0], dtype=object),
}


@pytest.mark.parametrize("given", BY_LABEL.values(), ids=list(BY_LABEL))
def test_labels_of_class_weights(given):
    """Each weighs the classes as {0: 1, 1: 10} does, and not as no weights do."""
    x, y = np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 2

    def trained(weights, labels=y):
        model = fn.Sequential([fn.Dense(2)], input_shape=(4,))
        model.fit(x, labels, optimizer=fn.SGD(0.1), class_weight=weights, verbose=False)
        return bits(model.parameters)

    want = trained({0: 1, 1: 10})
    assert trained(given) == want != trained(None)
    assert trained(given, labels=y.astype(bool)) == want


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"1": 10}, fn.DataError, "class_weight has the label '1', a text; expected whole numbers, 0 to 1"),
        ({1.5: 10}, fn.DataError, "class_weight has the label 1.5, expected 0 to 1"),
        ({2: 10}, fn.DataError, "class_weight has the label 2, expected 0 to 1"),
        ({-1: 10}, fn.DataError, "class_weight has the label -1"),
        ({None: 10}, fn.DataError, "class_weight has the label None"),
        ({1: "10"}, TypeError, r"class_weight\[1\] is '10', expected a number"),
        ({1: None}, TypeError, r"class_weight\[1\] is None, expected a number"),
        ({1: np.nan}, fn.DataError, r"class_weight\[1\] is nan"),
    ],
)
def test_labels_and_weights_that_are_none(given, error, message):
    model = fn.Sequential([fn.Dense(2)], input_shape=(4,))
    with pytest.raises(error, match=message):
        model.fit(np.zeros((4, 4)), [0, 1, 0, 1], optimizer=fn.SGD(0.1), class_weight=given, verbose=False)
