"""Which metrics a model has, which it refuses, and what a file keeps of them."""

import copy
import math
import pickle
from typing import get_args

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.config import config_of
from fastnn.nn.metrics import METRICS, MetricName
from fastnn.nn.metrics.whole import R2

X = np.random.default_rng(0).normal(size=(9, 4))


def net(loss="mse", outputs=1, **options):
    return fn.Sequential([fn.Dense(outputs)], input_shape=(4,), loss=loss, **options)


def names(model):
    return [metric.name for metric in model.network.metrics]


def spread(y_true, y_pred):
    return np.ptp(y_pred)


def test_editors_know_the_names():
    assert set(get_args(MetricName)) == set(METRICS)


class TestWhichThereAre:
    @pytest.mark.parametrize("loss", ["mse", "mae", "huber", fn.MSE(scale=0.5)])
    def test_regression_reports_no_accuracy(self, loss, tmp_path):
        model, y = net(loss), 80 + X[:, 0]
        log = fn.CSVLogger(tmp_path / "a.csv")
        model.fit(X, y, optimizer=fn.SGD(0.1), validation_data=(X, y), callbacks=[log], verbose=False)
        figures = ["epoch", "loss", "lr", "seconds", "samples_per_second", "val_loss"]
        assert list(model.history.epochs[0]) == figures
        assert (tmp_path / "a.csv").read_text("utf-8").splitlines()[0] == ",".join(figures)
        assert list(model.evaluate(X, y)) == ["loss"]

    def test_cross_entropies_report_accuracy_first(self):
        assert names(net("softmax_cross_entropy", 3)) == names(net("binary_cross_entropy")) == ["accuracy"]
        assert names(net("binary_cross_entropy", metrics=["mae", "accuracy", "mae"])) == ["accuracy", "mae"]

    def test_names_pairs_and_functions(self):
        model = net(metrics=["mae", ("mean_error", "rmse"), spread, ("width", lambda t, p: np.ptp(p)), "r2"])
        assert names(model) == ["mae", "mean_error", "spread", "width", "r2"]
        got = model.evaluate(X, X[:, 0])
        assert got["spread"] == got["width"] == np.ptp(model.predict(X))

    def test_the_line_of_an_epoch_shows_them(self, caplog):
        net(metrics=["mae", "r2"]).fit(X, X[:, 0], optimizer=fn.SGD(0.1), validation_data=(X, X[:, 0]), verbose=True)
        line = caplog.messages[-1]
        assert [part.split()[0] for part in line.split("  ")[1:-1]] == ["loss", "mae", "val_loss", "val_mae", "val_r2"]


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (TypeError, "metrics is 'mae', expected a list", {"metrics": "mae"}),
        (TypeError, "metrics is <function spread", {"metrics": spread}),
        (TypeError, "expected a list", {"metrics": 3}),
        (TypeError, "metric: got 3", {"metrics": [3]}),
        (TypeError, "a pair", {"metrics": [("mae",)]}),
        (ValueError, "did you mean", {"metrics": ["acuracy"]}),
        (ValueError, "'mean_absolute_error'; it is called 'mae' here", {"metrics": ["mean_absolute_error"]}),
        (ValueError, "no name; give it one", {"metrics": [lambda t, p: 0.0]}),
        (ValueError, "has the name 'loss'", {"metrics": [("loss", "mae")]}),
        (ValueError, "has the name 'val_mae'", {"metrics": [("val_mae", "mae")]}),
        (ValueError, "two that are called 'mae'", {"metrics": ["mae", ("mae", "mse")]}),
        (ValueError, "called 'accuracy'", {"metrics": [("accuracy", "top_2")], "loss": "softmax_cross_entropy"}),
        (ValueError, "takes labels, and it compares numbers", {"metrics": ["mae"], "loss": "softmax_cross_entropy"}),
        (ValueError, "takes labels, and it compares numbers", {"metrics": ["r2"], "loss": "softmax_cross_entropy"}),
        (ValueError, "targets of mse are numbers, and it looks for labels", {"metrics": ["top_2"]}),
        (ValueError, "of 5 classes; use a k from 1 to 4", {"metrics": ["top_5"], "loss": "softmax_cross_entropy"}),
        (ValueError, "of 5 classes", {"metrics": ["top_0"], "loss": "softmax_cross_entropy"}),
        (ValueError, "no cross-entropy of labels", {"metrics": ["perplexity"], "loss": "binary_cross_entropy"}),
        (ValueError, "have no signs; use 'accuracy'", {"metrics": ["sign_accuracy"], "loss": "binary_cross_entropy"}),
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused(error, message, options):
    with pytest.raises(error, match=message):
        net(outputs=5, **options)


class TestAccuracyOfARegression:
    @pytest.mark.parametrize("y", [80 + X[:, 0], np.sign(X[:, 0]), np.full(9, 0.5)])
    def test_other_targets_than_0_and_1_are_refused(self, y):
        with pytest.raises(fn.DataError, match=r"'accuracy': y\[\d\] is .*, expected 0 or 1; use 'sign_accuracy' for"):
            net(metrics=["accuracy"]).evaluate(X, y)

    @pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0], [0.5, 0, 0], [2, 0, 0], [1, 0, -1]])
    def test_rows_without_one_1_are_refused(self, row):
        y = np.array([[0, 1, 0], [-1, -1, 1], row])
        with pytest.raises(fn.DataError, match=r"y\[2\] is .*, expected one 1 in each row"):
            net(outputs=3, metrics=["accuracy"]).evaluate(X[:3], y)

    def test_nan_is_never_right(self):
        model = net("softmax_cross_entropy", 4, metrics=["top_3"])
        model.parameters["dense.b"][:] = [0, np.nan, 0, 0]
        assert model.evaluate(X, np.zeros(9, int))["top_3"] == 0


class TestR2:
    """The values are scikit-learn's r2_score's."""

    def of(self, y, p, weights=None):
        y, p = (np.array(one, float).reshape(len(one), -1) for one in (y, p))
        return R2("r2", fn.MSE(), y.shape[1]).of_all(y, p, weights)

    def test_worked_numbers(self):
        assert self.of([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]) == pytest.approx(0.9486081370449679, rel=1e-15)
        y, p = [[0.5, 1], [-1, 1], [7, -6]], [[0, 2], [-1, 2], [8, -5]]
        assert self.of(y, p) == pytest.approx(0.9368005266622779, rel=1e-15)

    def test_a_weight_of_k_is_k_copies(self):
        y, p, w = X[:, 0], X[:, 1], np.arange(9)
        assert self.of(y, p, w) == pytest.approx(self.of(np.repeat(y, w), np.repeat(p, w)), rel=1e-13)

    def test_targets_that_are_all_equal(self):
        assert self.of([5, 5, 5], [5, 5, 5]) == 1
        assert self.of([5, 5, 5], [5, 5, 6]) == 0
        assert self.of([[5, 1], [5, 2]], [[5, 1], [6, 2]]) == 0.5

    def test_far_from_zero_no_digit_is_lost(self):
        y = 1e9 + np.arange(5.0)
        assert self.of(y, y + 1) == pytest.approx(0.5, rel=1e-12)

    def test_one_sample_has_none(self):
        assert math.isnan(self.of([1], [1]))


class TestFunctions:
    def test_what_they_get(self):
        seen = {}

        def look(y_true, y_pred, sample_weight=None):
            seen.update(y=y_true, p=y_pred, w=sample_weight)
            return 1

        labels = np.arange(9) % 3
        model = net("softmax_cross_entropy", 3, metrics=[look])
        assert model.evaluate(X, labels)["look"] == 1.0
        assert seen["w"] is None
        np.testing.assert_array_equal(seen["y"], labels)
        np.testing.assert_array_equal(seen["p"], model.predict(X))
        model = net(metrics=[look])
        model.evaluate(X, X[:, :1], sample_weight=np.arange(9))
        assert seen["y"].shape == seen["p"].shape == seen["w"].shape == (9,)
        np.testing.assert_array_equal(seen["w"], np.arange(9))

    def test_they_cannot_change_the_targets(self):
        def spoil(y_true, y_pred):
            y_true[:] = 0
            return 0

        y = X[:, 0].copy()
        with pytest.raises(ValueError, match=r"metric 'spoil' of y_true \(9,\).*read-only"):
            net(metrics=[spoil]).evaluate(X, y)
        np.testing.assert_array_equal(y, X[:, 0])

    @pytest.mark.parametrize("value", [None, "3", [1, 2], 1j])
    def test_they_return_a_number(self, value):
        with pytest.raises(TypeError, match=r"metric 'mine' returned .*, expected a number"):
            net(metrics=[("mine", lambda t, p: value)]).evaluate(X, X[:, 0])

    def test_their_nan_is_reported(self):
        assert math.isnan(net(metrics=[("mine", lambda t, p: np.nan)]).evaluate(X, X[:, 0])["mine"])


class TestFiles:
    def test_names_come_back_functions_do_not(self, tmp_path):
        model = net(metrics=["mae", ("direction", "sign_accuracy"), spread, "r2"])
        model.save(tmp_path / "a.h5")
        assert names(fn.load(tmp_path / "a.h5")) == ["mae", "direction", "r2"]
        assert names(fn.load(tmp_path / "a.h5", metrics=["mse", spread])) == ["mse", "spread"]
        assert names(fn.load(tmp_path / "a.h5", metrics=[])) == []

    def test_another_loss_keeps_what_fits_it(self, tmp_path):
        net("softmax_cross_entropy", 3, metrics=["top_2", "perplexity"]).save(tmp_path / "a.h5")
        all_three = ["accuracy", "top_2", "perplexity"]
        assert names(fn.load(tmp_path / "a.h5")) == all_three
        assert names(fn.load(tmp_path / "a.h5", loss="mse")) == []
        assert names(fn.load(tmp_path / "a.h5", loss=fn.SoftmaxCrossEntropy("sum"))) == [
            "accuracy",
            "top_2",
            "perplexity",
        ]

    def test_a_description_without_metrics_is_as_it_was(self):
        assert "metrics" not in config_of(net("softmax_cross_entropy", 3).network)
        assert "metrics" not in config_of(net(metrics=[spread]).network)

    def test_copies_measure_the_same(self):
        model = net(metrics=["rmse", spread])
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert other.evaluate(X, X[:, 0]) == model.evaluate(X, X[:, 0])


def two_outputs(loss=None, **options):
    x = fn.Input((4,))
    hidden = fn.Dense(6, "tanh")(x)
    outputs = {"price": fn.Dense(2)(hidden), "kind": fn.Dense(4)(hidden)}
    loss = loss or {"price": "mse", "kind": "softmax_cross_entropy"}
    return fn.Model(x, outputs, loss=loss, loss_weights={"price": 0.25}, dtype="float64", **options)


class TestSeveralOutputs:
    Y = {"price": X[:, :2] + 1, "kind": np.arange(9) % 4}  # noqa: RUF012
    W = np.arange(9.0)
    METRICS = {"price": ["mae", "r2", spread], "kind": ["top_2", ("likely", "perplexity")]}  # noqa: RUF012
    NAMES = ("price_loss", "price_mae", "price_r2", "price_spread", "kind_loss", "kind_accuracy", "kind_top_2",
             "kind_likely")  # fmt: skip

    def test_each_has_its_own(self):
        model = two_outputs(metrics=self.METRICS)
        got, p = model.evaluate(X, self.Y, sample_weight=self.W), model.predict(X)
        assert list(got) == ["loss", *self.NAMES]
        d, scores = p["price"] - self.Y["price"], p["kind"]
        entropy = -np.log(scores[np.arange(9), self.Y["kind"]])
        right = scores.argmax(axis=1) == self.Y["kind"]
        wanted = {
            "price_loss": np.average((d**2).mean(axis=1), weights=self.W),
            "price_mae": np.average(np.abs(d).mean(axis=1), weights=self.W),
            "price_r2": R2("r2", fn.MSE(), 2).of_all(self.Y["price"], p["price"], self.W),
            "price_spread": np.ptp(p["price"]),
            "kind_loss": np.average(entropy, weights=self.W),
            "kind_accuracy": np.average(right, weights=self.W),
            "kind_likely": np.exp(np.average(entropy, weights=self.W)),
        }
        wanted["loss"] = 0.25 * wanted["price_loss"] + wanted["kind_loss"]
        for name, value in wanted.items():
            assert got[name] == pytest.approx(value, rel=1e-12), name

    def test_a_running_epoch_reports_them(self):
        model = two_outputs(metrics=self.METRICS)
        model.fit(X, self.Y, optimizer=fn.SGD(0.0), batch_size=4, validation_data=(X, self.Y), verbose=False)
        got, wanted = model.history.epochs[0], model.evaluate(X, self.Y)
        for name, value in wanted.items():
            assert got[f"val_{name}"] == value
            if name not in ("price_r2", "price_spread"):
                assert got[name] == pytest.approx(value, rel=1e-12), name
        assert "price_r2" not in got

    def test_a_list_is_for_all_of_them(self):
        model = two_outputs(loss="mse", metrics=["mae"])
        assert names(model) == ["price_loss", "price_mae", "kind_loss", "kind_mae"]

    def test_files_keep_them(self, tmp_path):
        two_outputs(metrics=self.METRICS).save(tmp_path / "a.h5")
        assert names(fn.load(tmp_path / "a.h5")) == [name for name in self.NAMES if name != "price_spread"]
        kept = fn.load(tmp_path / "a.h5", loss="mae")
        assert names(kept) == ["price_loss", "price_mae", "price_r2", "kind_loss"]
        assert names(fn.load(tmp_path / "a.h5", metrics={"kind": []})) == ["price_loss", "kind_loss", "kind_accuracy"]

    def test_bad_names(self):
        with pytest.raises(ValueError, match="metrics names the output 'prize'; did you mean price"):
            two_outputs(metrics={"prize": ["mae"]})
        with pytest.raises(ValueError, match="metric 'mae': softmax_cross_entropy takes labels"):
            two_outputs(metrics=["mae"])
        with pytest.raises(fn.DataError, match=r"metric 'price_accuracy': y\['price'\]\[0\] is .* expected one 1"):
            two_outputs(metrics={"price": ["accuracy"]}).evaluate(X, self.Y)
