"""The figures that the sums of an epoch's steps add up to."""

import math

import numpy as np
import pytest

from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.metrics import resolve
from fastnn.training.history.figures import CORRECT, LOSS, Figures
from fastnn.training.history.step_log import StepLog

ACCURACY, PERPLEXITY = resolve(["perplexity"], SoftmaxCrossEntropy(), 3)
FIGURES = Figures({ACCURACY: CORRECT, PERPLEXITY: LOSS})

# Σ weight·loss, Σ weight·correct, Σ weight, penalties: what record_step writes for each step.
SUMS = [[6.0, 2.0, 4.0, 0.5], [3.0, 1.0, 2.0, 0.7]]


def log_of(mean_loss, trains, sums=SUMS):
    log = StepLog(mean_loss, trains, FIGURES)
    log.begin(3)
    log.arrays()[1][: len(sums)] = sums
    return log


@pytest.mark.parametrize(
    ("mean_loss", "trains", "loss"),
    [
        (True, True, 9 / 6 + 1.2 / 2),
        (True, False, 9 / 6 + 1.2 / 2),
        (False, True, 9 / 6 + 1.2 / 6),  # a sum is divided by the samples, with its penalties
        (False, False, 9 / 6 + 1.2 / 2 / 6),  # several steps of one evaluation: the penalty counts once
    ],
)
def test_means_over_samples_by_their_weights(mean_loss, trains, loss):
    metrics = log_of(mean_loss, trains).metrics(2)
    assert metrics == {"loss": pytest.approx(loss), "accuracy": 0.5, "perplexity": pytest.approx(math.exp(9 / 6))}


def test_steps_to_come_do_not_count():
    assert log_of(True, True).metrics(1) == {
        "loss": 6 / 4 + 0.5,
        "accuracy": 0.5,
        "perplexity": pytest.approx(math.exp(1.5)),
    }


def test_as_long_as_all_weights_are_0_figures_are_0():
    assert log_of(True, True, [[0.0] * 4]).metrics(1) == {"loss": 0.0, "accuracy": 0.0, "perplexity": 1.0}


def test_a_new_epoch_keeps_the_arrays_that_a_program_is_bound_to():
    log = log_of(True, True)
    losses, sums = log.arrays()
    losses[:] = 1
    log.begin(3)
    assert log.arrays()[0] is log.losses is losses
    assert log.arrays()[1] is sums
    assert not losses.any()
    log.begin(4)
    assert [len(array) for array in log.arrays()] == [4, 4]


def test_figures_of_ever_more_steps_have_the_bits_of_all_at_once():
    rng = np.random.default_rng(0)
    sums = rng.exponential(size=(500, 4)) * 10.0 ** rng.normal(size=(500, 1))
    growing = log_of(True, True, np.zeros((0, 4)))
    growing.begin(500)
    for repeated in range(2):  # the second time rows have other values: an epoch that begins anew
        growing.begin(500)
        growing.arrays()[1][:] = sums + repeated
        for steps in (500, 1, 2, 250, 249, 500):
            whole = log_of(True, True, np.zeros((0, 4)))
            whole.begin(500)
            whole.arrays()[1][:] = sums + repeated
            assert growing.metrics(steps) == whole.metrics(steps)
    growing.resume(np.zeros(2), np.array(SUMS))
    assert growing.metrics(2) == log_of(True, True).metrics(2)
