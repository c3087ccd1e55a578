"""When training ends by itself, and which parameters it leaves."""

import copy
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn as fn
from fastnn.common import stash
from tests.tiny import Scripted, StopAt, bits, fit, tiny_model


@pytest.fixture(params=["memory", "file"], autouse=True)
def place(request, monkeypatch):
    """Where the best parameters are: small ones in memory, large ones in a file."""
    monkeypatch.setattr(stash, "LARGE", 1 if request.param == "file" else 1 << 40)
    monkeypatch.setattr(stash, "IN_MEMORY", ())  # wherever the tests' temporary files are
    return request.param


class TestEarlyStopping:
    def watch(self, stopping, epochs=8, **figures):
        return fit(tiny_model(), count=8, epochs=epochs, callbacks=[Scripted(**figures), stopping])

    @pytest.mark.parametrize(
        ("patience", "min_delta", "values", "stops_after", "best"),
        [
            (1, 0, [3, 2, 1, 1, 0, 0, 0, 0], 4, 3),
            (2, 0, [3, 2, 3, 3, 0, 0, 0, 0], 4, 2),
            (2, 0, [3, 2, 3, 1, 2, 2, 0, 0], 6, 4),
            (2, 0.5, [3, 2.6, 2.5, 2, 1, 1, 1, 0], 3, 1),
            (3, 0, [8, 7, 6, 5, 4, 3, 2, 1], 8, 8),
            (1, 0, [1, math.nan, 0, 0, 0, 0, 0, 0], 2, 1),
        ],
    )
    def test_patience_and_min_delta(self, patience, min_delta, values, stops_after, best):
        stopping = fn.EarlyStopping(patience=patience, min_delta=min_delta)
        model = self.watch(stopping, val_loss=values)
        assert model.epoch == stops_after
        assert stopping.best_epoch == best
        assert stopping.best == values[best - 1]
        assert (model.history.stop_reason is None) == (stops_after == 8)

    def test_accuracy_is_better_when_higher(self):
        stopping = fn.EarlyStopping("val_accuracy", patience=2)
        assert self.watch(stopping, val_accuracy=[0.1, 0.3, 0.2, 0.25, 0.9, 0, 0, 0]).epoch == 4
        assert (stopping.best, stopping.best_epoch) == (0.3, 2)
        assert "val_accuracy did not improve for 2 epochs" in stopping.stopped

    @pytest.mark.parametrize(
        ("monitor", "mode", "values", "best"),
        [
            ("val_r2", "auto", [-3, 0.5, math.nan, 0.2], 2),
            ("val_mae", "auto", [3, 5, math.nan, 1], 4),
            ("cost", "min", [3, 1, math.nan, 2], 2),
            ("cost", "max", [math.nan, 1, 3, 2], 3),
            ("val_accuracy", "min", [0.3, 0.1, 0.2, 0.4], 2),
            ("val_loss", "auto", [math.nan] * 4, 0),
        ],
    )
    def test_which_way_is_better(self, monitor, mode, values, best):
        stopping = fn.EarlyStopping(monitor, patience=9, mode=mode, restore_best=True)
        model = self.watch(stopping, epochs=4, **{monitor: values})
        assert (model.epoch, stopping.best_epoch) == (4, best)
        wanted = fit(tiny_model(), count=8, epochs=best or 4)
        assert bits(model.parameters) == bits(wanted.parameters)

    def test_a_name_that_does_not_tell_needs_a_mode(self):
        with pytest.raises(ValueError, match="EarlyStopping: cannot tell whether more or less 'cost' is better"):
            fn.EarlyStopping("cost")
        with pytest.raises(ValueError, match="ReduceOnPlateau: cannot tell"):
            fn.ReduceOnPlateau("cost")
        with pytest.raises(ValueError, match="EarlyStopping: mode is 'maximum', expected"):
            fn.EarlyStopping("val_loss", mode="maximum")

    def test_max_gap_stops_even_while_it_improves(self):
        stopping = fn.EarlyStopping(patience=5, max_gap=1.0)
        model = self.watch(stopping, loss=[3, 2, 0.5, 0, 0, 0, 0, 0], val_loss=[4, 2.5, 2, 1.9, 0, 0, 0, 0])
        assert model.epoch == 3
        assert "val_loss − loss exceeds 1" in model.history.stop_reason

    def test_best_parameters_come_back(self):
        kept = {}

        class Keep(fn.Callback):
            def on_epoch_end(self, run):
                kept[run.epoch] = bits(run.model.parameters)

        values = [3, 1, 2, 2, 2, 0, 0, 0]
        for restore, epoch in [(True, 2), (False, 5)]:
            stopping = fn.EarlyStopping(patience=3, restore_best=restore)
            model = fit(tiny_model(), epochs=8, callbacks=[Scripted(val_loss=values), Keep(), stopping])
            assert bits(model.parameters) == kept[epoch]

    def test_best_parameters_come_back_after_an_error_too(self):
        stopping = fn.EarlyStopping(patience=3, restore_best=True)
        model = tiny_model()
        with pytest.raises(KeyboardInterrupt):
            fit(
                model,
                epochs=4,
                callbacks=[Scripted(val_loss=[1, 2, 2, 2]), stopping, StopAt(3, step=2, error=KeyboardInterrupt())],
            )
        assert bits(model.parameters) == bits(fit(tiny_model()).parameters)

    def test_one_object_may_watch_one_training_after_another(self):
        stopping = fn.EarlyStopping(patience=2, restore_best=True)
        self.watch(stopping, val_loss=[0.1, 0.2, 0.3, 0, 0, 0, 0, 0])
        other = fit(tiny_model(seed=1), epochs=3, callbacks=[Scripted(val_loss=[3, 2, 1]), stopping])
        assert other.epoch == 3
        assert bits(other.parameters) == bits(fit(tiny_model(seed=1), epochs=3).parameters)

    def test_what_is_not_reported_cannot_be_watched(self):
        with pytest.raises(fn.DataError, match=r"'val_loss'.*pass validation_data"):
            fit(tiny_model(), callbacks=[fn.EarlyStopping()])
        with pytest.raises(fn.DataError, match=r"'val_accuracy'.*pass validation_data"):
            fit(tiny_model(), callbacks=[fn.EarlyStopping("val_accuracy")])
        with pytest.raises(fn.DataError, match=r"'top_5', which this training does not report; known: accuracy, e"):
            fit(tiny_model(), callbacks=[fn.EarlyStopping("top_5")])
        with pytest.raises(ValueError, match=r"'los' is better \(did you mean loss"):
            fn.EarlyStopping("los")

    @pytest.mark.parametrize(
        ("name", "value"),
        [("best", "0.5"), ("best", math.nan), ("best_epoch", 1.0), ("waited", True), ("waited", None), ("stopped", 0)],
    )
    def test_a_state_of_other_kinds_is_refused(self, name, value):
        stopping = fn.EarlyStopping()
        state = stopping.state_dict() | {"best": 0.5, "best_epoch": 3, "waited": 1}
        with pytest.raises(fn.FileFormatError, match=f"EarlyStopping: {name} to resume with is {value!r}"):
            stopping.load_state_dict(state | {name: value})
        assert (stopping.best, stopping.best_epoch, stopping.waited) == (math.inf, 0, 0), "nothing of it is taken over"
        stopping.load_state_dict(state)
        assert (stopping.best, stopping.best_epoch, stopping.waited) == (0.5, 3, 1)

    def test_bad_settings(self):
        with pytest.raises(ValueError, match="patience is 0, expected at least 1"):
            fn.EarlyStopping(patience=0)


def test_the_best_parameters_go_with_a_copy(place):
    """To another process, too, which has no part in a file of this one."""
    stopping = fn.EarlyStopping("loss", restore_best=True)
    model = fit(tiny_model(), epochs=3, callbacks=[Scripted(loss=[2, 1, 3]), stopping])
    assert stopping.bytes_kept(SimpleNamespace(model=model)) == (0 if place == "file" else 2 * model.state.nbytes)
    want = {name: array.copy() for name, array in model.parameters.items()}
    for other in (copy.deepcopy(stopping), pickle.loads(pickle.dumps(stopping)), stopping):
        for found in (other.best_state, other.state_dict()["best_state"]):
            assert list(found["parameters"]) == list(want)
            for name, array in want.items():
                np.testing.assert_array_equal(found["parameters"][name], array)
