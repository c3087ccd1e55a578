"""What the axes of losses say: which loss it is, whether penalties are in it, and its unit."""

from types import SimpleNamespace

import pytest

import fastnn as fn
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import compared, loss_unit, units_of
from fastnn.experiment.results import RunResult


def unit(loss, **settings):
    result = SimpleNamespace(model=fn.Sequential([fn.Dense(1)], input_shape=2, loss=loss))
    return loss_unit(
        result, [SimpleNamespace(settings=SimpleNamespace()), SimpleNamespace(settings=SimpleNamespace(**settings))]
    )


@pytest.mark.parametrize(
    ("loss", "settings", "want"),
    [
        ("binary_cross_entropy", {}, "cross-entropy, nats"),
        ("binary_cross_entropy", {"l2": 0.1}, "cross-entropy + penalties, nats"),
        ("binary_cross_entropy", {"l1": 0.1, "l2": 0.0}, "cross-entropy + penalties, nats"),
        ("binary_cross_entropy", {"l2": 0.0}, "cross-entropy, nats"),
        ("mse", {}, "mean squared error"),
        (fn.MSE(scale=0.5), {"l2": 1.0}, "½ mean squared error + penalties"),
        ("mae", {}, "mean absolute error"),
        ("huber", {}, ""),
        (fn.MSE(scale=3.0), {}, ""),
    ],
)
def test_units_of_losses(loss, settings, want):
    assert unit(loss, **settings) == want


def test_a_loss_without_a_unit_has_no_entry():
    run = SimpleNamespace(settings=SimpleNamespace())
    model = fn.Sequential([fn.Dense(1)], input_shape=2, loss="huber")
    assert units_of(SimpleNamespace(model=model), [run]) == {}


def test_runs_that_differ_by_chance_are_drawn_by_the_words_of_the_tables():
    epochs = [{"epoch": 1, "accuracy": 0.25, "val_accuracy": 0.5}, {"epoch": 2, "accuracy": 0.5, "val_accuracy": 0.75}]
    runs = {f"seed {seed}": RunResult(f"seed {seed}", None, epochs=epochs) for seed in range(2)}
    result = SimpleNamespace(data=SimpleNamespace(meta={"source": "generated"}))
    ((_, _, figure),) = compared(result, Comparison("seeds", "How much is chance?", {}, "bands"), runs)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert shown == ["training, 2 seeds", "validation, 2 seeds"]
