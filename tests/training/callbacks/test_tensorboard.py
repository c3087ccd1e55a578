"""What the TensorBoard callback writes, read back with TensorBoard's own reader where it is installed."""

import errno
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from fastnn.training.callbacks import event_file
from tests.tiny import Clock, StopAt, bits, fit, jit_only, python, tiny_model


@pytest.fixture
def writer():
    return pytest.importorskip("tensorboardX", reason="the extra `tensorboard` is not installed")


def read(folder):
    """TensorBoard's own view of a folder: the reader's `Scalars(tag)`, `Histograms(tag)`, `Tags()`."""
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = module.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    return reader.Reload()


def scalars(reader, tag):
    return [(event.step, pytest.approx(event.value, rel=1e-6)) for event in reader.Scalars(tag)]


# 40 samples in batches of 16: three steps an epoch.
@pytest.mark.usefixtures("writer")
class TestWhatIsWritten:
    def test_epochs_at_their_last_step(self, tmp_path):
        model = tiny_model()
        x, y = np.random.default_rng(0).integers(0, 11, (16, 3)), np.arange(16) % 11
        fit(model, epochs=2, validation_data=(x, y), callbacks=[fn.TensorBoard(tmp_path)])
        reader = read(tmp_path)
        for name in ("loss", "accuracy", "val_loss", "val_accuracy", "lr"):
            assert scalars(reader, f"epoch/{name}") == list(zip((3, 6), model.history[name], strict=True))

    @pytest.mark.parametrize(("every", "want"), [(1, [(1, 0), (2, 1), (3, 2)]), (2, [(2, 0)]), (100, [(3, 0)])])
    def test_steps_carry_the_mean_loss_since_the_last(self, tmp_path, every, want):
        model = fit(tiny_model(), epochs=1, callbacks=[fn.TensorBoard(tmp_path, every=every)])
        losses = list(model.history.steps["loss"])
        assert scalars(read(tmp_path), "step/loss") == [(step, np.mean(losses[since:step])) for step, since in want]

    def test_steps_go_on_over_epochs_and_fits(self, tmp_path):
        model, board = tiny_model(), fn.TensorBoard(tmp_path, every=2)
        fit(model, epochs=2, callbacks=[board])
        fit(model, epochs=1, callbacks=[board])
        assert [step for step, _ in scalars(read(tmp_path), "step/lr")] == [2, 5, 8]
        assert [step for step, _ in scalars(read(tmp_path), "epoch/loss")] == [3, 6, 9]

    def test_histograms_are_a_monitor_s(self, tmp_path):
        monitor = fn.Monitor(every=2)
        fit(tiny_model(), callbacks=[fn.TensorBoard(tmp_path, every=2), monitor])
        reader = read(tmp_path)
        assert len(reader.Tags()["histograms"]) == len(monitor.records)
        for record in monitor.records:
            kind, name = record["kind"], record["name"]
            tag = name if kind == "input" else f"{kind}/{name}"
            for figure in ("min", "max", "mean", "std"):
                assert scalars(reader, f"{tag}/{figure}") == [(2, record[figure])]
            (event,) = reader.Histograms(tag)
            got = event.histogram_value
            assert (event.step, got.num) == (2, record["counts"].sum())
            assert (got.min, got.max) == (record["min"], record["max"])
            assert np.sqrt(max(0, got.sum_squares / got.num - (got.sum / got.num) ** 2)) == pytest.approx(record["std"])
            assert _filled(got.bucket_limit, got.bucket) == _filled(record["edges"][1:], record["counts"])

    def test_numbers_that_are_not_finite_are_counted(self, tmp_path):
        class Break(fn.Callback):
            every = 1

            def on_batch_end(self, run):
                run.gradients["dense.b"][:2] = np.nan, np.inf
                run.gradients["dense.w"][:] = np.nan

        fit(tiny_model(), callbacks=[Break(), fn.TensorBoard(tmp_path, every=3)])
        reader = read(tmp_path)
        assert scalars(reader, "gradient/dense.b/nonfinite") == [(3, 2)]
        assert "gradient/dense.w" not in reader.Tags()["histograms"]
        assert "gradient/dense_1.w/nonfinite" not in reader.Tags()["scalars"]

    def test_without_histograms_gradients_are_left_to_be_used_up(self, tmp_path):
        board = fn.TensorBoard(tmp_path, histograms=False)
        fit(tiny_model(), callbacks=[board])
        assert not board.reads_gradients
        assert fn.TensorBoard(tmp_path).reads_gradients
        assert read(tmp_path).Tags()["histograms"] == []

    def test_looking_changes_nothing(self, tmp_path):
        watched = fit(tiny_model(), epochs=2, callbacks=[fn.TensorBoard(tmp_path, every=1)])
        assert bits(watched.parameters) == bits(fit(tiny_model(), epochs=2).parameters)


def _filled(limits, counts):
    """(limit, count) of the bins that hold something: writers leave out others."""
    return [(pytest.approx(limit), count) for limit, count in zip(limits, counts, strict=True) if count]


@pytest.mark.usefixtures("writer")
class TestResume:
    def train(self, folder, *extra, every=2):
        board = fn.TensorBoard(folder / "board", every=every)
        return fit(tiny_model(), epochs=4, callbacks=[board, fn.Checkpoint(folder / "model.h5", resume=True), *extra])

    @pytest.mark.parametrize("every", [1, 2])
    @pytest.mark.parametrize("interruption", [(1, 2), (2, 2), (3, None)])
    def test_the_same_curves_as_without_the_interruption(self, tmp_path, every, interruption):
        (tmp_path / "whole").mkdir()
        self.train(tmp_path / "whole", every=every)
        with pytest.raises(KeyboardInterrupt):
            self.train(tmp_path, StopAt(*interruption, error=KeyboardInterrupt()), every=every)
        self.train(tmp_path, every=every)
        got, want = read(tmp_path / "board"), read(tmp_path / "whole/board")
        for tag in ("step/loss", "epoch/loss", "parameter/dense.w/mean"):
            assert [(e.step, e.value) for e in got.Scalars(tag)] == [(e.step, e.value) for e in want.Scalars(tag)]
        steps = list(range(1, 13)) if every == 1 else [2, 5, 8, 11]
        assert [e.step for e in got.Histograms("gradient/dense.w")] == steps

    def test_it_may_join_a_training_that_began_without_it(self, tmp_path):
        fit(tiny_model(), epochs=1, callbacks=[fn.Checkpoint(tmp_path / "model.h5")])
        self.train(tmp_path)
        assert [step for step, _ in scalars(read(tmp_path / "board"), "step/lr")] == [5, 8, 11]

    def test_another_training_in_the_folder_hides_the_first(self, tmp_path):
        for seed, epochs in ((0, 3), (1, 2)):
            model = fit(tiny_model(seed=seed), epochs=epochs, callbacks=[fn.TensorBoard(tmp_path)])
        assert scalars(read(tmp_path), "epoch/loss") == list(zip((3, 6), model.history["loss"], strict=True))


@pytest.mark.usefixtures("writer")
class TestEnd:
    @pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
    def test_the_file_is_closed_and_complete(self, tmp_path, error):
        board = fn.TensorBoard(tmp_path, every=1)
        stop = StopAt(1, step=2, error=error)
        if error:
            with pytest.raises(KeyboardInterrupt):
                fit(tiny_model(), callbacks=[board, stop])
        else:
            fit(tiny_model(), callbacks=[board, stop])
        assert board._writer is None
        assert [step for step, _ in scalars(read(tmp_path), "step/loss")] == [1, 2]

    def test_a_training_that_never_began(self, tmp_path):
        fn.TensorBoard(tmp_path / "a").on_train_end(None)
        assert not (tmp_path / "a").exists()

    def test_a_folder_that_cannot_be(self, tmp_path):
        (tmp_path / "file").write_text("", "utf-8")
        with pytest.raises(fn.FileFormatError, match=r"TensorBoard: cannot write into .*file"):
            fit(tiny_model(), callbacks=[fn.TensorBoard(tmp_path / "file")])


class FullDisk:
    """A file on a disk that has room for some bytes: as `open` gives it, but the rest of a write is refused."""

    def __init__(self, path, room):
        self._file, self._room, self._held = Path(path).open("wb", buffering=0), room, b""  # noqa: SIM115

    def write(self, content):
        self._held += content

    def flush(self):
        fitting, self._held = self._held[: self._room], b""
        self._room -= self._file.write(fitting)
        if not self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.mark.parametrize(("room", "epochs"), [(30, 0), (3_000, 0), (40_000, 1)])
def test_a_full_disk_ends_the_training_and_leaves_whole_events(tmp_path, monkeypatch, writer, room, epochs):
    """One line, no wait for a thread that has ended; what was on the disk before can be read."""
    monkeypatch.setattr(writer.record_writer, "open_file", lambda path: FullDisk(path, room))
    threads = threading.active_count()
    model = tiny_model()
    with pytest.raises(fn.FileFormatError, match=r"^TensorBoard: cannot write into .*: No space left on device$"):
        fit(model, epochs=50, callbacks=[fn.TensorBoard(tmp_path, every=1)])
    assert threading.active_count() == threads
    assert len(model.history) >= epochs
    (file,) = tmp_path.iterdir()
    assert (file.stat().st_size > 0) == (epochs > 0)
    if epochs:
        told = [step for step, _ in scalars(read(tmp_path), "epoch/loss")]
        assert told == [3 * (epoch + 1) for epoch in range(len(told))] != []


def test_a_missing_package_is_said_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn\[tensorboard\]"'):
        fn.TensorBoard("runs")


def test_nobody_else_imports_it():
    assert (
        python("import sys, fastnn.training.callbacks.tensorboard; print('tensorboardX' in sys.modules)").strip()
        == "False"
    )


@pytest.mark.usefixtures("writer")
def test_bad_settings():
    for settings, message in (({"every": 0}, "every is 0"), ({"bins": 0}, "bins is 0")):
        with pytest.raises(ValueError, match=f"TensorBoard: {message}"):
            fn.TensorBoard("runs", **settings)


@jit_only
@pytest.mark.usefixtures("writer")
def test_what_mnist_cnn_describes_goes_there_too(tmp_path, monkeypatch):
    """With --tensorboard, at the steps of --monitor, for the run that is chosen."""
    monkeypatch.chdir(tmp_path)
    small = ["--filters", "2,3", "--hidden", "8", "--epochs", "1", "--samples", "60", "--monitor", "2"]
    assert main(["train", "mnist-cnn", "--quick", "--compare", "none", "--tensorboard", *small]) == 0
    reader = read(tmp_path / "runs" / "mnist-cnn" / "tensorboard")
    assert [event.step for event in reader.Scalars("step/loss")] == [2]
    assert "conv2d.w" in " ".join(reader.Tags()["histograms"])


def test_within_a_long_epoch_figures_come_to_the_disk_now_and_then(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(event_file.time, "monotonic", clock.monotonic)
    file = event_file.EventFile(tmp_path, 0)
    file.flush()
    before = os.path.getsize(file._path)
    file.scalar("loss", 0.5, 1)
    assert os.path.getsize(file._path) == before, "each figure alone would be slow"
    clock.now += event_file.FLUSH_SECONDS
    file.scalar("loss", 0.25, 2)
    written = os.path.getsize(file._path)
    assert written > before
    file.scalar("loss", 0.125, 3)
    assert os.path.getsize(file._path) == written
    file.close()
