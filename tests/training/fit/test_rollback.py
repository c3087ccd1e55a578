"""Trainings whose numbers stop being finite: where, and back to the last good state."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.common import stash
from fastnn.training.fit.rollback import LastGoodState
from fastnn.training.passes.rounds import RoundsRunner
from tests.tiny import bits, fit, jit_only, tiny_model, trigrams


@pytest.fixture(params=["memory", "file", "full disk"], autouse=True)
def place(request, monkeypatch):
    """Where the copies are: small ones in memory, large ones in a file, unless that cannot be written."""
    if request.param != "memory":
        monkeypatch.setattr(stash, "LARGE", 1)
        monkeypatch.setattr(stash, "IN_MEMORY", ())  # wherever the tests' temporary files are
        monkeypatch.setattr("fastnn.training.fit.rollback.WRITTEN_PER_SECOND", 1e12)
    if request.param == "full disk":
        monkeypatch.setattr(stash, "write_all", _fails_after(3))
    return request.param


def _fails_after(count):
    """As `write_all`; from so many calls on the disk is full."""
    calls, real = iter(range(count)), stash.write_all

    def write(descriptor, content):
        if next(calls, None) is None:
            raise OSError(28, "No space left on device")
        real(descriptor, content)

    return write


class TestDivergence:
    def test_a_loss_that_is_not_finite_ends_training(self):
        model = tiny_model(std=30.0)
        message = r"the loss became (nan|inf): at epoch 1, step \d of 5 .*, in dense.*matmul.*a smaller.*3e\+38"
        with pytest.raises(fn.NonFiniteError, match=message):
            fit(model, optimizer=fn.SGD(3e38), batch_size=8)
        assert model.epoch == 0
        assert issubclass(fn.NonFiniteError, ArithmeticError)

    @pytest.mark.parametrize("validated", [False, True])  # whether epochs are trained one by one
    def test_so_do_parameters_that_the_last_step_broke(self, validated):
        model = fn.Sequential([fn.Dense(2)], input_shape=(1,))
        held = ([[1.0]], [0]) if validated else None
        with pytest.raises(fn.NonFiniteError, match="parameters are no longer finite: at epoch 1, step 1 of 1"):
            model.fit([[1e6]], [0], optimizer=fn.SGD(1e38), verbose=False, validation_data=held)

    @pytest.mark.parametrize("momentum", [0.0, 0.8])
    def test_the_model_goes_back_to_the_step_before(self, momentum):
        class Explode(fn.Callback):
            every = 1

            def on_batch_begin(self, run):
                run.optimizer.lr = 1e300 if run.step == 3 else 0.1

        def optimizer():
            return fn.SGD(0.1, momentum=momentum)

        model, opt = tiny_model(), optimizer()
        with pytest.raises(fn.NonFiniteError, match="step 4 of 5"):
            fit(model, optimizer=opt, batch_size=8, shuffle=False, callbacks=[Explode()])
        want = tiny_model()
        x, y = trigrams(24)
        want.fit(x, y, optimizer=optimizer(), batch_size=8, shuffle=False, verbose=False)
        assert bits(model.parameters) == bits(want.parameters)
        assert opt.iteration == 3

    def test_the_operation_that_broke_is_named(self):
        model = fn.Sequential([fn.Dense(3), fn.Activation("relu"), fn.Dense(2)], input_shape=(1,), dtype="float64")
        model.set_parameters({"dense_1.w": np.full((3, 2), 1e308)})
        with pytest.raises(fn.NonFiniteError, match=r"epoch 1, step 1 of 1 .*in dense_1: scores, written by matmul"):
            model.fit([[1e6]], [0], optimizer=fn.SGD(0.1), verbose=False)

    def test_the_best_parameters_survive(self):
        stopping = fn.EarlyStopping("loss", restore_best=True)

        class Explode(fn.Callback):
            def on_epoch_end(self, run):
                run.optimizer.lr = 3e38

        model = tiny_model(std=30.0)
        with pytest.raises(fn.NonFiniteError):
            fit(model, epochs=3, optimizer=fn.SGD(0.01), callbacks=[stopping, Explode()])
        assert np.isfinite(model.parameters.flat).all()
        assert stopping.best_epoch == 1


@jit_only
@pytest.mark.parametrize("fraction", [np.inf, 1e-12])
def test_where_a_training_diverged_does_not_depend_on_how_often_the_state_is_copied(fraction, monkeypatch):
    """The running variance overflows, the weights do not: only a copy of the state, made by the clock, saw that."""
    monkeypatch.setattr("fastnn.training.fit.rollback.COPYING_FRACTION", fraction)
    x = np.where(np.arange(60)[:, None] >= 40, 3e20, 1.0) * np.random.default_rng(0).normal(size=(60, 4))
    model = fn.Sequential([fn.BatchNorm(momentum=0.5), fn.Dense(2)], input_shape=(4,))
    with pytest.raises(fn.NonFiniteError, match=r"epoch 1, step 5 of 6 .* written by batch_norm_moments"):
        model.fit(x, np.arange(60) % 2, optimizer=fn.SGD(0.1), batch_size=10, epochs=4, shuffle=False, verbose=False)
    assert len(model.history.steps["loss"]) == 4
    assert len(model.history) == 0


def test_a_narrow_net_whose_steps_take_all_samples_is_looked_into_at_a_later_step():
    # It is run layer by layer to say where, with the samples gathered anew: from the beginning of the pass.
    x = np.random.default_rng(0).normal(size=(20, 2))
    model = fn.Sequential([fn.Dense(3), fn.Dense(1)], input_shape=2, loss="mse", dtype="float64")
    options = {"optimizer": fn.SGD(1e5), "batch_size": None, "steps_per_epoch": 200, "verbose": False}
    with pytest.raises(fn.NonFiniteError, match="in dense_1: scores, written by matmul") as refused:
        model.fit(x, x[:, :1], **options)
    assert "epoch 1, step 1 of" not in str(refused.value)


@jit_only  # only compiled calls take many steps
def test_a_step_that_fails_is_found_by_halves(place, monkeypatch):
    """Each step since the copy is run again once, and the state is looked at some times only."""
    taken, looks = [], []
    advance, is_finite, find = RoundsRunner.advance, LastGoodState.is_finite, LastGoodState.find

    def counted(self, limit=None, scalars=None):
        taken.append(steps := advance(self, limit, scalars))
        return steps

    def found(self):
        taken.clear()
        looks.clear()
        return find(self)

    monkeypatch.setattr("fastnn.training.fit.rollback.COPYING_FRACTION", 1e-12)  # the only copy is the first one
    monkeypatch.setattr(RoundsRunner, "advance", counted)
    monkeypatch.setattr(LastGoodState, "is_finite", lambda self: looks.append(1) or is_finite(self))
    monkeypatch.setattr(LastGoodState, "find", found)
    x = np.ones((1000, 4))
    x[777:] = 1e30  # whose loss is not finite
    model = fn.Sequential([fn.Dense(2)], input_shape=(4,), loss="mse")
    with pytest.raises(fn.NonFiniteError, match="epoch 1, step 778 of 1,000"):
        model.fit(x, np.zeros((1000, 2)), optimizer=fn.SGD(1e-3), batch_size=1, shuffle=False, verbose=False)
    assert len(model.history.steps["loss"]) == 777
    assert 778 <= sum(taken) <= 1000
    assert 1 <= len(looks) <= 11


def test_copies_in_a_file_are_said_to_take_no_memory(place):
    class Noted(fn.Callback):
        def on_epoch_begin(self, run):
            self.said = run.memory.copies

    noted, model = Noted(), tiny_model()
    fit(model, callbacks=[noted])
    copies = model.parameters.nbytes + model.buffers.nbytes
    assert noted.said == 0 if place != "memory" else noted.said > copies
