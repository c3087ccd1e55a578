"""Learning rates that change, against their formulas written out by hand."""

import copy
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn import schedules
from tests.tiny import fit, tiny_model, trigrams

STEPS = np.arange(7)
CASES = {
    "exponential by epoch": (fn.ExponentialDecay(0.4, 0.5), 3, [0.05] * 7),
    "exponential by step": (fn.ExponentialDecay(0.4, 0.5, "step"), 3, [0.4 * 0.5**t for t in range(7)]),
    "step by epoch": (fn.StepDecay(0.4, 0.1, 2), 5, [0.004] * 7),
    "step by step": (fn.StepDecay(0.4, 0.1, 3, "step"), 0, [0.4, 0.4, 0.4, 0.04, 0.04, 0.04, 0.004]),
    "cosine": (fn.CosineDecay(0.4, steps=4), 9, [0.4, 0.2 + 0.1 * 2**0.5, 0.2, 0.2 - 0.1 * 2**0.5, 0, 0, 0]),
    "cosine after a warmup, to an end": (
        fn.CosineDecay(0.4, steps=6, warmup=2, end=0.1),
        0,
        [0.2, 0.4, 0.4, 0.25 + 0.15 / 2**0.5, 0.25, 0.25 - 0.15 / 2**0.5, 0.1],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_rates_follow_the_formula(case):
    schedule, epoch, want = CASES[case]
    got = schedule(STEPS, epoch)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", CASES)
def test_a_rate_depends_on_its_step_alone_whoever_asks(case):
    schedule, epoch, _ = CASES[case]
    whole = schedule(STEPS, epoch)
    assert [schedule(STEPS[i : i + 1], epoch)[0] for i in range(7)] == list(whole)


@pytest.mark.parametrize("case", CASES)
def test_config_makes_an_equal_schedule(case):
    schedule = CASES[case][0]
    assert schedules.from_config(schedule.config()) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == copy.deepcopy(schedule) == schedule


def test_training_takes_the_rate_of_each_step_and_reports_the_next_one():
    """The same as rates that a callback sets by hand; steps go on counting from epoch to epoch."""

    class Sets(fn.Callback):
        every = 1

        def on_batch_begin(self, run):
            run.optimizer.lr = float(schedule(np.array([run.optimizer.iteration]), run.epoch)[0])

    schedule = fn.CosineDecay(0.4, steps=6, warmup=2)
    model = fit(tiny_model(), optimizer=fn.SGD(schedule), epochs=2)
    by_hand = fit(tiny_model(), optimizer=fn.SGD(0.4), epochs=2, callbacks=[Sets()])
    assert np.array_equal(model.parameters.flat, by_hand.parameters.flat)
    assert model.history["lr"] == list(schedule(np.array([3, 6]), 0)), "the rate of the next step"


def test_an_epoch_has_the_rate_of_its_epoch():
    model = fit(tiny_model(), optimizer=fn.SGD(fn.StepDecay(0.4, 0.5, every=2)), epochs=5)
    assert model.history["lr"] == [0.4, 0.4, 0.2, 0.2, 0.1]


BAD = {
    "a negative rate": (
        lambda: fn.ExponentialDecay(-0.1),
        "ExponentialDecay: lr is -0.1, expected a finite number ≥ 0",
    ),
    "no number": (
        lambda: fn.ExponentialDecay(0.1, float("nan")),
        "ExponentialDecay: decay is nan, expected a finite number ≥ 0",
    ),
    "an unknown clock": (lambda: fn.ExponentialDecay(0.1, per="day"), "per is 'day', expected 'epoch' or 'step'"),
    "another unknown clock": (lambda: fn.StepDecay(0.1, per="day"), "StepDecay: per is 'day'"),
    "no steps between drops": (lambda: fn.StepDecay(0.1, every=0), "StepDecay: every is 0, expected at least 1"),
    "an infinite rate": (lambda: fn.StepDecay(float("inf")), "StepDecay: lr is inf, expected a finite number ≥ 0"),
    "half a step": (lambda: fn.CosineDecay(0.1, 10.5), "CosineDecay: steps is 10.5, expected a whole number"),
    "Keras' third number": (lambda: fn.CosineDecay(0.1, 9, 0.01), "CosineDecay: warmup is 0.01, expected a whole"),
    "only a warmup": (lambda: fn.CosineDecay(0.1, steps=5, warmup=5), "warmup is 5, expected less than steps, 5"),
    "an unknown name": (lambda: schedules.from_config({"name": "cosin", "lr": 1.0}), "did you mean cosine"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings(case):
    make, message = BAD[case]
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(("steps", "end", "warns"), [(3, 0, True), (4, 0, False), (3, 1e-3, False), (8, 0, False)])
def test_a_cosine_in_epochs_is_told_of(steps, end, warns):
    """Eight steps are taken: four epochs of two."""
    optimizer = fn.SGD(fn.CosineDecay(0.1, steps=steps, end=end))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit(tiny_model(), 32, optimizer=optimizer, epochs=4)
    assert optimizer.iteration == 8
    want = f"the learning rate is 0 in {8 - steps} of 8 steps: CosineDecay ends at step {steps}, this training"
    assert [str(one.message).startswith(want) for one in told] == [True] * warns


def test_a_cosine_that_has_ended_is_told_of_again():
    model, optimizer = tiny_model(), fn.SGD(fn.CosineDecay(0.1, steps=8))
    fit(model, 32, optimizer=optimizer, epochs=4)
    with pytest.warns(UserWarning, match="the learning rate is 0 in 2 of 2 steps: CosineDecay ends at step 8, this"):
        fit(model, 32, optimizer=optimizer, epochs=1)


OWN = {
    "nan": (lambda steps: np.full(len(steps), np.nan), "Own gave the learning rate nan for step 0, expected a finite"),
    "later": (lambda steps: np.where(steps < 3, 0.1, np.inf), "Own gave the learning rate inf for step 3, expected"),
    "negative": (lambda steps: np.full(len(steps), -0.1), "Own gave the learning rate -0.1 for step 0, expected"),
    "one number": (lambda steps: 0.1, r"Own gave an array \(\) for . steps, expected a learning rate for each"),
    "a column": (lambda steps: np.full((len(steps), 1), 0.1), r"Own gave an array \(., 1\) for . steps"),
    "too many": (lambda steps: np.full(len(steps) + 1, 0.1), r"Own gave an array \(.,\) for . steps"),
    "nothing": (lambda steps: None, "what Own gave is None"),
    "texts": (lambda steps: ["0.1"] * len(steps), "what Own gave has dtype <U3, expected numbers"),
    "complex": (lambda steps: np.full(len(steps), 0.1j), "what Own gave has dtype complex128, expected numbers"),
    "masked": (lambda steps: np.ma.masked_all(len(steps)), r"what Own gave\[0\] is masked"),
}


@dataclass(frozen=True)
class Own(fn.schedules.Schedule):
    function: Callable[[np.ndarray], Any]

    def __call__(self, iterations, epoch):
        return self.function(iterations)


@pytest.mark.parametrize("kind", [fn.SGD, fn.Adam])
@pytest.mark.parametrize("case", OWN)
def test_what_a_schedule_of_ones_own_gives_is_checked(kind, case):
    """A rate below 0 climbs without a word, and one that is masked or NaN ruined the weights of a step by hand."""
    function, message = OWN[case]
    model = tiny_model()
    with pytest.raises((ValueError, TypeError), match=message):
        fit(model, optimizer=kind(Own(0.1, function)))
    optimizer, start = kind(Own(0.1, function)), model.parameters.flat.copy()
    optimizer.iteration = 3
    with pytest.raises((ValueError, TypeError), match=message.replace("step 0", "step 3")):
        model.train_on_batch(*trigrams(16), optimizer=optimizer)
    np.testing.assert_array_equal(model.parameters.flat, start)


def test_a_schedule_of_ones_own_may_give_a_list_or_float32():
    def trained(lr):
        return fit(tiny_model(), optimizer=fn.SGD(lr)).parameters.flat.tobytes()

    want = trained(0.25)
    assert trained(Own(0.1, lambda steps: [0.25] * len(steps))) == want
    assert trained(Own(0.1, lambda steps: np.full(len(steps), 0.25, np.float32))) == want


def test_a_schedule_of_ones_own_is_asked_for_steps_that_come():
    """They are whole numbers, and may be used as indices: none is before the step at which the training begins."""
    rates, asked = np.full(100, 0.25), []

    def looked_up(steps):
        asked.extend(steps)
        return rates[steps]

    optimizer = fn.SGD(Own(0.1, looked_up))
    optimizer.iteration = 7
    fit(tiny_model(), optimizer=optimizer)
    assert min(asked) == 7
