"""The norm of each parameter's gradient, step by step."""

import math

import numpy as np
import pytest

import fastnn as fn
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
