"""The learning rate that falls when a figure stops getting better, and how a resumed training finds it again."""

import math

import pytest

import fastnn as fn
from tests.tiny import Scripted, StopAt, bits, fit, tiny_model


def reduce(values, monitor="val_loss", lr=1.0, **settings):
    """The learning rates of the epochs, and the last one, of a training whose figure is `values`."""
    opt = fn.SGD(lr)
    watching = [Scripted(**{monitor: values}), fn.ReduceOnPlateau(monitor, **settings)]
    model = fit(tiny_model(), count=8, epochs=len(values), optimizer=opt, callbacks=watching)
    return [*model.history["lr"], opt.lr]


class TestReduceOnPlateau:
    @pytest.mark.parametrize(
        ("values", "settings", "want"),
        [
            ([3, 2, 2, 1, 1], {"patience": 1}, [1, 1, 1, 0.5, 0.5, 0.25]),
            ([3, 3, 3, 3, 3, 3], {"patience": 2}, [1, 1, 1, 0.5, 0.5, 0.25, 0.25]),
            ([3, 4, 3.5, 2.9, 3, 3], {"patience": 2}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25]),
            ([3, 2.8, 2.6, 2.4], {"patience": 1, "min_delta": 0.5}, [1, 1, 0.5, 0.25, 0.25]),
            ([1, math.nan, 0.5], {"patience": 1}, [1, 1, 0.5, 0.5]),
            ([1] * 5, {"patience": 1, "min_lr": 0.3}, [1, 1, 0.5, 0.3, 0.3, 0.3]),
            ([1] * 3, {"patience": 1, "min_lr": 2}, [1, 1, 1, 1]),
            ([5, 4, 3, 2, 1], {"patience": 1}, [1] * 6),
        ],
    )
    def test_rates(self, values, settings, want):
        assert reduce(values, factor=0.5, **settings) == want

    def test_accuracy_is_better_when_higher(self):
        assert reduce([0.1, 0.2, 0.3, 0.3], "val_accuracy", patience=1) == [1, 1, 1, 1, 0.1]
        assert reduce([0.1, 0.2, 0.3, 0.3], "val_cost", patience=1, mode="max") == [1, 1, 1, 1, 0.1]

    def test_one_object_may_watch_one_training_after_another(self):
        watcher = fn.ReduceOnPlateau("loss", patience=2)
        for loss in ([1, 2], [4, 3]):
            opt = fn.SGD(1.0)
            fit(tiny_model(), epochs=2, optimizer=opt, callbacks=[Scripted(loss=loss), watcher])
            assert opt.lr == 1.0
        assert (watcher.best, watcher.best_epoch, watcher.waited) == (3, 2, 0)

    def test_a_schedule_is_refused(self):
        model = tiny_model()
        before = bits(model.parameters)
        with pytest.raises(TypeError, match=r"ReduceOnPlateau needs a learning rate that is a number.*CosineDecay"):
            fit(model, optimizer=fn.SGD(fn.CosineDecay(0.1, steps=9)), callbacks=[fn.ReduceOnPlateau("loss")])
        assert bits(model.parameters) == before

    def test_what_is_not_reported_cannot_be_watched(self):
        with pytest.raises(fn.DataError, match=r"ReduceOnPlateau watches 'val_loss'.*pass validation_data"):
            fit(tiny_model(), callbacks=[fn.ReduceOnPlateau()])

    @pytest.mark.parametrize(
        "settings",
        [{"factor": 0}, {"factor": 1}, {"factor": math.nan}, {"patience": 0}, {"min_delta": -1}, {"min_lr": -1}],
    )
    def test_bad_settings(self, settings):
        with pytest.raises(ValueError, match=f"ReduceOnPlateau: .*{next(iter(settings))}"):
            fn.ReduceOnPlateau(**settings)


def plateau(path, opt=None, model=None, epochs=6, extra=()):
    """A training whose rate falls after epochs 3 and 5; resumed from `path` if there is something."""
    model, opt = model or tiny_model(), opt or fn.SGD(0.4, momentum=0.8)
    watcher = fn.ReduceOnPlateau(factor=0.5, patience=2)
    figures = Scripted(val_loss=[1, 2, 2, 2, 2, 2, 2, 2])
    fit(model, epochs=epochs, optimizer=opt, callbacks=[figures, watcher, fn.Checkpoint(path, resume=True), *extra])
    return {
        "lr": (model.history["lr"], opt.lr),
        "parameters": bits(model.parameters),
        "steps": model.history.steps["loss"].tobytes(),
        "watcher": (watcher.best, watcher.best_epoch, watcher.waited),
    }


INTERRUPTIONS = [(2, None), (4, 2), (5, 1), (6, 2)]


class TestReduceOnPlateauResumed:
    def test_uninterrupted(self, tmp_path):
        assert plateau(tmp_path / "a.h5")["lr"] == ([0.4, 0.4, 0.4, 0.2, 0.2, 0.1], 0.1)

    # (3, None) comes after the rate fell and before that was saved.
    @pytest.mark.parametrize("interruption", [*INTERRUPTIONS, (3, None)])
    def test_in_another_process_the_optimizer_is_new(self, tmp_path, interruption):
        whole = plateau(tmp_path / "whole.h5")
        with pytest.raises(KeyboardInterrupt):
            plateau(tmp_path / "a.h5", extra=[StopAt(*interruption, error=KeyboardInterrupt())])
        assert plateau(tmp_path / "a.h5") == whole

    @pytest.mark.parametrize("interruption", INTERRUPTIONS)
    def test_in_the_same_process_it_has_the_rate_it_reached(self, tmp_path, interruption):
        whole = plateau(tmp_path / "whole.h5")
        opt = fn.SGD(0.4, momentum=0.8)
        with pytest.raises(KeyboardInterrupt):
            plateau(tmp_path / "a.h5", opt, extra=[StopAt(*interruption, error=KeyboardInterrupt())])
        assert plateau(tmp_path / "a.h5", opt) == whole

    @pytest.mark.parametrize("opt", [None, fn.SGD(0.4, momentum=0.8)], ids=["new", "the same"])
    def test_twice_then_in_another_process(self, tmp_path, opt):
        whole = plateau(tmp_path / "whole.h5")
        for epoch in (4, 5):
            with pytest.raises(KeyboardInterrupt):
                plateau(tmp_path / "a.h5", opt, extra=[StopAt(epoch, step=2, error=KeyboardInterrupt())])
        assert plateau(tmp_path / "a.h5") == whole

    def test_another_rate_is_refused(self, tmp_path):
        plateau(tmp_path / "a.h5", epochs=4)
        with pytest.raises(fn.FileFormatError, match=r"was trained with optimizer .*0\.4.*, not .*0\.3"):
            plateau(tmp_path / "a.h5", fn.SGD(0.3, momentum=0.8))

    def test_a_schedule_stays(self, tmp_path):
        def train(epochs):
            opt = fn.SGD(fn.ExponentialDecay(0.4, 0.5))
            watching = [fn.Checkpoint(tmp_path / "a.h5", resume=True)]
            return fit(tiny_model(), epochs=epochs, optimizer=opt, callbacks=watching).history["lr"]

        train(2)
        assert train(3) == [0.4, 0.2, 0.1]
