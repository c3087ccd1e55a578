"""The monitor: what it sees, when it looks, and that nothing it may see ends a training."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common.framed import frame
from fastnn.training.callbacks import monitor as module
from fastnn.training.callbacks.monitor import describe, load_monitor
from tests.tiny import StopAt, bits, fit, tiny_model, trigrams

KINDS = ("parameter", "gradient", "input", "activation")
ARRAYS = ("counts", "edges")


def same(got, want):
    """Whether two lists of records are equal to the last bit, in the same order; NaN equals NaN."""
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        assert set(one) == set(other)
        for name, value in other.items():
            assert type(one[name]) is type(value), name
            assert np.array_equal(one[name], value, equal_nan=name not in ("kind", "name")), name
    return True


def looks(monitor):
    """(step, epoch) of each time that the monitor looked."""
    return list(dict.fromkeys((record["step"], record["epoch"]) for record in monitor.records))


@pytest.fixture
def first_step():
    """Records of the first step by (kind, name), the model as it was before, and after, and the step's batch."""
    monitor, x, y = fn.callbacks.Monitor(every=1), *trigrams(16)
    model = tiny_model()
    model.fit(x, y, optimizer=fn.SGD(0.3), batch_size=16, shuffle=False, callbacks=[monitor], verbose=False)
    return {(record["kind"], record["name"]): record for record in monitor.records}, tiny_model(), model, (x, y)


def assert_describes(record, array):
    values = np.asarray(array, np.float64)
    got = [record[name] for name in ("min", "max", "mean", "std")]
    np.testing.assert_allclose(got, [values.min(), values.max(), values.mean(), values.std()], rtol=1e-4, atol=1e-7)
    assert record["counts"].sum() == values.size
    assert record["nonfinite"] == 0


class TestWhatItSees:
    def test_every_parameter_and_its_gradient(self, first_step):
        records, before, after, batch = first_step
        _, gradients = before.loss_and_gradients(*batch)
        assert {name for kind, name in records if kind == "gradient"} == set(before.parameters)
        for name, gradient in gradients.items():
            assert_describes(records["gradient", name], gradient)
            assert_describes(records["parameter", name], after.parameters[name])

    def test_the_input_and_each_layer_s_output(self, first_step):
        records, before, _, (x, _) = first_step
        w = {name: array.astype(np.float64) for name, array in before.parameters.items()}
        embedded = w["embedding.w"][x]
        hidden = 1 / (1 + np.exp(-(embedded.reshape(16, -1) @ w["dense.w"] + w["dense.b"])))
        scores = hidden @ w["dense_1.w"] + w["dense_1.b"]
        want = {"embedding": embedded, "flatten": embedded, "dense": hidden, "dense_1": scores}
        assert {name for kind, name in records if kind == "activation"} == set(want)
        assert_describes(records["input", "input"], x)
        for name, output in want.items():
            assert_describes(records["activation", name], output)

    def test_all_kinds_in_order(self, first_step):
        assert list(dict.fromkeys(kind for kind, _ in first_step[0])) == list(KINDS)

    def test_looking_changes_nothing(self):
        watched = fit(tiny_model(), epochs=2, callbacks=[fn.Monitor(every=1)])
        assert bits(watched.parameters) == bits(fit(tiny_model(), epochs=2).parameters)


class TestWhenItLooks:
    # 40 samples in batches of 16: three steps an epoch.
    @pytest.mark.parametrize(
        ("every", "want"),
        [(1, [(step, 1 + (step - 1) // 3) for step in range(1, 7)]), (2, [(2, 1), (5, 2)]), (100, [(3, 1), (6, 2)])],
    )
    def test_every(self, every, want):
        monitor = fn.Monitor(every)
        fit(tiny_model(), epochs=2, callbacks=[monitor])
        assert looks(monitor) == want

    def test_a_second_fit_adds(self):
        monitor, model = fn.Monitor(), tiny_model()
        for _ in range(2):
            fit(model, callbacks=[monitor])
        assert looks(monitor) == [(3, 1), (6, 2)]

    def test_another_model_begins_anew(self):
        monitor = fn.Monitor()
        for seed in range(2):
            fit(tiny_model(seed=seed), callbacks=[monitor])
        want = fn.Monitor()
        fit(tiny_model(seed=1), callbacks=[want])
        assert same(monitor.records, want.records)

    @pytest.mark.parametrize("settings", [{"every": 0}, {"every": -1}, {"bins": 0}])
    def test_bad_settings(self, settings):
        with pytest.raises(ValueError, match=f"Monitor: {next(iter(settings))} is"):
            fn.Monitor(**settings)
        with pytest.raises(TypeError, match=r"every is 2.5"):
            fn.Monitor(every=2.5)


EPS = np.finfo(np.float64).eps
UNUSUAL = {
    "not finite": np.array([1, np.nan, 2, np.inf, -np.inf, 4], np.float32),
    "nothing finite": np.array([[np.nan, np.inf]]),
    "empty": np.zeros((0, 3)),
    "one number": np.array(3.0),
    "constant": np.full(7, -2.5, np.float32),
    "constant and large": np.full(7, 1e17),
    "as large as can be": np.array([-np.finfo(np.float64).max, np.finfo(np.float64).max, 0.0]),
    "neighbours": np.array([1, 1 + EPS, 1 + 2 * EPS]),
    "denormals": np.array([0, 5e-324, 1e-323]),
    "whole numbers": np.array([[3, 9], [250, 0]], np.int32),
}


class TestDescribe:
    @pytest.mark.parametrize("name", UNUSUAL)
    @pytest.mark.parametrize("bins", [1, 30])
    def test_nothing_is_too_unusual(self, name, bins):
        array = UNUSUAL[name]
        got, finite = describe(array, bins), array[np.isfinite(array)]
        assert got["nonfinite"] == array.size - finite.size
        assert got["counts"].shape == (bins,)
        assert got["edges"].shape == (bins + 1,)
        assert got["counts"].sum() == finite.size
        assert np.isfinite(got["edges"]).all()
        assert (np.diff(got["edges"] / 2) >= 0).all()
        if finite.size:
            assert (got["min"], got["max"]) == (finite.min(), finite.max())
            assert got["edges"][0] <= finite.min() <= got["min"] <= got["mean"] <= got["max"] <= got["edges"][-1]
            assert np.isfinite(got["std"])
        else:
            assert np.isnan([got[figure] for figure in ("min", "max", "mean", "std")]).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_agrees_with_numpy(self, dtype):
        array = np.random.default_rng(0).normal(3, 2, (70, 30)).astype(dtype)
        got, (counts, edges) = describe(array, 20), np.histogram(array.astype(np.float64), 20)
        assert np.array_equal(got["counts"], counts)
        np.testing.assert_allclose(got["edges"], edges, rtol=1e-12)
        same = describe(np.full(5, 3, dtype), 4)
        assert np.array_equal(same["counts"], np.histogram(np.full(5, 3.0), 4)[0])
        assert np.array_equal(same["edges"], np.histogram(np.full(5, 3.0), 4)[1])
        wide = array.astype(np.float64)
        np.testing.assert_allclose([got["mean"], got["std"]], [wide.mean(), wide.std()], rtol=1e-12)

    def test_a_gradient_that_overflowed_is_counted(self):
        class Break(fn.Callback):
            every = 1

            def on_batch_end(self, run):
                run.gradients["dense.b"][:2] = np.nan, np.inf

        monitor = fn.Monitor(every=1)
        fit(tiny_model(), callbacks=[Break(), monitor])
        found = [r for r in monitor.records if (r["kind"], r["name"]) == ("gradient", "dense.b")]
        assert [(record["nonfinite"], record["counts"].sum()) for record in found] == [(2, 3)] * 3


@pytest.fixture
def written(tmp_path):
    monitor = fn.Monitor(2, tmp_path / "monitor.h5", bins=7)
    fit(tiny_model(), epochs=2, callbacks=[monitor])
    return monitor, tmp_path / "monitor.h5"


class TestFile:
    def test_comes_back(self, written):
        monitor, path = written
        assert same(load_monitor(path), monitor.records)
        assert same(load_monitor(str(path)), monitor.records)
        assert [entry.name for entry in path.parent.iterdir()] == ["monitor.h5"]

    def test_layout(self, written):
        with h5py.File(written[1]) as file:
            assert set(file) == set(KINDS)
            assert set(file["gradient"]) == set(tiny_model().parameters)
            group = file["activation/dense_1"]
            shapes = {name: values.shape for name, values in group.items()}
            assert list(group["step"]) == [2, 5]
        numbers = dict.fromkeys(("step", "epoch", "nonfinite", "min", "max", "mean", "std"), (2,))
        assert shapes == numbers | {"counts": (2, 7), "edges": (2, 8)}

    def test_holds_whole_epochs(self, tmp_path):
        monitor = fn.Monitor(1, tmp_path / "monitor.h5")
        with pytest.raises(KeyboardInterrupt):
            fit(tiny_model(), epochs=3, callbacks=[monitor, StopAt(2, step=2, error=KeyboardInterrupt())])
        assert looks(monitor)[-1] == (5, 2)
        assert same(load_monitor(monitor.path), [record for record in monitor.records if record["epoch"] == 1])

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "does not exist, expected one that a Monitor wrote"),
            (b"", "cannot be read"),
            (b"words", "cannot be read"),
        ],
    )
    def test_no_such_file_or_no_hdf5(self, tmp_path, content, message):
        path = tmp_path / "monitor.h5"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(fn.FileFormatError, match=rf"monitor\.h5'?:? {message}"):
            load_monitor(path)

    def test_other_hdf5_files_are_refused(self, tmp_path, written, monkeypatch):
        tiny_model().save(tmp_path / "model.h5")
        with pytest.raises(fn.FileFormatError, match="not one that a Monitor wrote"):
            load_monitor(tmp_path / "model.h5")
        monkeypatch.setattr(module, "KIND", replace(module.KIND, version=3))
        module._save(written[1], [])
        monkeypatch.undo()
        with pytest.raises(fn.FileFormatError, match="format version 3"):
            load_monitor(written[1])

    def test_a_missing_array_is_refused(self, written):
        frame.save(written[1], module.KIND, {"gradient": {"dense.b": {"step": np.arange(3)}}})
        with pytest.raises(fn.FileFormatError, match=r"cannot be read as one that a Monitor wrote: KeyError"):
            load_monitor(written[1])


class TestResume:
    def train(self, folder, extra=(), **settings):
        monitor = fn.Monitor(**({"every": 2, "path": folder / "monitor.h5"} | settings))
        watching = [monitor, fn.Checkpoint(folder / "model.h5", resume=True), *extra]
        fit(tiny_model(), epochs=4, callbacks=watching)
        return monitor

    @pytest.mark.parametrize("interruption", [(1, 2), (2, 2), (3, None)])
    def test_the_same_records_as_without_the_interruption(self, tmp_path, interruption):
        (tmp_path / "whole").mkdir()
        whole = self.train(tmp_path / "whole")
        assert looks(whole) == [(2, 1), (5, 2), (8, 3), (11, 4)]
        with pytest.raises(KeyboardInterrupt):
            self.train(tmp_path, [StopAt(*interruption, error=KeyboardInterrupt())])
        resumed = self.train(tmp_path)
        assert same(resumed.records, whole.records)
        assert same(load_monitor(resumed.path), whole.records)

    def test_not_with_other_bins(self, tmp_path):
        self.train(tmp_path)
        with pytest.raises(fn.FileFormatError, match="bins is 5, but the records to resume have 30"):
            self.train(tmp_path, bins=5)


def test_records_are_in_the_history(tmp_path):
    monitor = fn.Monitor(every=2)
    model = fit(tiny_model(), callbacks=[monitor, fn.Checkpoint(tmp_path / "c.h5")])
    assert model.history.monitor is monitor.records
    assert monitor.records
    again, resumed = tiny_model(), fn.Monitor(every=2)
    fit(again, epochs=2, callbacks=[resumed, fn.Checkpoint(tmp_path / "c.h5", resume=True)])
    assert again.history.monitor is resumed.records
    assert len(resumed.records) == 2 * len(monitor.records)
