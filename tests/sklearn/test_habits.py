"""The estimators keep scikit-learn's rules, and give what its own give for the same arguments."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn import neural_network as theirs
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import check_estimator

from fastnn.common.errors import OutOfMemoryError
from fastnn.sklearn import MLPClassifier, MLPRegressor, data
from fastnn_kernels._jit import JIT
from tests.sklearn import upstream

X, LABELS = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = (scale(part) for part in load_diabetes(return_X_y=True))
BOTH = [MLPClassifier, MLPRegressor]
needs_jit = pytest.mark.skipif(not JIT, reason="thousands of steps, which take minutes as plain Python")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@needs_jit
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_finds_nothing(kind):
    found = check_estimator(kind(max_iter=100), on_fail=None, on_skip=None)
    assert not [check["check_name"] for check in found if check["status"] not in ("passed", "skipped")]


@needs_jit
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh"])
def test_same_arguments_same_weights(solver, activation):
    """Full batches, so that the order of samples does not matter: each step is scikit-learn's but for rounding.

    Adam's epsilon is not: scikit-learn adds it to √v, fastnn to the corrected √v̂, as the paper's algorithm 1 does.
    """
    settings = {"hidden_layer_sizes": (7, 5), "activation": activation, "solver": solver, "batch_size": 150}
    settings |= {"max_iter": 20, "alpha": 0.1, "random_state": 3, "epsilon": 1e-15}
    settings["max_iter"] = 3 if solver == "lbfgs" else 20
    for labels in (LABELS, LABELS == 1, np.eye(3, dtype=int)[LABELS]):
        want = theirs.MLPClassifier(**settings).fit(X, labels)
        got = MLPClassifier(**settings).fit(X, labels)
        np.testing.assert_allclose(got.predict_proba(X), want.predict_proba(X), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(got.loss_, want.loss_, rtol=1e-6)
        for ours, other in zip(got.coefs_ + got.intercepts_, want.coefs_ + want.intercepts_, strict=True):
            np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-7)


@needs_jit
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_same_numbers_and_weighted_samples(solver):
    weight = np.arange(len(NUMBERS)) % 4
    settings = {"hidden_layer_sizes": 6, "solver": solver, "batch_size": len(NUMBERS), "max_iter": 15, "epsilon": 1e-15}
    want = theirs.MLPRegressor(**settings, random_state=1).fit(X_NUMBERS, NUMBERS, weight)
    got = MLPRegressor(**settings, random_state=1).fit(X_NUMBERS, NUMBERS, weight)
    np.testing.assert_allclose(got.predict(X_NUMBERS), want.predict(X_NUMBERS), rtol=1e-6, atol=1e-8)


def test_parameters_are_those_of_scikit_learn_and_more():
    for ours, other in zip(BOTH, (theirs.MLPClassifier, theirs.MLPRegressor), strict=True):
        more = {
            "dropout",
            "batch_norm",
            "layers",
            "callbacks",
            "dtype",
            "n_threads",
            "class_weight",
            "categorical_features",
        }
        assert set(ours().get_params()) - more == set(other().get_params()) | (set(ours().get_params()) & {"loss"})
        for name, value in other().get_params().items():
            assert ours().get_params()[name] == value


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"solver": "adamm"}, "solver is 'adamm', expected 'adam'"),
        ({"dropout": 1.0}, "dropout is 1.0, expected 0 ≤ dropout < 1"),
        ({"hidden_layer_sizes": (3, 0)}, r"must be > 0, got \[3, 0\]"),
        ({"hidden_layer_sizes": (3.0,)}, r"must be whole numbers, got \[3.0\]"),
        ({"hidden_layer_sizes": "3"}, r"must be whole numbers, got \['3'\]"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"solver": "lbfgs", "dropout": 0.5}, "needs a loss that is a function of the weights alone"),
        ({"n_threads": 0}, "n_threads is 0"),
    ],
)
def test_wrong_parameters_are_told(wrong, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**wrong).fit(X, LABELS)


def test_a_sparse_matrix_that_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    sparse = pytest.importorskip("scipy.sparse")
    monkeypatch.setattr("fastnn.engine.available_memory.available_bytes", lambda: 1 << 20)
    with pytest.raises(OutOfMemoryError, match="as a dense array"):
        data.dense(sparse.csr_matrix((10_000, 10_000)), "X")


def test_scikit_learns_own_tests_have_what_is_changed_in_them():
    assert "from fastnn.sklearn import" in upstream.changed()
