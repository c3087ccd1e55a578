"""Losses and their gradients against NumPy, through a model, by the mean and by the sum."""

import copy
import math
import pickle
import re

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.hints import values
from fastnn.nn import losses
from tests.tiny import jit_only

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 4)), RNG.integers(0, 5, 7)


def linear(reduction, dtype="float64"):
    normal = fn.initializers.Normal(1.0)
    dense = fn.Dense(5, initializer=normal, bias_initializer=normal)
    return fn.Sequential([dense], input_shape=(4,), loss=fn.SoftmaxCrossEntropy(reduction=reduction), dtype=dtype)


def formula(model, x, y):
    """Scores, loss of each sample and gradient of the summed loss by the scores."""
    scores = x @ model.parameters["dense.w"].astype(np.float64) + model.parameters["dense.b"]
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return scores, -np.log(p[np.arange(len(y)), y]), p - np.eye(5)[y]


@pytest.mark.parametrize(("reduction", "divisor"), [("mean", 7), ("sum", 1)])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-12), ("float32", 1e-4)])
def test_loss_and_gradients_are_the_formula(reduction, divisor, dtype, rtol):
    model = linear(reduction, dtype)
    loss, gradients = model.loss_and_gradients(X, Y)
    _, each, dscores = formula(model, X, Y)
    np.testing.assert_allclose(loss, each.sum() / divisor, rtol=rtol)
    np.testing.assert_allclose(gradients["dense.w"], X.T @ dscores / divisor, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(gradients["dense.b"], dscores.sum(axis=0) / divisor, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_evaluate_is_the_mean_over_all_samples(reduction):
    x, y = RNG.normal(size=(523, 4)), RNG.integers(0, 5, 523)  # more than one batch of evaluation, the last one short
    model = linear(reduction)
    scores, each, _ = formula(model, x, y)
    got = model.evaluate(x, y)
    np.testing.assert_allclose(got["loss"], each.mean(), rtol=1e-12)
    assert got["accuracy"] == (scores.argmax(axis=1) == y).mean()


def test_training_takes_steps_of_the_sum_or_the_mean():
    by_sum, by_mean = linear("sum"), linear("mean")
    by_sum.fit(X, Y, optimizer=fn.SGD(0.01), batch_size=None, verbose=False)
    by_mean.fit(X, Y, optimizer=fn.SGD(0.07), batch_size=None, verbose=False)
    np.testing.assert_allclose(by_sum.parameters["dense.w"], by_mean.parameters["dense.w"], rtol=1e-12)


def test_a_short_last_batch_is_divided_by_its_own_length():
    model, by_hand = linear("mean"), linear("mean")
    model.fit(X, Y, optimizer=fn.SGD(0.1), batch_size=5, shuffle=False, verbose=False)
    opt = fn.SGD(0.1)
    for part in (slice(0, 5), slice(5, 7)):
        _, _, dscores = formula(by_hand, X[part], Y[part])
        count = len(Y[part])
        grads = {"dense.w": X[part].T @ dscores / count, "dense.b": dscores.sum(axis=0) / count}
        opt.step(by_hand.parameters, grads)
    np.testing.assert_allclose(model.parameters["dense.w"], by_hand.parameters["dense.w"], rtol=1e-12)


def test_large_scores_neither_overflow_nor_lose_the_loss():
    model = linear("mean")
    model.set_parameters({"dense.w": model.parameters["dense.w"] * 1e4})
    loss, gradients = model.loss_and_gradients(X, Y)
    assert np.isfinite(gradients["dense.w"]).all()
    scores = X @ model.parameters["dense.w"] + model.parameters["dense.b"]
    np.testing.assert_allclose(loss, (scores.max(axis=1) - scores[np.arange(7), Y]).mean(), rtol=1e-6)


def test_a_tie_counts_for_the_first_class():
    model = linear("mean")
    model.set_parameters({name: 0 * value for name, value in model.parameters.items()})
    assert model.evaluate(X, np.zeros(7, int))["accuracy"] == 1
    assert model.evaluate(X, np.ones(7, int))["accuracy"] == 0


def test_losses_by_name_or_object():
    assert losses.get("softmax_cross_entropy") == fn.SoftmaxCrossEntropy()
    loss = fn.SoftmaxCrossEntropy(reduction="sum")
    assert losses.get(loss) is loss
    assert losses.from_config(loss.config()) == loss


OWN = {"value": lambda s, t: math.log(math.cosh(s - t)), "gradient": lambda s, t: math.tanh(s - t)}


def test_a_loss_of_ones_own(tmp_path):
    loss = fn.ElementwiseLoss(**OWN)
    model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(2)], input_shape=(3,), loss=loss, dtype="float64")
    x, t = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 2))
    want = np.log(np.cosh(model.predict(x) - t)).mean()
    np.testing.assert_allclose(model.evaluate(x, t)["loss"], want, rtol=1e-12)
    assert max(fn.check_gradients(model, x, t).values()) < 1e-7
    model.fit(x, t, optimizer=fn.Adam(0.05), epochs=20, verbose=False)
    assert model.evaluate(x, t)["loss"] < 0.9 * want
    model.save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"load\(path, loss="):
        fn.load(tmp_path / "m.h5")
    assert np.array_equal(fn.load(tmp_path / "m.h5", loss=loss).predict(x), model.predict(x))


def test_a_loss_of_ones_own_may_make_arrays():
    """Kernels count no references, a user's function may need it."""
    loss = fn.ElementwiseLoss(
        value=lambda s, t: np.array([s - t, t - s]).max() ** 3, gradient=lambda s, t: 3 * (s - t) * abs(s - t)
    )
    model = fn.Sequential([fn.Dense(2)], input_shape=(3,), loss=loss, dtype="float64")
    x, t = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 2))
    want = (np.abs(model.predict(x) - t) ** 3).mean()
    np.testing.assert_allclose(model.evaluate(x, t)["loss"], want, rtol=1e-12)
    assert max(fn.check_gradients(model, x, t).values()) < 1e-7


def raising(s, t):
    if t > 1:
        raise ValueError("too large")
    return s - t


def asserting(s, t):
    assert t <= 1
    return s - t


@pytest.mark.parametrize("part", ["value", "gradient"])
@pytest.mark.parametrize("function", [raising, asserting])
def test_a_loss_that_may_raise_is_refused(part, function):
    """A compiled step would print the error and go on without the number."""
    functions = {"value": lambda s, t: s - t, "gradient": lambda s, t: 1.0} | {part: function}
    line = function.__code__.co_firstlineno
    with pytest.raises(
        TypeError, match=rf"^ElementwiseLoss: {part} has a raise or assert in line ({line + 1}|{line + 2}), "
    ):
        fn.ElementwiseLoss(**functions)


def test_two_losses_of_ones_own_are_two():
    x, t = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))

    def value(scale):
        loss = fn.ElementwiseLoss(value=lambda s, t: scale * (s - t) ** 2, gradient=lambda s, t: 2 * scale * (s - t))
        model = fn.Sequential([fn.Dense(2)], input_shape=(3,), loss=loss, dtype="float64")
        return model.evaluate(x, t)["loss"]

    np.testing.assert_allclose(3 * value(1.0), value(3.0), rtol=1e-12)


def test_what_is_no_loss_is_refused():
    with pytest.raises(TypeError, match="gradient is None"):
        fn.ElementwiseLoss(value=OWN["value"])
    with pytest.raises(TypeError, match=r"value\(0.5, 0.25\)|cannot be compiled"):
        fn.ElementwiseLoss(value=lambda s, t: "much", gradient=OWN["gradient"])


PAIR = tuple(OWN.values())


@pytest.mark.parametrize("given", [OWN["value"], PAIR, list(PAIR)])
def test_what_is_said_of_functions_as_a_loss_runs_as_it_stands(given):
    x = fn.Input(3)
    with pytest.raises(TypeError, match=r"fn\.ElementwiseLoss"):
        fn.Model(x, fn.Dense(2)(x), loss=given)
    with pytest.raises(TypeError, match=r"fn\.ElementwiseLoss") as error:
        fn.Sequential([fn.Dense(2)], input_shape=3, loss=given)
    said = re.search(r"fn\.ElementwiseLoss\((\w+)=\.\.\., (\w+)=\.\.\.\)", str(error.value))
    loss = fn.ElementwiseLoss(**{name: OWN[name] for name in said.groups()})
    model = fn.Sequential([fn.Dense(2)], input_shape=3, loss=loss)
    assert np.isfinite(model.evaluate(np.ones((2, 3)), np.ones((2, 2)))["loss"])


def test_the_mean_figures_of_a_summed_loss_share_its_penalty_among_the_samples():
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    model = fn.Sequential([fn.Dense(2)], input_shape=(2,), loss=fn.SoftmaxCrossEntropy(reduction="sum"), l2=3.0)
    whole, _ = model.loss_and_gradients(x, y)  # Σℓ + penalty
    assert model.evaluate(x, y)["loss"] == pytest.approx(whole / 40, rel=1e-5)
    history = model.fit(x, y, optimizer=fn.SGD(0.0), batch_size=None, verbose=False)
    assert history.epochs[0]["loss"] == pytest.approx(whole / 40, rel=1e-5)


def test_poisson_predicts_means_of_counts():
    model = fn.Sequential([fn.Dense(2)], input_shape=4, loss="poisson", metrics=["mae"], dtype="float64", seed=1)
    y = RNG.poisson(3.0, (7, 2))
    y[0] = 0  # a count, too
    means = np.exp(model.predict(X, logits=True))
    np.testing.assert_allclose(model.predict(X), means, rtol=1e-12)
    deviance = np.where(y > 0, y * np.log(np.maximum(y, 1) / means), 0) - y + means
    got = model.evaluate(X, y)
    np.testing.assert_allclose([got["loss"], got["mae"]], [deviance.mean(), np.abs(y - means).mean()], rtol=1e-12)
    with pytest.raises(fn.DataError, match=r"y holds values from -1.0 on, expected counts or other numbers ≥ 0"):
        model.evaluate(X, np.full((7, 2), -1.0))


def fourth_power(score, target):
    return (score - target) ** 4


def its_slope(score, target):
    return 4 * (score - target) ** 3


def test_a_model_with_a_loss_of_one_s_own_is_copied():
    loss = fn.ElementwiseLoss(value=fourth_power, gradient=its_slope)
    model = fn.Sequential([fn.Dense(1)], input_shape=2, loss=loss)
    x, y = np.random.default_rng(0).normal(size=(2, 20, 2))
    copies = [copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))]
    want = model.evaluate(x, y[:, 0])
    assert [one.evaluate(x, y[:, 0]) for one in copies] == [want] * 3
    fitted = [one.fit(x, y[:, 0], verbose=False)["loss"] for one in (model, copies[0], copies[2])]
    assert fitted == [fitted[0]] * 3


@jit_only
def test_the_loss_of_a_quantile():
    """What the hints say is a loss whose minimum is the quantile; np.where makes an array of two numbers."""
    loss = eval(values.QUANTILE.removeprefix("use ").partition(", of the")[0], {"fn": fn})
    y = np.random.default_rng(0).normal(size=2000)
    model = fn.Sequential([fn.Dense(1)], input_shape=1, loss=loss)
    model.fit(np.zeros((2000, 1)), y, optimizer=fn.Adam(0.02), epochs=10, verbose=False)
    assert np.mean(y < model.predict([[0.0]])[0, 0]) == pytest.approx(0.9, abs=0.02)
    with pytest.raises(TypeError, match=r"gradient\(0.5, 0.25\) is array\(0.5\), expected a number; np.where makes"):
        fn.ElementwiseLoss(value=loss.value, gradient=lambda s, t: np.where(s > t, s, t))
