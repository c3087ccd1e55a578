"""scikit-learn's own estimators as models, and models as those."""

import pickle
from functools import partial

import numpy as np
import pytest

import fastnn as fn
from tests.interop.nets import Doubling
from tests.tiny import dense_model, tiny_model

pytest.importorskip("sklearn")

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

import fastnn.sklearn

X, LABELS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[LABELS]
TARGETS = {
    "classes": (MLPClassifier, NAMES),
    "two": (MLPClassifier, NAMES == "setosa"),
    "labels": (MLPClassifier, np.stack([LABELS == 0, X[:, 0] > 6], axis=1).astype(int)),
    "number": (MLPRegressor, X[:, 0] * 2),
    "numbers": (MLPRegressor, X[:, :2] * 2),
}
if "loss" in MLPRegressor().get_params():  # from scikit-learn 1.7 on
    TARGETS["counts"] = (partial(MLPRegressor, loss="poisson"), LABELS)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def predictions(estimator, x):
    """What a fastnn model of the estimator predicts."""
    if isinstance(estimator, MLPRegressor):
        return estimator.predict(x).reshape(len(x), -1)
    found = estimator.predict_proba(x)
    return found[:, 1:] if estimator.out_activation_ == "logistic" and estimator.n_outputs_ == 1 else found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("activation", "sizes"), [("logistic", (5,)), ("relu", (4, 3)), ("tanh", ()), ("identity", 3)])
def test_predictions_are_equal_there_and_back(target, dtype, activation, sizes):
    kind, y = TARGETS[target]
    x, close = X.astype(dtype), {"float32": 1e-6, "float64": 1e-13}[dtype]  # a few roundings of numbers below 20
    estimator = kind(hidden_layer_sizes=sizes, activation=activation, max_iter=2, random_state=0).fit(x, y)
    model = fn.interop.from_sklearn(estimator)
    assert model.dtype == dtype
    scale = max(1, np.abs(predictions(estimator, x)).max())
    np.testing.assert_allclose(model.predict(x), predictions(estimator, x), rtol=0, atol=close * scale)
    again = fn.interop.to_sklearn(model)
    np.testing.assert_array_equal(again.predict(x), estimator.predict(x))
    np.testing.assert_array_equal(predictions(again, x), predictions(estimator, x))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).predict(x), again.predict(x))
    if kind is MLPClassifier and target != "labels":
        np.testing.assert_array_equal(again.classes_, estimator.classes_)
        assert model.meta["classes"] == estimator.classes_.tolist()


def test_names_of_features_are_those_of_columns():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    other = frame[["b", "a", "c", "d"]]
    theirs = MLPClassifier(3, max_iter=1, random_state=0).fit(frame, LABELS)
    model = fn.interop.from_sklearn(theirs)
    ours = fastnn.sklearn.MLPClassifier(3, max_iter=1, random_state=0).fit(frame, LABELS).model_
    for made in (model, ours):
        assert made.columns == {"x": ["a", "b", "c", "d"]}
        with pytest.raises(fn.DataError, match="in another order"):
            made.predict(other)
    back = fn.interop.to_sklearn(model)
    assert back.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="names should match"):
        back.predict(other)
    np.testing.assert_allclose(back.predict_proba(frame), theirs.predict_proba(frame), atol=1e-12)


def test_a_model_with_two_scores_dropout_and_no_bias():
    layers = [fn.Dense(6, use_bias=False), fn.Activation("sigmoid"), fn.Dropout(0.5), fn.Dense(4, "sigmoid")]
    model = fn.Sequential([*layers, fn.Dense(2)], input_shape=4, dtype="float64")
    estimator = fn.interop.to_sklearn(model, classes=["no", "yes"])
    np.testing.assert_allclose(estimator.predict_proba(X), model.predict(X), rtol=1e-12)
    assert set(estimator.predict(X)) <= {"no", "yes"}
    assert estimator.get_params()["hidden_layer_sizes"] == (6, 4)


@pytest.mark.skipif("counts" not in TARGETS, reason="this scikit-learn has no Poisson loss")
def test_means_of_counts():
    model = fn.Sequential([fn.Dense(5, "tanh"), fn.Dense(2)], input_shape=4, loss="poisson", dtype="float64")
    estimator = fn.interop.to_sklearn(model)
    np.testing.assert_allclose(estimator.predict(X), model.predict(X), rtol=1e-12)
    assert estimator.loss == "poisson"


def of(*layers, shape=4, **keywords):
    return fn.Sequential(layers, input_shape=shape, **keywords)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (of(fn.Dense(3, "relu"), fn.Dense(3, "tanh"), fn.Dense(2)), "the activations are relu, tanh, identity"),
        (of(fn.Dense(3, "gelu"), fn.Dense(2)), "the activations are gelu, identity"),
        (of(fn.Dense(3), fn.Dense(2, "relu"), loss="mse"), "and identity at the end"),
        (of(fn.BatchNorm(), fn.Dense(2)), "no layer such as 'batch_norm', a batch_norm"),
        (of(fn.Activation("relu"), fn.Dense(2)), "no layer such as 'activation'"),
        (of(fn.Flatten(), fn.Dense(2), shape=(2, 2)), r"that take samples \(features,\)"),
        (tiny_model(), "no layer such as 'embedding'"),
        (
            of(fn.Dense(2), loss=Doubling()),
            "Doubling.emit_predictions makes the predictions of 'dense', for which fastnn",
        ),
    ],
)
def test_models_that_are_no_mlp(model, message):
    with pytest.raises(ValueError, match=message):
        fn.interop.to_sklearn(model)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="estimator is LogisticRegression, expected scikit-learn's MLPClassifier or"):
        fn.interop.from_sklearn(LogisticRegression())
    with pytest.raises(ValueError, match="the estimator is not fitted"):
        fn.interop.from_sklearn(MLPClassifier())
    with pytest.raises(ValueError, match=r"classes is \['b', 'a', 'c'\], expected 3 sorted labels"):
        fn.interop.to_sklearn(dense_model(), classes=["b", "a", "c"])
    own = fastnn.sklearn.MLPClassifier(3, max_iter=1).fit(X, LABELS)
    with pytest.raises(TypeError, match=r"its model is estimator.model_"):
        fn.interop.from_sklearn(own)
