"""The time limit, on a clock that the test moves."""

import math

import pytest

import fastnn as fn
from fastnn.training.callbacks import time_limit
from tests.tiny import Clock, fit, tiny_model


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time_limit, "time", clock)
    return clock


class Ticking(fn.Callback):
    """Moves the clock by ten seconds a step; before the epoch's end, by `evaluation` seconds."""

    every = 1

    def __init__(self, clock, evaluation=0):
        self.clock, self.evaluation = clock, evaluation

    def on_batch_end(self, run):
        self.clock.now += 10

    def on_epoch_end(self, run):
        self.clock.now += self.evaluation


class TestTimeLimit:
    @pytest.mark.parametrize(("seconds", "steps"), [(1, 1), (10, 1), (11, 2), (35, 4), (40, 4), (60, 6), (1000, 6)])
    def test_stops_after_the_step_that_passes_it(self, clock, seconds, steps):
        model = fit(tiny_model(), epochs=2, callbacks=[Ticking(clock), fn.TimeLimit(seconds)])
        assert len(model.history.steps["loss"]) == steps
        reason = f"time limit of {seconds} s reached" if seconds <= 60 else None
        assert model.history.stop_reason == reason

    def test_no_epoch_begins_after_an_evaluation_that_passes_it(self, clock):
        model = fit(tiny_model(), epochs=5, callbacks=[Ticking(clock, evaluation=100), fn.TimeLimit(90)])
        assert len(model.history.steps["loss"]) == 3
        assert model.epoch == 1

    def test_each_fit_has_its_own(self, clock):
        model, watching = tiny_model(), [Ticking(clock), fn.TimeLimit(20)]
        fit(model, epochs=5, callbacks=watching)
        fit(model, epochs=5, callbacks=watching)
        assert len(model.history.steps["loss"]) == 4

    def test_makes_no_compiled_call_shorter(self):
        assert fn.TimeLimit(1).every == 0

    @pytest.mark.parametrize("seconds", [0, -1, math.nan])
    def test_bad_settings(self, seconds):
        with pytest.raises(ValueError, match="TimeLimit: seconds is"):
            fn.TimeLimit(seconds)
