"""What the chosen run's answer says of training figures that table and curve take in different ways."""

from types import SimpleNamespace

import pytest

import fastnn as fn
from fastnn.experiment.answering import _normalised


@pytest.mark.parametrize(
    ("layers", "epoch", "count"),
    [
        ([fn.Dense(3), fn.BatchNorm(), fn.Dense(2)], {"loss": 1.0}, 1),
        ([fn.Dense(3), fn.BatchNorm(), fn.Dense(2)], {"loss": 1.0, "train_loss": 1.0}, 0),
        ([fn.Dense(3), fn.Dense(2)], {"loss": 1.0}, 0),
    ],
)
def test_batch_statistics_are_told_where_the_curve_has_them(layers, epoch, count):
    model = fn.Sequential(layers, input_shape=4)
    result = SimpleNamespace(model=model, chosen=SimpleNamespace(epochs=[epoch]))
    assert len(_normalised(result)) == count
