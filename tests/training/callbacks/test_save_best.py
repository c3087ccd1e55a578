"""The model of the best epoch as a file, while training goes on."""

import math

import pytest

import fastnn as fn
from tests.tiny import Scripted, StopAt, bits, fit, tiny_model


class Kept(fn.Callback):
    """The bits of each epoch's parameters."""

    def __init__(self):
        self.of = {}

    def on_epoch_end(self, run):
        self.of[run.epoch] = bits(run.model.parameters)


def train(path, figures, model=None, **settings):
    """A model trained for as many epochs as there are figures, the callback, and each epoch's parameters."""
    saving, kept = fn.SaveBest(path, "val_accuracy"), Kept()
    model = model or tiny_model()
    fit(model, count=8, epochs=len(figures), callbacks=[Scripted(val_accuracy=figures), kept, saving], **settings)
    return model, saving, kept.of


@pytest.mark.parametrize(
    ("figures", "best"),
    [([0.1, 0.5, 0.5, 0.2], 2), ([0.9, 0.5, 0.1], 1), ([math.nan, 0.1, math.nan, 0.2], 4)],
)
def test_the_file_is_the_model_of_the_best_epoch(tmp_path, figures, best):
    _, saving, each = train(tmp_path / "best.h5", figures)
    found = fn.load(tmp_path / "best.h5")
    assert (found.epoch, saving.best_epoch, saving.best) == (best, best, figures[best - 1])
    assert bits(found.parameters) == each[best] != each[len(figures)] or best == len(figures)


def test_it_is_there_while_training_goes_on(tmp_path):
    """A process that is killed leaves the best model so far: the file does not wait for the end."""
    saving, path = fn.SaveBest(tmp_path / "best.h5", "loss"), tmp_path / "best.h5"
    with pytest.raises(OSError, match="the machine stops"):
        fit(tiny_model(), epochs=5, callbacks=[saving, StopAt(3, error=OSError("the machine stops"))])
    assert fn.load(path).epoch == 3


def test_a_second_fit_goes_on_with_the_best_figure(tmp_path):
    path = tmp_path / "best.h5"
    model, saving, _ = train(path, [0.2, 0.8])
    fit(model, count=8, epochs=2, callbacks=[Scripted(val_accuracy=[0, 0, 0.5, 0.9]), saving][:2])
    assert (fn.load(path).epoch, saving.best) == (4, 0.9)
    fit(model, count=8, epochs=1, callbacks=[Scripted(val_accuracy=[0, 0, 0, 0, 0.7]), saving])
    assert fn.load(path).epoch == 4


def test_another_model_begins_anew(tmp_path):
    path = tmp_path / "best.h5"
    _, saving, _ = train(path, [0.2, 0.8])
    fit(tiny_model(seed=1), count=8, epochs=2, callbacks=[Scripted(val_accuracy=[0.3, 0.1]), saving])
    assert (fn.load(path).epoch, saving.best, fn.load(path).seed) == (1, 0.3, 1)


def test_another_mode_begins_anew(tmp_path):
    model, saving, _ = train(tmp_path / "best.h5", [0.2, 0.8])
    saving.mode = "min"
    fit(model, count=8, epochs=1, callbacks=[Scripted(val_accuracy=[0, 0, 0.9]), saving])
    assert (saving.best, saving.best_epoch) == (0.9, 3)


def test_a_resumed_training_does_not_replace_a_better_model(tmp_path):
    figures = [0.1, 0.9, 0.3, 0.4]

    def go(**stop):
        callbacks = [fn.SaveBest(tmp_path / "best.h5", "val_accuracy"), fn.Checkpoint(tmp_path / "a.h5", resume=True)]
        more = [StopAt(3, **stop)] if stop else []
        fit(tiny_model(), count=8, epochs=4, callbacks=[Scripted(val_accuracy=figures), *callbacks, *more])

    with pytest.raises(OSError, match="the machine stops"):
        go(error=OSError("the machine stops"))
    go()
    assert fn.load(tmp_path / "best.h5").epoch == 2
    assert fn.load(tmp_path / "a.h5").epoch == 4


def test_what_is_refused(tmp_path):
    with pytest.raises(ValueError, match="SaveBest: cannot tell whether more or less 'cost' is better"):
        fn.SaveBest("a.h5", "cost")
    with pytest.raises(fn.DataError, match=r"SaveBest watches 'val_loss', .*; pass validation_data"):
        fit(tiny_model(), callbacks=[fn.SaveBest(tmp_path / "a.h5")])
    with pytest.raises(fn.FileFormatError, match="missing"):
        fit(tiny_model(), callbacks=[fn.SaveBest(tmp_path / "missing" / "a.h5", "loss")])
