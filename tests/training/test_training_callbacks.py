"""Gradient norms and the time limit."""

import math

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.callbacks import time_limit
from tests.tiny import StopAt, bits, fit, tiny_model, trigrams


class TestGradientNorms:
    def test_of_each_parameter_at_each_step(self):
        x, y = trigrams(32)
        model, want = tiny_model(dtype="float64"), tiny_model(dtype="float64")
        settings = {"batch_size": 16, "shuffle": False, "verbose": False}
        steps = model.fit(x, y, optimizer=fn.SGD(0.3), callbacks=[fn.GradientNorms()], **settings).steps
        assert list(steps["norm step"]) == [1, 2]
        for number, rows in enumerate((slice(16), slice(16, 32))):
            _, gradients = want.loss_and_gradients(x[rows], y[rows])
            for name, gradient in gradients.items():
                np.testing.assert_allclose(steps[f"norm {name}"][number], math.sqrt((gradient**2).sum()), rtol=1e-12)
            want.fit(x[rows], y[rows], optimizer=fn.SGD(0.3), **settings)
        assert set(steps) == {"loss", "norm step", *(f"norm {name}" for name in model.parameters)}
        assert all(values.typecode == "d" for values in steps.values())

    # 40 samples in batches of 16: three steps an epoch.
    @pytest.mark.parametrize(("every", "want"), [(1, [1, 2, 3, 4, 5, 6]), (2, [2, 5]), (3, [3, 6]), (50, [3, 6])])
    def test_every(self, every, want):
        steps = fit(tiny_model(), epochs=2, callbacks=[fn.GradientNorms(every)]).history.steps
        assert list(steps["norm step"]) == want
        assert len(steps["norm dense.w"]) == len(want)
        assert len(steps["loss"]) == 6

    def test_a_second_fit_adds(self):
        model, norms = tiny_model(), fn.GradientNorms(4)
        fit(model, callbacks=[norms], batch_size=8)  # five steps
        fit(model, callbacks=[norms])  # three
        assert list(model.history.steps["norm step"]) == [4, 8]

    def test_looking_changes_nothing(self):
        assert bits(fit(tiny_model(), callbacks=[fn.GradientNorms()]).parameters) == bits(fit(tiny_model()).parameters)

    def test_gradients_that_are_not_finite_are_no_trouble(self):
        class Break(fn.Callback):
            every = 1

            def on_batch_end(self, run):
                run.gradients["dense.w"][:] = 1e200
                run.gradients["dense.b"][0] = np.nan

        steps = fit(tiny_model(dtype="float64"), callbacks=[Break(), fn.GradientNorms()]).history.steps
        assert list(steps["norm dense.w"]) == [math.inf] * 3
        assert np.isnan(steps["norm dense.b"]).all()

    def test_squares_may_be_beyond_float32(self):
        class Enlarge(fn.Callback):
            every = 1

            def on_batch_end(self, run):
                run.gradients["dense.b"][:] = 1e30

        steps = fit(tiny_model(), callbacks=[Enlarge(), fn.GradientNorms()]).history.steps
        np.testing.assert_allclose(steps["norm dense.b"], math.sqrt(5) * 1e30, rtol=1e-6)

    def test_a_checkpoint_keeps_them(self, tmp_path):
        def train(folder, *extra):
            watching = [fn.GradientNorms(2), fn.Checkpoint(folder / "a.h5", resume=True), *extra]
            return fit(tiny_model(), epochs=3, callbacks=watching).history.steps

        (tmp_path / "whole").mkdir()
        whole = train(tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, StopAt(2, step=2, error=KeyboardInterrupt()))
        assert list(whole["norm step"]) == [2, 5, 8]
        assert train(tmp_path) == whole

    def test_what_was_taken_down_after_the_checkpoint_is_forgotten(self, tmp_path):
        model, opt, watching = tiny_model(), fn.SGD(0.3), [fn.Checkpoint(tmp_path / "a.h5", resume=True)]
        fit(model, optimizer=opt, callbacks=watching)
        late = [fn.GradientNorms(), StopAt(2, step=2, error=KeyboardInterrupt())]
        with pytest.raises(KeyboardInterrupt):
            fit(model, epochs=2, optimizer=opt, callbacks=[*watching, *late])
        fit(model, epochs=2, optimizer=opt, callbacks=watching)
        assert set(model.history.steps) == {"loss"}

    def test_bad_settings(self):
        with pytest.raises(ValueError, match="GradientNorms: every is 0"):
            fn.GradientNorms(0)
        with pytest.raises(TypeError, match="GradientNorms: every is '1'"):
            fn.GradientNorms("1")


@pytest.fixture
def clock(monkeypatch):
    """A clock in the place of the time limit's: it stands at `clock.now` until a test moves it."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

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
