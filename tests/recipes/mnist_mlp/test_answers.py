"""The toy net, what is recorded of norms and last batches, and how rough weights are."""

from types import SimpleNamespace

import numpy as np
import pytest

import fastnn as fn
from fastnn.experiment.pictures import by_step
from fastnn.recipes.mnist_mlp import toy_net
from fastnn.recipes.mnist_mlp.answers import roughness
from fastnn.recipes.mnist_mlp.callbacks import LastBatch, SparseNorms
from fastnn.recipes.shared.published import PUBLISHED

TOY = PUBLISHED["mnist-mlp"].rows("toy")


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_the_toy_net_is_the_published_one(activation):
    x, y = toy_net.toy_samples()
    want, training = TOY[activation], toy_net.TRAININGS[activation]
    assert toy_net.toy_model(activation).batch_loss(x, y)() == pytest.approx(want["loss"], abs=5e-7)
    history = toy_net.toy_training(activation)
    assert len(history.steps["norm dense.w"]) == training.epochs
    assert history.steps["loss"][-1] == pytest.approx(want[training.figure], rel=1e-12)
    errors = toy_net.errors_of(toy_net.toy_model(activation), x, y, toy_net.NAMES)
    assert max(errors.values()) < 1e-6


def test_last_batch_is_that_of_the_last_step():
    """With one batch an epoch the last batch is the epoch; of two, its accuracy is the other half of the sum."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 2, 12)
    model = fn.Sequential([fn.Dense(2)], input_shape=(3,), loss="softmax_cross_entropy", dtype="float64")
    before = model.evaluate(x[8:], y[8:])
    history = model.fit(
        x, y, optimizer=fn.SGD(0.0), batch_size=8, epochs=1, shuffle=False, callbacks=[LastBatch()], verbose=False
    )
    assert history.epochs[0]["last_batch_accuracy"] == before["accuracy"]
    assert history.epochs[0]["last_batch_loss"] == pytest.approx(before["loss"], rel=1e-12)


@pytest.mark.parametrize(
    ("records", "want"), [(4, [5, 10, 15, 20]), (20, list(range(1, 21))), (1_000, list(range(1, 21)))]
)
def test_norms_are_of_as_many_steps_as_a_picture_shows(records, want, monkeypatch):
    monkeypatch.setattr("fastnn.recipes.mnist_mlp.callbacks.RECORDS", records)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    model = fn.Sequential([fn.Dense(2)], input_shape=(3,), loss="softmax_cross_entropy")
    history = model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=4, epochs=2, callbacks=[SparseNorms()], verbose=False)
    assert list(history.steps["norm step"]) == list(want)
    assert len(history.steps["norm dense.w"]) == len(want)


def test_a_figure_of_some_steps_is_drawn_at_its_steps(monkeypatch):
    drawn = []
    monkeypatch.setattr("fastnn.plots.lines_over", lambda x, lines, *rest, **named: drawn.append((x, rest[2])))
    runs = {
        label: SimpleNamespace(steps={"loss": np.zeros(count), "norm dense.w": np.zeros(count // 10)})
        for label, count in (("long", 90), ("short", 40))
    }
    result = SimpleNamespace(groups=[("compared", runs)], data=SimpleNamespace(meta={"source": "file"}))
    by_step(result, runs, "norm dense.w", "Norm")
    assert drawn == [([5.5, 15.5, 25.5, 35.5], "Norm (the first 40 steps)")], "the mean of steps 1 to 10"


def test_roughness_of_noise_and_of_a_slope():
    noise = np.random.default_rng(0).normal(size=(8, 28, 28))
    assert roughness(noise) == pytest.approx(2 / np.sqrt(np.pi), rel=0.02)
    slope = np.tile(np.arange(28.0), (1, 28, 1))
    assert roughness(slope) < 0.1
