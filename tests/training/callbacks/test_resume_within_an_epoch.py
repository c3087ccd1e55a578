"""A training that is interrupted within an epoch goes on to the bits of one that never was."""

import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.data.streamed import StreamSource
from fastnn.training.callbacks import checkpoint
from fastnn.training.models import storage
from tests.tiny import Clock, bits

RNG = np.random.default_rng(0)
IDS, LABELS = RNG.integers(0, 11, (230, 3)), RNG.integers(0, 11, 230)
IMAGES, CLASSES = RNG.normal(size=(60, 6, 6, 2)), RNG.integers(0, 3, 60)
POINTS = RNG.normal(size=(90, 2))


def words():
    return fn.Sequential([fn.Embedding(11, 4), fn.Flatten(), fn.Dense(9, "tanh"), fn.Dense(11)], input_shape=3, seed=1)


def sampled():
    layers = [fn.Embedding(11, 4, sparse=True), fn.Flatten(), fn.Dense(9, "tanh"), fn.SampledSoftmax(11, 6)]
    return fn.Sequential(layers, input_shape=3, seed=1)


def images():
    layers = [fn.Conv2D(3, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Flatten(), fn.Dropout(0.3), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=(6, 6, 2), seed=1, l2=0.01)


def points():
    return fn.Sequential([fn.Dense(5, "tanh"), fn.Dense(3)], input_shape=2, seed=1)


def wide():
    return fn.Sequential([fn.Dense(40, "tanh"), fn.Dense(3)], input_shape=2, seed=1)


TRAININGS = {
    "words": (words, (IDS, LABELS), {"batch_size": 20}, lambda: fn.SGD(0.1, momentum=0.9)),
    "sampled": (sampled, (IDS, LABELS), {"batch_size": 20}, lambda: fn.Adam(0.01)),
    "images": (images, (IMAGES, CLASSES), {"batch_size": 7}, lambda: fn.Adam(fn.CosineDecay(0.01, 30))),
    "weighted": (words, (IDS, LABELS), {"batch_size": 20, "sample_weight": RNG.random(230)}, lambda: fn.AdaGrad(0.1)),
    "whole": (points, (POINTS, CLASSES.repeat(2)[:90]), {"batch_size": None, "steps_per_epoch": 17}, lambda: fn.SGD(1)),
    "bfloat16": (words, (IDS, LABELS), {"batch_size": 20}, lambda: fn.Adam(0.01, state_dtype="bfloat16")),
    "blocks": (wide, (POINTS, CLASSES.repeat(2)[:90]), {"batch_size": 1, "steps_per_block": 4}, lambda: fn.SGD(0.1)),
    "one by one": (points, (POINTS, CLASSES.repeat(2)[:90]), {"batch_size": 1}, lambda: fn.SGD(0.1)),
}


class Interrupt(fn.Callback):
    """Raises after a step, as if the process had ended there."""

    def __init__(self, epoch, step, every=1):
        self.where, self.every = (epoch, step), every

    def on_batch_end(self, run):
        if (run.epoch, run.step) == self.where:
            raise InterruptedError


def trained(name, path=None, at=None, every=3, data=None):
    make, (x, y), settings, optimizer = TRAININGS[name]
    model, watched = make(), fn.EarlyStopping("val_loss", patience=50, restore_best=True)
    callbacks = [fn.GradientNorms(2), watched] if name != "blocks" else [watched]
    callbacks += [fn.Checkpoint(path, resume=True, every=every)] if path else []
    callbacks += [Interrupt(*at, every if name == "blocks" else 1)] if at else []  # a block ends where one looks
    x, y = data or (x, y)
    model.fit(
        x, y, optimizer=optimizer(), epochs=3, validation_data=(x, y), callbacks=callbacks, verbose=False, **settings
    )
    return model


def same(got, want):
    assert bits(got.parameters) == bits(want.parameters)
    assert bits(got.buffers) == bits(want.buffers)
    assert got.history.steps.keys() == want.history.steps.keys()
    for name, values in want.history.steps.items():
        np.testing.assert_array_equal(got.history.steps[name], values, err_msg=name)
    assert got.history["loss"] == want.history["loss"]
    assert got.history["val_loss"] == want.history["val_loss"]


@pytest.mark.parametrize("at", [(0, 1), (0, 5), (1, 2), (2, 8)])
@pytest.mark.parametrize("name", TRAININGS)
def test_interrupted_anywhere(name, at, tmp_path):
    every, at = (10, (at[0], 10 * at[1])) if name == "blocks" else (3, at)
    want = trained(name, tmp_path / "whole.h5", every=every)
    with pytest.raises(InterruptedError):
        trained(name, tmp_path / "c.h5", at, every)
    same(trained(name, tmp_path / "c.h5", every=every), want)


def test_interrupted_again_and_again(tmp_path):
    want = trained("images")
    for at in [(0, 4), (0, 8), (1, 1), (1, 5), (2, 7)]:
        with pytest.raises(InterruptedError):
            trained("images", tmp_path / "c.h5", at, every=2)
    same(trained("images", tmp_path / "c.h5", every=2), want)


def cursor(*counts):
    return np.array(counts, np.int64)


def changed(path, change):
    """Write other entries into the position of a checkpoint."""
    saved = storage.read(path)
    position = saved.training["position"]
    columns = position["sums"].shape[1]
    position.update({name: value(columns) if callable(value) else value for name, value in change.items()})
    storage.save(path, saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chunk": 1}, "step 2 and sample 14 in chunk 1"),
        ({"chunk": 0.0}, "in chunk 0.0"),
        ({"cursor": cursor(14, 2, 2)}, r"position/cursor is \(3,\) int64, expected \(4,\) int64"),
        ({"cursor": cursor(14, 3, 1, 0)}, "step 3 and sample 14"),
        ({"cursor": cursor(-7, 2, 1, -7)}, "sample -7"),
        ({"cursor": cursor(14, 2, 1, 7)}, "sample 14 in chunk 0"),
        ({"cursor": cursor(15, 2, 1, 0)}, "sample 15"),
        ({"losses": np.zeros(3)}, r"position/sums is \(2, \d\) float64, expected \(3, \d\) float64"),
        ({"losses": np.zeros(2, np.float32)}, r"position/losses is \(2,\) float32, expected \(2,\) float64"),
        ({"sums": np.zeros((2, 99))}, r"position/sums is \(2, 99\) float64, expected \(2, \d\) float64"),
        (
            {"losses": np.zeros(9), "sums": lambda columns: np.zeros((9, columns)), "cursor": cursor(61, 9, 1, 0)},
            "step 9 and sample 61",
        ),
    ],
)
def test_a_position_that_is_none_of_the_epoch_is_refused(change, message, tmp_path):
    """Of a forged file: kernels would read samples that are not there, or the loop never end."""
    path = tmp_path / "c.h5"
    with pytest.raises(InterruptedError):
        trained("images", path, (0, 3), every=2)
    changed(path, change)
    with pytest.raises(fn.FileFormatError, match=message):
        trained("images", path, every=2)
    saved = storage.read(path)
    saved.training["position"] = 3
    storage.save(path, saved)
    with pytest.raises(fn.FileFormatError, match="position is int, expected a dict"):
        trained("images", path, every=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chunk": 2, "cursor": cursor(40, 2, 1, 40)}, "chunk 2 of the data, of which there are fewer"),
        (
            {"losses": np.zeros(3), "sums": lambda columns: np.zeros((3, columns)), "cursor": cursor(60, 3, 1, 0)},
            "sample 60: this chunk ends at 40",
        ),
    ],
)
def test_nor_is_one_beyond_the_chunks_of_a_stream(change, message, tmp_path, monkeypatch):
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BLOCK_BYTES", 8 * 32)
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BUFFER_BYTES", 40 * 32)
    path = tmp_path / "c.h5"
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"], file["y"] = IDS[:60], LABELS[:60]
    with fn.H5Stream(tmp_path / "d.h5", "x") as x, fn.H5Stream(tmp_path / "d.h5", "y") as y:
        with pytest.raises(InterruptedError):
            trained("words", path, (0, 3), every=2, data=(x, y))
        changed(path, change)
        with pytest.raises(fn.DataError, match=message):
            trained("words", path, every=2, data=(x, y))


def test_a_stream_that_is_shuffled(tmp_path, monkeypatch):
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BLOCK_BYTES", 8 * 24)
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BUFFER_BYTES", 60 * 24)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"], file["y"] = IDS, LABELS
    with fn.H5Stream(tmp_path / "d.h5", "x") as x, fn.H5Stream(tmp_path / "d.h5", "y") as y:
        want = trained("words", data=(x, y))
        for at in [(0, 5), (1, 11), (2, 4)]:
            with pytest.raises(InterruptedError):
                trained("words", tmp_path / "c.h5", at, data=(x, y))
        same(trained("words", tmp_path / "c.h5", data=(x, y)), want)


@pytest.mark.parametrize("at", [1, 6, 10, 11])  # the file is of one step before: of a chunk's last one, too
def test_what_came_before_is_not_read_again(at, tmp_path, monkeypatch):
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BLOCK_BYTES", 20 * 24)
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BUFFER_BYTES", 60 * 24)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"] = IDS
    read, gathered = [], StreamSource._gathered

    def counted(self, ranges, *given):
        read.append([place for place, _, _ in ranges])
        return gathered(self, ranges, *given)

    monkeypatch.setattr(StreamSource, "_gathered", counted)

    def fitted(x, *callbacks):
        model = words()
        read.clear()
        kept = fn.Checkpoint(tmp_path / "c.h5", resume=True, every=1)
        given = {"epochs": 1, "batch_size": 20, "optimizer": fn.Adam(0.01), "verbose": False}
        model.fit(x, LABELS, callbacks=[kept, *callbacks], **given)
        return bits(model.parameters), [*read]

    with fn.H5Stream(tmp_path / "d.h5", "x") as x:
        want, whole = fitted(x)
        (tmp_path / "c.h5").unlink()
        with pytest.raises(InterruptedError):
            fitted(x, Interrupt(0, at))
        got, rest = fitted(x)
    assert got == want
    assert len(whole) == 4
    assert rest == whole[max(at - 2, 0) // 3 :]


def test_minutes_count_from_the_beginning_and_from_each_file(tmp_path, monkeypatch):
    clock, kept = Clock(), []

    class Slow(fn.Callback):
        every = 1

        def on_batch_begin(self, run):
            clock.now += 40

    save = fn.Checkpoint._save
    monkeypatch.setattr(checkpoint, "time", clock)
    monkeypatch.setattr(
        fn.Checkpoint,
        "_save",
        lambda self, run, **where: (kept.append((run.epoch, run.step)), save(self, run, **where)),
    )
    watch = fn.Checkpoint(tmp_path / "c.h5", minutes=1)
    for _ in range(2):  # the second time it begins anew
        points().fit(POINTS[:25], CLASSES[:25], batch_size=5, epochs=2, callbacks=[Slow(), watch], verbose=False)
        clock.now += 1000
    assert kept == 2 * [(0, 2), (0, 4), (1, 5), (1, 2), (1, 4), (2, 5)]


def test_by_time(tmp_path):
    """Each look at the clock is due: the file is written after each compiled call, whatever step it ends with."""
    path = tmp_path / "c.h5"

    def fitted(callbacks):
        model, adam = words(), fn.Adam(0.01)
        model.fit(IDS, LABELS, optimizer=adam, batch_size=5, epochs=2, callbacks=callbacks, verbose=False)
        return model

    want = fitted([])
    for step in (3, 20, 45):
        callbacks = [fn.Checkpoint(path, resume=True, minutes=1e-9), Interrupt(0, step)]
        with pytest.raises(InterruptedError):
            fitted(callbacks)
    assert bits(fitted([fn.Checkpoint(path, resume=True)]).parameters) == bits(want.parameters)


CHILD = """
import sys
import tests.training.callbacks.test_resume_within_an_epoch as t
model = t.trained("images", sys.argv[1], every=1)
print("done", flush=True)
model.save(sys.argv[2])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_killed_at_any_moment(tmp_path):
    """One command line in a loop, killed as soon as its file has changed a few times."""
    paths = tmp_path / "c.h5", tmp_path / "m.h5"
    changes = iter([1, 3, 2])
    for _ in range(10):
        child = subprocess.Popen([sys.executable, "-c", CHILD, *map(str, paths)], stdout=subprocess.PIPE, text=True)
        left, seen = next(changes, None), _stamp(paths[0])
        while left and child.poll() is None:
            if _stamp(paths[0]) != seen:
                seen, left = _stamp(paths[0]), left - 1
        if left == 0:
            os.kill(child.pid, signal.SIGKILL)
        out, _ = child.communicate(timeout=100)
        if "done" in out and child.returncode == 0:
            break
    assert bits(fn.load(paths[1]).parameters) == bits(trained("images").parameters)


def _stamp(path):
    return os.stat(path).st_mtime_ns if path.exists() else 0


def test_settings_that_cannot_be():
    with pytest.raises(ValueError, match="every is 0, expected at least 1"):
        fn.Checkpoint("c.h5", every=0)
    with pytest.raises(ValueError, match=r"minutes is -1.0, expected above 0"):
        fn.Checkpoint("c.h5", minutes=-1)
    batches = [(IDS[:10], LABELS[:10])]
    with pytest.raises(ValueError, match="batches cannot be read from the middle"):
        words().fit(batches, callbacks=[fn.Checkpoint("c.h5", every=2)], verbose=False)
