"""Metrics have the right values: in training and evaluation, for every kind of batch, weight and source."""

import math
import re

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.data import streamed
from fastnn.training.passes import kinds
from tests.tiny import THREADS, two_threads

SAMPLES, WIDTH = 41, 6
rng = np.random.default_rng(8)
X = rng.normal(size=(SAMPLES, WIDTH))
W = rng.integers(0, 4, SAMPLES).astype(float)
NUMBERS = 80 + 3 * rng.normal(size=(SAMPLES, 3))
LABELS = rng.integers(0, 7, SAMPLES)
BITS = rng.integers(0, 2, (SAMPLES, 3))
ONE_HOT = np.eye(3)[rng.integers(0, 3, SAMPLES)]
RTOL = {"float32": 2e-5, "float64": 1e-12}


def mean(each, w):
    return float(np.average(each.reshape(len(each), -1).mean(axis=1), weights=w))


def r2(y, p, w):
    """By the definition, output by output."""
    scores = []
    for t, s in zip(y.T, p.T, strict=True):
        middle = np.average(t, weights=w)
        scores.append(1 - np.average((t - s) ** 2, weights=w) / np.average((t - middle) ** 2, weights=w))
    return float(np.mean(scores))


def top(k, y, p):
    return np.array(
        [label in sorted(range(len(row)), key=lambda j: -row[j])[:k] for label, row in zip(y, p, strict=True)]
    )


def cross_entropy(y, p):
    return -np.log(p[np.arange(len(y)), y])


def largest_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max()


def weighted_bias(y_true, y_pred, sample_weight=None):
    return np.average(y_pred - y_true, axis=0, weights=sample_weight).sum()


ERRORS = {
    "mae": lambda y, p, w: mean(np.abs(p - y), w),
    "mse": lambda y, p, w: mean((p - y) ** 2, w),
    "rmse": lambda y, p, w: math.sqrt(mean((p - y) ** 2, w)),
}
WHOLE = {
    "r2": r2,
    largest_error: lambda y, p, w: np.abs(y - p).max(),
    ("bias", weighted_bias): lambda y, p, w: float(np.average(p - y, axis=0, weights=w).sum()),
}
OF_LABELS = {
    "accuracy": lambda y, p, w: mean(p.argmax(axis=1) == y, w),
    "top_2": lambda y, p, w: mean(top(2, y, p), w),
    ("among_five", "top_5"): lambda y, p, w: mean(top(5, y, p), w),
    "perplexity": lambda y, p, w: math.exp(mean(cross_entropy(y, p), w)),
}
SAME_SIGN = {"sign_accuracy": lambda y, p, w: mean(np.sign(y) == np.sign(p), w)}
OF_BITS = {"accuracy": lambda y, p, w: mean((p > 0.5) == (y > 0.5), w)}

# loss, targets, metric -> (y, prediction, weights) -> its value
CASES = {
    "labels": ("softmax_cross_entropy", LABELS, OF_LABELS),
    "labels, smooth": (fn.SoftmaxCrossEntropy("sum", label_smoothing=0.2), LABELS, OF_LABELS),
    "bits": ("binary_cross_entropy", BITS, OF_BITS | ERRORS | WHOLE),
    "one bit, mse": ("mse", BITS[:, :1], OF_BITS | ERRORS | WHOLE),
    "one of several": ("mse", ONE_HOT, {"accuracy": lambda y, p, w: mean(p.argmax(axis=1) == y.argmax(axis=1), w)}),
    "signs": (fn.MSE(scale=0.5), 2.0 * BITS[:, :1] - 1, SAME_SIGN),
    "three signs": ("huber", 2.0 * BITS - 1, SAME_SIGN),
    "numbers": ("mse", NUMBERS, ERRORS | WHOLE | SAME_SIGN),
    "one number": ("mae", NUMBERS[:, :1], ERRORS | WHOLE),
    "own loss": (fn.ElementwiseLoss(value=lambda s, t: (s - t) ** 4, gradient=lambda s, t: 4 * (s - t) ** 3),
                 NUMBERS - 80, ERRORS | WHOLE),
}  # fmt: skip


def net(case, dtype="float64", hidden=5, **options):
    loss, y, wanted = CASES[case]
    outputs = 7 if y.ndim == 1 else y.shape[1]
    layers = [fn.Dense(hidden, "tanh"), fn.Dense(outputs, bias_initializer=fn.initializers.Normal(0.5))]
    options = {"metrics": list(wanted), "seed": 4} | options
    return fn.Sequential(layers, input_shape=(WIDTH,), loss=loss, dtype=dtype, **options)


def want(case, model, rows=slice(None), w=None, running=False):
    """The metrics by their formulas; `running`: those that a running epoch reports."""
    y, p = CASES[case][1][rows], model.predict(X[rows]).astype(np.float64)
    figures = CASES[case][2].items()
    names = {given: given if isinstance(given, str) else given[0] if isinstance(given, tuple) else given.__name__
             for given, _ in figures}  # fmt: skip
    return {names[given]: formula(y, p, w) for given, formula in figures if not (running and given in WHOLE)}


def check(got, wanted, dtype="float64", prefix=""):
    for name, value in wanted.items():
        np.testing.assert_allclose(got[prefix + name], value, rtol=RTOL[dtype], err_msg=name)


def still(model, case, **options):
    """Figures of an epoch in which the weights stay what they are."""
    options = {"optimizer": fn.SGD(0.0), "batch_size": 16, "verbose": False} | options
    model.fit(X, CASES[case][1], **options)
    return model.history.epochs[-1]


@pytest.mark.parametrize("weights", [None, W], ids=["equal", "weighted"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
class TestValues:
    def test_evaluate(self, case, dtype, weights):
        model = net(case, dtype)
        got = model.evaluate(X, CASES[case][1], sample_weight=weights)
        wanted = want(case, model, w=weights)
        check(got, wanted, dtype)
        assert list(got) == ["loss", *wanted]

    def test_a_running_epoch(self, case, dtype, weights):
        model = net(case, dtype)
        got = still(model, case, sample_weight=weights)
        check(got, want(case, model, w=weights, running=True), dtype)
        assert not {"r2", "largest_error", "bias"} & set(got)

    def test_validation(self, case, dtype, weights):
        model, late = net(case, dtype), slice(20, None)
        given = [X[late], CASES[case][1][late], *([] if weights is None else [weights[late]])]
        got = still(model, case, validation_data=tuple(given))
        check(got, want(case, model, late, None if weights is None else weights[late]), dtype, "val_")


@pytest.mark.parametrize("hidden", [5, 40], ids=["narrow", "wide"])
@pytest.mark.parametrize("options", [{}, {"batch_size": None}, {"batch_size": None, "steps_per_epoch": 3},
                                     {"batch_size": 1, "steps_per_block": 4}, {"shuffle": False}], ids=str)  # fmt: skip
@pytest.mark.parametrize("case", ["labels", "labels, smooth", "bits", "numbers", "three signs"])
def test_batches_of_every_kind(case, options, hidden):
    model = net(case, hidden=hidden)
    check(still(model, case, sample_weight=W, **options), want(case, model, w=W, running=True))


@pytest.mark.parametrize("case", ["labels", "numbers"])
def test_streams(case, tmp_path, monkeypatch):
    monkeypatch.setattr(streamed, "SHUFFLE_BLOCK_BYTES", 5 * 8)
    monkeypatch.setattr(streamed, "SHUFFLE_BUFFER_BYTES", 17 * 8)
    monkeypatch.setattr(kinds, "EVALUATION_BATCH", 8)  # so there are several chunks
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = X, CASES[case][1]
    with fn.H5Stream(tmp_path / "a.h5", "x") as x, fn.H5Stream(tmp_path / "a.h5", "y") as y:
        model = net(case)
        check(model.evaluate(x, y, sample_weight=W), want(case, model, w=W))
        model.fit(x, y, optimizer=fn.SGD(0.0), batch_size=4, validation_data=(x, y), sample_weight=W, verbose=False)
        check(model.history.epochs[0], want(case, model, w=W, running=True))
        check(model.history.epochs[0], want(case, model), prefix="val_")


@two_threads
@pytest.mark.parametrize("hidden", [5, 200])
@pytest.mark.parametrize("case", ["labels, smooth", "bits", "numbers"])
def test_metrics_change_no_bit_of_training_at_any_number_of_threads(case, hidden):
    def trained(threads, **options):
        with fn.threads(threads):
            model = net(case, "float32", hidden, **options)
            model.fit(X, CASES[case][1], optimizer=fn.SGD(0.01), batch_size=16, epochs=3, verbose=False)
            return model

    plain, one, two = trained(1, metrics=()), trained(1), trained(THREADS)
    for other in (one, two):
        assert plain.parameters.flat.tobytes() == other.parameters.flat.tobytes()
        assert plain.history["loss"] == other.history["loss"]
    figures = [[{k: v for k, v in e.items() if "second" not in k} for e in m.history.epochs] for m in (one, two)]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("case", ["labels", "numbers"])
def test_a_resumed_training_reports_what_an_uninterrupted_one_does(case, tmp_path):
    def figures(model, epochs, *callbacks):
        y = CASES[case][1]
        options = {"batch_size": 16, "validation_split": 0.25, "verbose": False}
        model.fit(X, y, optimizer=fn.SGD(0.001), epochs=epochs, callbacks=callbacks, **options)
        return [{k: v for k, v in epoch.items() if "second" not in k} for epoch in model.history.epochs]

    wanted = figures(net(case), 4)
    figures(net(case), 2, fn.Checkpoint(tmp_path / "a.h5"))
    resumed = net(case)
    assert figures(resumed, 4, fn.Checkpoint(tmp_path / "a.h5", resume=True)) == wanted
    assert figures(net(case, metrics=()), 4, fn.Checkpoint(tmp_path / "b.h5"))[0].keys() < wanted[0].keys()
    fewer = net(case, metrics=())  # metrics decide no weight, so they may be others
    figures(fewer, 4, fn.Checkpoint(tmp_path / "a.h5", resume=True))
    assert fewer.parameters.flat.tobytes() == resumed.parameters.flat.tobytes()


def test_the_accuracy_of_one_output_that_is_trained_as_a_number():
    """Right is what lies on the same side of ½ as its target."""
    model = fn.Sequential([fn.Dense(1)], input_shape=WIDTH, loss="mse", metrics=["accuracy"], dtype="float64", seed=2)
    y = (X[:, 0] > 0).astype(float)
    sides = model.predict(X)[:, 0] > 0.5
    assert 0 < (sides == y).mean() < 1
    assert model.evaluate(X, y)["accuracy"] == pytest.approx((sides == y).mean(), rel=1e-12)


def test_of_sequences_with_a_label_at_each_step():
    """Over all steps that have a label; a perplexity is without the smoothing that the loss has."""
    layers = [fn.Embedding(9, 3), fn.GRU(5, return_sequences=True), fn.Dense(9)]
    loss, settings = fn.SoftmaxCrossEntropy(label_smoothing=0.2), {"dtype": "float64", "seed": 1}
    model = fn.Sequential(layers, input_shape=4, loss=loss, metrics=["perplexity"], **settings)
    x, y = rng.integers(0, 9, (12, 4)), rng.integers(0, 9, (12, 4))
    y[0, 1:] = y[3, 0] = -1
    got, p = model.evaluate(x, y), model.predict(x)
    assert p.shape == (12, 4, 9)
    each = cross_entropy(y[y >= 0], p[y >= 0])
    assert got["perplexity"] == pytest.approx(math.exp(each.mean()), rel=1e-12)
    assert got["loss"] > each.mean(), "smoothed"


def test_as_long_as_no_sample_counts_nothing_is_measured():
    model = net("numbers")
    weights = np.r_[np.zeros(16), np.ones(25)]
    model.fit(X, NUMBERS, optimizer=fn.SGD(0.0), batch_size=16, shuffle=False, sample_weight=weights, verbose=False)
    check(model.history.epochs[0], want("numbers", model, w=weights, running=True))


def test_a_metric_that_overflows_float32_does_not_end_a_training():
    model = fn.Sequential([fn.Dense(1)], input_shape=(1,), loss="mae", metrics=["mse"])
    x, y = np.ones((4, 1)), np.full(4, 1e25)
    model.fit(x, y, optimizer=fn.SGD(1e-3), verbose=False)
    assert model.history["mse"][0] == pytest.approx(1e50, rel=1e-6)


def test_scikit_learn_s_functions():
    metrics = pytest.importorskip("sklearn.metrics")
    model = net("numbers", metrics=[metrics.r2_score, "r2", metrics.mean_absolute_error, "mae", ("mse", "mse")])
    got = model.evaluate(X, NUMBERS, sample_weight=W)
    assert got["r2"] == pytest.approx(got["r2_score"], rel=1e-12)
    assert got["mae"] == pytest.approx(got["mean_absolute_error"], rel=1e-12)
    model = net(
        "labels", metrics=["top_3", ("f1", lambda y, p: metrics.f1_score(y, p.argmax(axis=1), average="macro"))]
    )
    got, p = model.evaluate(X, LABELS, sample_weight=W), model.predict(X)
    assert got["top_3"] == pytest.approx(metrics.top_k_accuracy_score(LABELS, p, k=3, sample_weight=W, labels=range(7)))
    assert got["f1"] == metrics.f1_score(LABELS, p.argmax(axis=1), average="macro")
    with pytest.raises(ValueError, match=r"f1_score.*for classes give a function that takes y_pred.argmax\(axis=1\)$"):
        net("labels", metrics=[metrics.f1_score]).evaluate(X, LABELS)


@pytest.mark.parametrize(
    ("outputs", "loss", "name", "hint"),
    [
        (
            1,
            "binary_cross_entropy",
            "f1_score",
            "y_pred are probabilities: for classes give a function of y_pred > 0.5",
        ),
        (2, "softmax_cross_entropy", "roc_auc_score", "for the score of the second class y_pred[:, 1]"),
        (1, "mse", "f1_score", "targets"),
    ],
)
def test_what_a_function_of_two_classes_takes(outputs, loss, name, hint):
    function = getattr(pytest.importorskip("sklearn.metrics"), name)
    model = fn.Sequential([fn.Dense(outputs)], input_shape=X.shape[1:], loss=loss, metrics=[function])
    with pytest.raises(ValueError, match=rf"^metric '{name}' of .*{re.escape(hint)}$"):
        model.evaluate(X, np.arange(len(X)) % 2)


def test_a_function_that_takes_a_column_of_one_output():
    model = fn.Sequential([fn.Dense(1)], input_shape=X.shape[1:], metrics=[("a", lambda y, p: p[:, 1])], loss="mse")
    with pytest.raises(ValueError, match=r"^metric 'a' of y_true \(\d+,\) and y_pred \(\d+,\).*: too many indices"):
        model.evaluate(X, np.arange(len(X)) % 2)
