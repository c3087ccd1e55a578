"""Copies by pickle and joblib predict with the same bits: models, with their preprocessing, and estimators."""

import io
import pickle

import numpy as np
import pytest

import fastnn as fn
from tests.interop.nets import random_net
from tests.tiny import bits, tiny_model

joblib = pytest.importorskip("joblib")


def by_joblib(given):
    file = io.BytesIO()
    joblib.dump(given, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {"pickle": lambda given: pickle.loads(pickle.dumps(given)), "joblib": by_joblib}


def predicted(model, x):
    found = model.predict(x)
    return bits(found if isinstance(found, dict) else {"": found})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", range(6))
def test_models(number, way):
    """Rows of layers, branches, and pictures with Pixels: each in float32 and in float64."""
    model, x = random_net(number)
    copied = WAYS[way](model)
    assert (type(copied), copied.dtype) == (type(model), model.dtype)
    assert predicted(copied, x) == predicted(model, x)
    before = predicted(model, x)
    for array in copied.parameters.values():
        array += 0.5
    assert predicted(model, x) == before, "the copy shares memory with the model"
    assert predicted(copied, x) != before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_words(way, dtype):
    model = tiny_model(words=4, preprocessing=fn.Words(["a", "b", "c", "d"]), dtype=dtype)
    assert predicted(WAYS[way](model), ["a b c", "d d a"]) == predicted(model, ["a b c", "d d a"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators(kind, dtype, way):
    pytest.importorskip("sklearn")
    import fastnn.sklearn as estimators

    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(30, 4)).astype(dtype), draw.integers(0, 3, 30)
    estimator = getattr(estimators, kind)(5, dropout=0.2, batch_norm=True, max_iter=2, random_state=0).fit(x, y)
    copied = WAYS[way](estimator)
    method = "predict_proba" if kind == "MLPClassifier" else "predict"
    got, want = (getattr(one, method)(x) for one in (copied, estimator))
    assert bits({"": got}) == bits({"": want})
    assert got.dtype == want.dtype
