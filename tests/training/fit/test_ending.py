"""A training that Ctrl-C ends leaves a checkpoint of that moment, which goes on to the bits of one not ended."""

import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common.framed.skeleton import Skeleton
from fastnn.data.streamed import StreamSource
from fastnn.training.callbacks import Checkpoint
from fastnn.training.models import storage
from fastnn.training.models.model import Predictor
from fastnn.training.passes.data_pass import DataPass
from fastnn.training.passes.runner import Runner
from tests.tiny import bits
from tests.training.callbacks.test_resume_within_an_epoch import IDS, LABELS, TRAININGS, same, words


@pytest.fixture(autouse=True)
def ctrl_c():
    """A shell's background job starts with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def at_call(number, function):
    """The function, and in its call of this number (from 1) a Ctrl-C after what it does."""
    calls = []

    def called(*arguments, **keywords):
        found = function(*arguments, **keywords)
        calls.append(1)
        if len(calls) == number:
            interrupt()
        return found

    return called


class Looks(fn.Callback):
    """A callback of a user's, of each step, with a state that must not be half of a step."""

    every = 1
    seen = 0

    def on_batch_end(self, run):
        self.first(run)
        self.seen += 1

    def first(self, run): ...

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


def trained(name, path, looks=None):
    make, (x, y), settings, optimizer = TRAININGS[name]
    model = make()
    callbacks = [fn.EarlyStopping("val_loss", patience=50, restore_best=True), fn.Checkpoint(path, resume=True)]
    callbacks += [looks] if looks else []
    settings = settings | {"validation_data": (x, y), "epochs": 3, "verbose": False}
    model.fit(x, y, optimizer=optimizer(), callbacks=callbacks, **settings)
    return model


PLACES = {
    "in a step": (Runner, "advance"),
    "in a callback": (Looks, "first"),
    "in an evaluation": (Predictor, "_runner"),
}


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", TRAININGS)
def test_ctrl_c_leaves_a_checkpoint_of_the_moment(name, place, number, tmp_path, monkeypatch):
    # A block ends where a callback looks: there none does, so that it ends where calls do.
    looks = [None, None, None] if name == "blocks" else [Looks(), Looks(), Looks()]
    if name == "blocks" and place != "in a step":
        pytest.skip("no callback looks, and a call takes all steps")
    want = trained(name, tmp_path / "whole.h5", looks[0])
    with monkeypatch.context() as patch:
        kind, method = PLACES[place]
        patch.setattr(kind, method, at_call(number, getattr(kind, method)))
        kept = []
        save = Checkpoint.save_within
        patch.setattr(Checkpoint, "save_within", lambda *given: (kept.append(1), save(*given)))
        with pytest.raises(KeyboardInterrupt):
            trained(name, tmp_path / "c.h5", looks[1])
    assert kept == [1]
    same(trained(name, tmp_path / "c.h5", looks[2]), want)
    assert looks[2] is None or looks[2].seen == looks[0].seen


@pytest.mark.parametrize(
    ("kind", "method", "number"),
    [
        (Predictor, "_runner", 2),
        (StreamSource, "_gathered", 3),
        (StreamSource, "_gathered", 8),
        (DataPass, "_next_chunk", 2),
    ],
)
def test_ctrl_c_between_the_steps_of_a_stream(kind, method, number, tmp_path, monkeypatch):
    """While a chunk is read, where the next one has just been bound, or while the model is evaluated."""
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BLOCK_BYTES", 8 * 32)
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BUFFER_BYTES", 80 * 32)  # three chunks of 230 samples
    make, (ids, labels), settings, optimizer = TRAININGS["words"]
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"], file["y"] = ids, labels

    def streamed(path):
        model = make()
        settings_of_all = settings | {"validation_data": (ids, labels), "epochs": 3, "verbose": False}
        with fn.H5Stream(tmp_path / "d.h5", "x") as x, fn.H5Stream(tmp_path / "d.h5", "y") as y:
            model.fit(x, y, optimizer=optimizer(), callbacks=[fn.Checkpoint(path, resume=True)], **settings_of_all)
        return model

    want = streamed(tmp_path / "whole.h5")
    with monkeypatch.context() as patch:
        patch.setattr(kind, method, at_call(number, getattr(kind, method)))
        with pytest.raises(KeyboardInterrupt):
            streamed(tmp_path / "c.h5")
    assert "position" in storage.read(tmp_path / "c.h5").training
    same(streamed(tmp_path / "c.h5"), want)


def test_a_callback_that_does_not_end_ends_with_the_second(tmp_path, monkeypatch):
    def hang(looks, run):
        if run.step == 3:
            interrupt()
            interrupt()
            raise AssertionError("the second waits")

    monkeypatch.setattr(Looks, "first", hang)
    with pytest.raises(KeyboardInterrupt):
        trained("words", tmp_path / "c.h5", Looks())
    assert not (tmp_path / "c.h5").exists()  # not of a step that half of the callbacks have seen


def test_while_an_epoch_is_kept_its_own_checkpoint_stays(tmp_path, monkeypatch):
    want = trained("images", tmp_path / "whole.h5")
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "on_epoch_end", at_call(2, Checkpoint.on_epoch_end))
        with pytest.raises(KeyboardInterrupt):
            trained("images", tmp_path / "c.h5")
    assert "position" not in storage.read(tmp_path / "c.h5").training
    same(trained("images", tmp_path / "c.h5"), want)


def test_numbers_that_are_not_finite_are_not_kept(tmp_path):
    class Breaks(fn.Callback):
        every = 4

        def on_batch_end(self, run):
            run.model.parameters.flat[0] = np.nan
            interrupt()

    model, checkpoint = words(), fn.Checkpoint(tmp_path / "c.h5")
    with pytest.raises(KeyboardInterrupt):
        model.fit(IDS, LABELS, batch_size=20, callbacks=[Breaks(), checkpoint], verbose=False)
    assert not (tmp_path / "c.h5").exists()


def test_batches_of_a_user_s_own_are_not_kept_within(tmp_path):
    class Stops(fn.Callback):
        every = 2

        def on_batch_end(self, run):
            interrupt()

    batches = [(IDS[:10], LABELS[:10])] * 4
    with pytest.raises(KeyboardInterrupt):
        words().fit(batches, callbacks=[fn.Checkpoint(tmp_path / "c.h5"), Stops()], verbose=False)
    assert not (tmp_path / "c.h5").exists()


@pytest.mark.parametrize("method", ["write", "seek", "truncate"])
def test_ctrl_c_while_the_hdf5_library_runs_is_a_ctrl_c(tmp_path, monkeypatch, method):
    """That library calls back into Python, and makes another error of one that is raised there."""
    path = tmp_path / "m.h5"
    monkeypatch.setattr(Skeleton, method, at_call(1, getattr(Skeleton, method)))
    with pytest.raises(KeyboardInterrupt):
        words().save(path)
    assert bits(fn.load(path).parameters) == bits(words().parameters)


TERMINATED = """
import os, signal, sys
import fastnn as fn
from tests.training.callbacks.test_resume_within_an_epoch import IDS, LABELS, words

class Ends(fn.Callback):
    every = 3
    def on_batch_end(self, run):
        signal.raise_signal(signal.SIGTERM)

callbacks = [Ends(), fn.Checkpoint(sys.argv[1])]
try:
    words().fit(IDS, LABELS, batch_size=20, callbacks=callbacks, optimizer=fn.Adam(0.01), verbose=False)
finally:
    print("Python goes on")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no such signal")
def test_sigterm_leaves_a_checkpoint_and_ends_the_process_as_ever(tmp_path):
    path = tmp_path / "c.h5"
    ended = subprocess.run([sys.executable, "-c", TERMINATED, path], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, ""), ended.stderr
    assert len(storage.read(path).training["history"]["steps"]["loss"]) == 3
    want, got = words(), words()
    settings = {"batch_size": 20, "epochs": 2, "verbose": False}
    want.fit(IDS, LABELS, optimizer=fn.Adam(0.01), **settings)
    got.fit(IDS, LABELS, optimizer=fn.Adam(0.01), callbacks=[fn.Checkpoint(path, resume=True)], **settings)
    assert bits(got.parameters) == bits(want.parameters)


def test_before_the_first_step_sigterm_ends_at_once(tmp_path, monkeypatch):
    """A handler of Python's would wait for the compiler."""
    seen, prepare = [], Runner.prepare
    looks = Looks()
    looks.first = lambda run: seen.append(signal.getsignal(signal.SIGTERM))
    monkeypatch.setattr(Runner, "prepare", lambda runner: (looks.first(None), prepare(runner)))
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        trained("words", tmp_path / "c.h5", looks)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen[0] is signal.SIG_DFL
    assert len(seen) > 1
    assert signal.SIG_DFL not in seen[1:]


IMPORTS = """
import sys
import fastnn as fn
from tests.tiny import fit, tiny_model

class Saves(fn.Callback):
    every = 3
    def on_batch_end(self, run):
        before = set(sys.modules)
        checkpoint.save_within(run, run.position())
        print(*sorted(set(sys.modules) - before))

checkpoint = fn.Checkpoint(sys.argv[1])
fit(tiny_model(), callbacks=[Saves(), checkpoint], batch_size=10)
"""


def test_a_checkpoint_at_a_signal_waits_for_no_import(tmp_path):
    command = [sys.executable, "-c", IMPORTS, tmp_path / "c.h5"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "\n"
