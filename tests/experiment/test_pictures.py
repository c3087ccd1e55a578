"""What the axes of losses say: which loss it is, whether penalties are in it, and its unit."""

from types import SimpleNamespace

import pytest

import fastnn as fn
from fastnn.experiment.pictures import loss_unit, units_of


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
