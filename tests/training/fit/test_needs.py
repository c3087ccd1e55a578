"""What a training takes of memory, part by part, as callbacks see it before the first step."""

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.training.steps.compile import compile_train
from fastnn.training.steps.memory import at_most, of_step
from tests.tiny import dense_model

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 5)), RNG.integers(0, 3, 60)


class Told(fn.Callback):
    def on_train_begin(self, run):
        self.memory, self.columns = run.memory, run.position()["sums"].shape[1]


def needs(x=X[:40], y=Y[:40], model=None, optimizer=None, callbacks=(), **options):
    told = Told()
    model, optimizer = model or dense_model(), optimizer or fn.SGD(0.1, momentum=0.9)
    settings = {"batch_size": 16, "epochs": 2, "verbose": False} | options
    model.fit(x, y, optimizer=optimizer, callbacks=[told, *callbacks], **settings)
    return told


def test_of_the_model_the_optimizer_and_the_callbacks():
    model, optimizer = dense_model(), fn.SGD(0.1, momentum=0.9)
    first = needs(model=model, optimizer=optimizer).memory
    assert first.parameters == model.state.nbytes > 0
    assert first.optimizer == sum(array.nbytes for array in optimizer.flat_state()) > 0
    assert (first.callbacks, first.evaluation) == (0, 0)
    again = needs(model=model, optimizer=optimizer).memory
    assert again.present - first.present == again.optimizer, "the state is there already"
    assert needs(callbacks=[fn.EarlyStopping("loss", restore_best=True)]).memory.callbacks == 2 * first.parameters


def test_of_the_record():
    """Losses and sums of the steps of an epoch, and each loss in the history: 8 bytes a number; 40 samples, 3 steps."""
    for epochs in (1, 2):
        told = needs(epochs=epochs)
        assert told.memory.record == 8 * 3 * (1 + told.columns + epochs)


def test_of_an_evaluation():
    assert needs().memory.evaluation == 0
    assert needs(validation_data=(X[40:], Y[40:])).memory.evaluation > 0


def test_of_streams(tmp_path):
    """One at a time has a chunk in memory."""
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"], file["y"] = X, Y
    with fn.H5Stream(tmp_path / "d.h5", "x") as x, fn.H5Stream(tmp_path / "d.h5", "y") as y:
        parts = [needs(x.part(0, 40), y.part(0, 40)), needs(x.part(40, 60), y.part(40, 60))]
        sizes = [part.memory.data for part in parts]
        both = needs(x.part(0, 40), y.part(0, 40), validation_data=(x.part(40, 60), y.part(40, 60)))
    assert sizes[0] > sizes[1] > 0
    assert both.memory.data == sizes[0]


@pytest.mark.parametrize("optimizer", [fn.SGD(0.1), fn.Adam(0.01, clip_norm=1.0)])
def test_what_is_told_in_less_time_is_at_least_as_much(optimizer):
    model = dense_model()
    optimizer.attach(model.parameters)
    step = compile_train(model.network, model.state, 16, optimizer, fused=True)
    assert 0 < of_step(model.network, step, 40).total <= at_most(step).total
