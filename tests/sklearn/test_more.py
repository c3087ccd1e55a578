"""What scikit-learn's estimators lack, and how these ones go through its tools."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastnn as fn
from fastnn.engine.threads import usable_threads
from fastnn.sklearn import MLPClassifier, MLPRegressor, sharing

X, LABELS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[LABELS]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small(**more):
    return MLPClassifier(**({"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0} | more))


@pytest.mark.parametrize("through", [lambda it: pickle.loads(pickle.dumps(it)), "file"], ids=["pickle", "joblib"])
def test_copies_predict_and_go_on_alike(through, tmp_path):
    net = small().fit(X, NAMES)
    if through == "file":
        joblib.dump(net, tmp_path / "net.joblib")
        copied = joblib.load(tmp_path / "net.joblib")
    else:
        copied = through(net)
    np.testing.assert_array_equal(copied.predict_proba(X), net.predict_proba(X))
    for one in (net, copied):
        one.partial_fit(X[:50], NAMES[:50])
    np.testing.assert_array_equal(copied.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("more", [{}, {"solver": "lbfgs"}], ids=["adam", "lbfgs"])
def test_the_warning_that_nothing_converged_points_at_the_user_s_line(more):
    with pytest.warns(ConvergenceWarning) as told:
        small(**more).fit(X, NAMES)
    assert [one.filename for one in told] == [__file__]


def test_classes_that_are_named_again_are_the_same():
    net = small().partial_fit(X[:50], NAMES[:50], classes=NAMES)
    net.partial_fit(X[50:], NAMES[50:], classes=NAMES[::-1])
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        net.partial_fit(X, NAMES, classes=[*NAMES, "other"])


def test_layers_are_a_network_before_the_output():
    images = np.random.default_rng(0).normal(size=(30, 16))
    layers = [fn.Reshape((4, 4, 1)), fn.Conv2D(3, 3, "relu"), fn.Flatten(), fn.Dense(5, "tanh")]
    net = clone(small(layers=layers, dtype="float32")).fit(images, LABELS[::5])
    assert [w.shape for w in net.coefs_] == [(3, 3, 1, 3), (48, 5), (5, 3)]
    assert net.model_.dtype == "float32"


def test_dropout_batch_norm_and_callbacks_reach_the_model():
    class Counter(fn.Callback):
        epochs = 0

        def on_epoch_end(self, run):
            Counter.epochs += 1

    net = small(hidden_layer_sizes=(6, 4), dropout=0.2, batch_norm=True, callbacks=[Counter()], batch_size=149)
    net.fit(X, NAMES)
    kinds = [layer.kind for layer in net.model_.layers]
    assert kinds == ["dense", "batch_norm", "activation", "dropout"] * 2 + ["dense"]
    assert Counter.epochs == 3


def test_validation_data_are_judged_each_epoch_and_can_stop():
    net = small(max_iter=30, early_stopping=True, n_iter_no_change=3, tol=0.5)
    net.fit(X[::2], NAMES[::2], validation_data=(X[1::2], NAMES[1::2]))
    assert net.n_iter_ < 30
    assert len(net.validation_curve_) == len(net.validation_scores_) == net.n_iter_
    assert net.best_validation_score_ == max(net.validation_scores_) == net.score(X[1::2], NAMES[1::2])


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_validation_loss_can_stop_and_its_lowest_weights_are_kept(kind):
    """Labels that are wrong at random: the loss rises soon, while the score of few samples may still do anything."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 3)), rng.integers(0, 2, 80)
    net = kind(30, early_stopping="loss", n_iter_no_change=4, learning_rate_init=0.03, random_state=0)
    net.fit(x[:40], y[:40], validation_data=(x[40:], y[40:]))
    best = int(np.argmin(net.validation_curve_))
    assert net.n_iter_ < 200
    assert net.n_iter_ - best > 4
    figures = net.model_.evaluate(x[40:], y[40:].astype(float))
    assert figures["loss"] == pytest.approx(net.validation_curve_[best], rel=1e-12)
    assert net.best_validation_score_ == max(net.validation_scores_)
    with pytest.raises(ValueError, match="early_stopping=loss"):
        net.partial_fit(x, y)
    with pytest.raises(ValueError, match="early_stopping is 'accuracy', expected True, False or 'loss'"):
        kind(early_stopping="accuracy").fit(x, y)


def test_class_weight_counts_as_sample_weight_does():
    of_classes = small(class_weight={"virginica": 5}).fit(X, NAMES)
    of_samples = small().fit(X, NAMES, np.where(NAMES == "virginica", 5, 1))
    np.testing.assert_array_equal(of_classes.predict_proba(X), of_samples.predict_proba(X))


def test_several_outputs_and_labels():
    numbers = MLPRegressor(4, max_iter=3, random_state=0).fit(X[:, :2], X[:, 2:])
    assert numbers.predict(X[:, :2]).shape == (150, 2)
    labels = small(early_stopping=True).fit(X, np.column_stack([LABELS > 0, LABELS > 1]).astype(int))
    assert set(np.unique(labels.predict(X))) <= {0, 1}
    assert labels.predict_proba(X).shape == (150, 2)


def test_frames_of_numbers_truths_and_missing_flags_go_in_directly_and_by_columns():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1] > 3, "c": pd.array((X[:, 2] * 10).astype(int), dtype="Int64")})
    net = small().fit(frame, NAMES)
    assert list(net.feature_names_in_) == ["a", "b", "c"]
    np.testing.assert_array_equal(net.predict(frame), net.predict(frame.astype(float)))
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[["b", "a", "c"]])
    frame["kind"] = pd.Categorical(np.where(X[:, 3] > 1, "wide", "narrow"))
    columns = ColumnTransformer([("text", OneHotEncoder(), ["kind"])], remainder=StandardScaler())
    piped = make_pipeline(columns, small()).fit(frame, NAMES)
    assert piped.predict(frame).shape == (150,)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_searches_run_in_two_jobs(backend):
    with joblib.parallel_config(backend=backend):
        scores = cross_val_score(small(), X, NAMES, cv=2, n_jobs=2)
        search = GridSearchCV(small(), {"hidden_layer_sizes": [3, 4], "alpha": [0, 1]}, cv=2, n_jobs=2).fit(X, NAMES)
    np.testing.assert_array_equal(scores, cross_val_score(small(), X, NAMES, cv=2))
    assert search.best_estimator_.n_features_in_ == 4


def threads_of_a_job():
    with sharing.threads(None):
        return usable_threads()


def test_a_worker_thread_of_joblib_has_itself_alone():
    inside = joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(threads_of_a_job)() for _ in range(4))
    assert inside == [1] * 4
    assert threads_of_a_job() == usable_threads()


def test_threads_do_not_change_a_bit():
    got, want = (small(n_threads=count).fit(X, NAMES).predict_proba(X) for count in (1, 2))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("y", [[None, "a", "b"] * 50, [1, 0, None] * 50], ids=["texts", "numbers"])
def test_a_missing_class_is_told_with_its_row(y):
    first = y.index(None)
    with pytest.raises(ValueError, match=rf"y has no class \(None\) in 50 rows, the first is row {first}: leave"):
        small().fit(X, y)


def test_one_class_is_predicted_always_as_scikit_learn_s_estimator_does():
    net = small().fit(X, ["only"] * len(X))
    assert set(net.predict(X)) == {"only"}
    np.testing.assert_array_equal(net.predict_proba(X), np.ones((len(X), 1)))


def test_of_several_labels_at_once_those_above_a_half_are_predicted():
    y = np.stack([X[:, 0] > X[:, 0].mean(), X[:, 1] > X[:, 1].mean(), X[:, 0] > 99], axis=1).astype(int)
    net = small().fit(X, y)
    found, probabilities = net.predict(X), net.predict_proba(X)
    assert found.shape == y.shape
    np.testing.assert_array_equal(found, probabilities > 0.5)
    assert 0 < found[:, 0].mean() < 1


def test_iterations_of_lbfgs_are_counted():
    net = small(solver="lbfgs", max_iter=5000, max_fun=50_000, tol=0.01).fit(X, NAMES)
    assert 1 < net.n_iter_ < 5000
    assert net.best_loss_ == net.loss_
