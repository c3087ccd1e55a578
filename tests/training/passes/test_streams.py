"""Training on files larger than memory: every sample once an epoch, few of them in memory, the same bits in order."""

import functools
import os
import weakref

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.data import generate_trigrams, load_trigram_hdf5, save_trigram_hdf5, source, streamed
from fastnn.data.formats import trigram_hdf5 as hdf5
from fastnn.engine import memory
from tests.tiny import jit_only, python

rng = np.random.default_rng(5)
N = 503
X = rng.normal(size=(N, 6)).astype("f4")
Y = (X[:, 0] + X[:, 1] > 0).astype("u1")


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=X, chunks=(8, 6), compression="gzip")
        file["y"] = Y
        file["ids"] = np.arange(N).astype("i4")
    return tmp_path / "a.h5"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    """Blocks of 16 rows, chunks of 56 before they are rounded up to whole batches."""
    monkeypatch.setattr(streamed, "SHUFFLE_BLOCK_BYTES", 16 * 24)
    monkeypatch.setattr(streamed, "SHUFFLE_BUFFER_BYTES", 56 * 24)


def net():
    return fn.Sequential([fn.Dense(5, "tanh"), fn.Dropout(rate=0.3), fn.Dense(2)], input_shape=(6,), seed=3)


def fitted(x, y, model=None, **options):
    model = model or net()
    model.fit(x, y, **{"optimizer": fn.Adam(0.01), "batch_size": 30, "epochs": 3, "verbose": False} | options)
    return model


def assert_same(a, b):
    for name in a.parameters:
        np.testing.assert_array_equal(a.parameters[name], b.parameters[name], strict=True)
    figures = [[{k: v for k, v in e.items() if k not in ("seconds", "samples_per_second")} for e in one.history.epochs]
               for one in (a, b)]  # fmt: skip
    assert figures[0] == figures[1]


def test_in_the_file_s_order_the_bits_are_those_of_arrays(path):
    with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
        held = {"validation_data": (x.part(400, N), Y[400:])}
        weights = {"class_weight": {0: 2.0}, "sample_weight": rng.random(N)}
        for options in ({}, held, weights, {"validation_split": 0.2, **weights}):
            arrays = options | ({"validation_data": (X[400:], Y[400:])} if "validation_data" in options else {})
            want = fitted(X, Y, shuffle=False, **arrays)
            assert_same(fitted(x, y, shuffle=False, **options), want)
            assert_same(fitted(x, Y, shuffle=False, **options), want)
            assert_same(fitted(X, y, shuffle=False, **options), want)
        assert want.evaluate(x, y) == want.evaluate(X, Y)
        np.testing.assert_array_equal(want.predict(x), want.predict(X), strict=True)


def chunks_of(stream, batch, seed, epoch):
    network = fn.Sequential([fn.Embedding(N, 2), fn.Flatten(), fn.Dense(2)], input_shape=(1,)).network
    read = streamed.StreamSource(network, {"x": stream}, {}).chunks(batch, seed, epoch)
    return [chunk.x[0][:, 0].copy() for chunk in read]


def test_every_sample_comes_once_an_epoch_in_whole_batches_from_many_blocks(path):
    with fn.H5Stream(path, "ids", lambda rows: rows[:, None]) as ids:
        first, again, other = (chunks_of(ids, 30, seed, epoch) for seed, epoch in ((1, 0), (1, 0), (1, 1)))
        ordered = chunks_of(ids, 30, None, 0)
    for chunks in (first, other, ordered):
        assert sorted(np.concatenate(chunks).tolist()) == list(range(N))
        assert all(len(chunk) % 30 == 0 for chunk in chunks[:-1])
    assert np.concatenate(ordered).tolist() == list(range(N))
    assert [w.tolist() for w in first] == [w.tolist() for w in again] != [w.tolist() for w in other]
    spread = [len(np.unique(chunk // 96)) for chunk in first[:-1]]
    assert min(spread) > 1, "a chunk from one place of the file mixes nothing"


def test_samples_are_shuffled_within_a_chunk_too(path):
    """One chunk of all samples: training differs from that in order, and from epoch to epoch of another seed."""
    with fn.H5Stream(path, "x") as x:
        assert not np.array_equal(
            fitted(x, Y, batch_size=N // 2, epochs=1).parameters["dense.w"],
            fitted(x, Y, batch_size=N // 2, epochs=1, shuffle=False).parameters["dense.w"],
        )


def test_a_stream_that_is_resumed_goes_on_with_the_same_bits(path, tmp_path):
    with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
        want = fitted(x, y, epochs=4)
        fitted(x, y, epochs=2, callbacks=[fn.Checkpoint(tmp_path / "c.h5")])
        got = net()
        fitted(x, y, got, epochs=4, callbacks=[fn.Checkpoint(tmp_path / "c.h5", resume=True)])
        assert_same(got, want)


def test_where_a_stream_goes_wrong(path):
    with h5py.File(path, "a") as file:
        file["x"][333, 4] = np.nan
        file["y"][77] = 2
    with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
        with pytest.raises(fn.DataError, match=r"^x \(counted from its row 320\)\[13, 4\] is nan, expected finite"):
            fitted(x, Y, shuffle=False)
        with pytest.raises(fn.DataError, match=r"^y \(counted from its row 75\)\[2\] is 2, expected 0 to 1"):
            fitted(X, y, shuffle=False)
        with pytest.raises(fn.ShapeError, match="x has 503 samples but y has 502"):
            fitted(x, y.part(0, 502))
        with pytest.raises(fn.ShapeError, match=r"x has shape \(503,\), expected \(N, 6\)"):
            fitted(y, y)
        with pytest.raises(ValueError, match="batch_size=None takes all samples"):
            fitted(x, y, batch_size=None)
        with pytest.raises(fn.DataError, match="x is empty"):
            fitted(x.part(0, 0), y.part(0, 0), sample_weight=[])
        with pytest.raises(fn.ShapeError, match=r"y has shape \(\), expected one row for each sample"):
            fitted(x, 3)
        with pytest.raises(TypeError, match="y is None, expected an array"):
            net().evaluate(x, None)
        with pytest.raises(fn.DataError, match=r"503 to 504 of .*'x' were asked for, expected 0 to 503"):
            x.part(503, 504)
    with pytest.raises(fn.DataError, match="closed"):
        fitted(x, Y)


def test_numbers_of_a_stream_that_are_large(tmp_path):
    large, counts = X.astype("f8"), np.full((N, 6), 3, "u8")
    large[333, 4], counts[333, 4] = 1e300, 2**63 + 5
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["counts"] = large, counts
    with fn.H5Stream(tmp_path / "a.h5", "x") as x, fn.H5Stream(tmp_path / "a.h5", "counts") as few:
        with pytest.raises(
            fn.DataError, match=r"^x \(counted from its row \d+\)\[\d+, 4\] is 1e\+300, expected at most"
        ):
            fitted(x, Y, shuffle=False)
        model = fn.Sequential([fn.Dense(1, initializer="ones")], input_shape=(6,), loss="mse", dtype="float64")
        want = np.full(N, 18.0)
        want[333] = 2.0**63 + 15
        assert np.array_equal(model.predict(few)[:, 0], want), "chunks before and after it are of one dtype"


def test_a_diverging_stream_ends_in_the_last_finite_state(path):
    """In a later chunk than the first, so that what is run again must be of that chunk."""
    x = X.copy()
    x[300:] *= 1e30
    with h5py.File(path, "a") as file:
        file["x"][...] = x
    models = []
    with fn.H5Stream(path, "x") as stream:
        for source in (stream, x):
            model = fn.Sequential([fn.Dense(5, "relu"), fn.Dense(2)], input_shape=(6,), seed=3)
            with pytest.raises(fn.NonFiniteError, match="epoch 1, step 12 of 17") as error:
                fitted(source, Y, model, optimizer=fn.SGD(0.1), shuffle=False)
            models.append((model, str(error.value)))
    assert models[0][1] == models[1][1]
    np.testing.assert_array_equal(models[0][0].parameters["dense.w"], models[1][0].parameters["dense.w"])


def test_changed_rows(path):
    with fn.H5Stream(path, "x", lambda rows: rows[:, :2].astype("f8") / 2) as x:
        assert (x.shape, x.dtype, len(x)) == ((N, 2), np.dtype("f8"), N)
        np.testing.assert_array_equal(x.part(5, 20).part(1, 4).read(0, 3), X[6:9, :2].astype("f8") / 2)
    with pytest.raises(fn.DataError, match=r"1 rows were changed into \(6,\), expected as many rows"):
        fn.H5Stream(path, "x", functools.partial(np.sum, axis=0))
    os.rename(path, path.with_suffix(".moved"))  # where a file is still open, some systems refuse


def test_a_change_gives_rows_of_one_kind(path):
    """Else chunks would take the first ones' dtype, and cut the others off."""

    def scaled_if_large(rows):
        return rows if rows.max() <= 100 else rows / np.float32(255)

    with fn.H5Stream(path, "ids", scaled_if_large) as ids:
        assert ids.read(0, 50).dtype == np.int32
        with pytest.raises(fn.DataError, match=r"rows 90 to 120 were changed into float64 rows .*, expected int32"):
            ids.read(90, 120)


def test_memory_follows_what_rows_take_while_they_are_read(tmp_path, caplog):
    """Not what little a change makes of them, nor tall chunks of a file; and targets count, too."""
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("wide", shape=(4000, 64), dtype="u1", chunks=(2000, 1), compression="gzip")
        file.create_dataset("y", shape=(4000, 200), dtype="f4")
    network = fn.Sequential([fn.Dense(200)], input_shape=(1,), loss="mse").network
    with fn.H5Stream(tmp_path / "b.h5", "wide", lambda rows: rows.max(axis=1, keepdims=True)) as narrow:
        assert (narrow.row_bytes, narrow.chunk_rows) == (64, 2000)
        alone = list(source.source_of_inputs(network, narrow).chunks(1))
        assert max(len(chunk) for chunk in alone) <= streamed.SHUFFLE_BUFFER_BYTES // 64
        with fn.H5Stream(tmp_path / "b.h5", "y") as y:
            chunks = list(source.source_of(network, narrow, y).chunks(1))
            assert max(len(chunk) for chunk in chunks) <= max(streamed.SHUFFLE_BUFFER_BYTES // 864, 1)
    assert "packed in chunks" not in caplog.text, "little is unpacked in vain"


def test_files_that_are_slow_to_read_by_rows_are_named(tmp_path, caplog):
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("tall", shape=(1 << 20, 64), dtype="u1", chunks=(1 << 20, 1), compression="gzip")
    with fn.H5Stream(tmp_path / "b.h5", "tall"):
        assert "is packed in chunks of (1048576, 1)" in caplog.text
        assert "such as (4096, 64)" in caplog.text


@pytest.mark.parametrize("count", [1, 63, 64, 130, 500, 502, 503])
def test_samples_are_drawn_once_each(path, count):
    with fn.H5Stream(path, "ids") as ids:
        drawn = fn.Split(ids, ids).drawn(count).x
    assert len(drawn) == len(set(drawn.tolist())) == count
    assert count < 64 or (drawn.min() == 0 and drawn.max() > N - 2 * N // 64)


def test_a_split_may_be_a_stream(path):
    with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
        split = fn.Split(x, y)
        np.testing.assert_array_equal(split.part(3, 9).x.read(0, 6), X[3:9])
        drawn = split.drawn(130)
        assert len(drawn) == 130
        assert not drawn.is_streamed
        rows = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in drawn.x]
        assert len(set(rows)) == 130
        assert rows[0] == 0
        assert rows[-1] > N - 8
        np.testing.assert_array_equal(drawn.y, Y[rows])
        with pytest.raises(fn.DataError, match="cannot be shuffled"):
            split.shuffled(1)
        data = fn.Dataset(split).cut(300, 100, 50)
        assert [len(one) for one in data.splits().values()] == [300, 100, 50]


def test_the_trigrams_of_a_large_file_stay_there(tmp_path, monkeypatch):
    data = generate_trigrams(2_000, 200, 200)
    save_trigram_hdf5(tmp_path / "t.h5", data)
    want = load_trigram_hdf5(tmp_path / "t.h5")
    monkeypatch.setattr(hdf5, "STREAMED_FROM", 1_000)
    got = load_trigram_hdf5(tmp_path / "t.h5")
    assert got.train.is_streamed
    assert not got.val.is_streamed
    np.testing.assert_array_equal(got.train.x.read(0, 2_000), want.train.x)
    np.testing.assert_array_equal(got.train.y.read(0, 2_000), want.train.y)


@jit_only
def test_ten_gigabytes_train_in_little_memory(tmp_path):
    """10.7 GB of pixels, of which some 300 MB are trained on, in a process of its own.

    What an epoch takes more than its first chunk is what would grow with the file.
    """
    path = tmp_path / "large.h5"
    with h5py.File(path, "w") as file:  # nothing is written: HDF5 reads zeros
        file.create_dataset("x", shape=(10 << 20, 1024), dtype="u1", chunks=(256, 1024))
        file.create_dataset("y", shape=(10 << 20,), dtype="u1", chunks=(1 << 16,))
    code = f"""
import fastnn as fn
from fastnn.experiment.machine import peak_memory_mb

class Look(fn.Callback):
    every, at = 100, []
    def on_batch_end(self, run):
        self.at.append(peak_memory_mb())
        if run.step >= 1500:
            run.stop("enough")

model = fn.Sequential([fn.Dense(2)], input_shape=(1024,))
with fn.H5Stream({str(path)!r}, "x") as x, fn.H5Stream({str(path)!r}, "y") as y:
    model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=200, verbose=False, callbacks=[Look()])
print(Look.at[-1] - Look.at[0], model.history.stop_reason)
"""
    grown, reason = python(code).split()
    assert reason == "enough"
    assert float(grown) < 40, "megabytes more than after the first chunk"


def test_the_last_chunk_is_given_up_before_validation(path, monkeypatch):
    kept, gathered = [], streamed.StreamSource._gathered

    def noted(self, *given):
        chunk = gathered(self, *given)
        if self.samples == 400:
            kept.append(weakref.ref(chunk.x[0].base))
        elif kept:
            alive.append(any(one() is not None for one in kept))
        return chunk

    alive = []
    monkeypatch.setattr(streamed.StreamSource, "_gathered", noted)
    with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
        fitted(x.part(0, 400), y.part(0, 400), validation_data=(x.part(400, N), y.part(400, N)), epochs=1)
    assert kept
    assert alive
    assert not any(alive)


@pytest.mark.parametrize("reads", [False, True])
def test_what_a_step_computes_is_given_back_before_validation_and_the_bits_stay(path, monkeypatch, reads):
    """Layers' outputs of the last batch stay for callbacks."""
    seen = []

    class Look(fn.Callback):
        reads_gradients = reads

        def on_epoch_end(self, run):
            seen.append({name: values.copy() for name, values in run.layer_outputs().items()})

    def trained(large):
        monkeypatch.setattr(memory, "LARGE", large)
        wide = fn.Sequential([fn.Dense(300, "tanh"), fn.Dropout(0.3), fn.BatchNorm(), fn.Dense(2)], input_shape=6)
        with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
            given = {"batch_size": 100, "validation_data": (X[:300], Y[:300]), "epochs": 2, "callbacks": [Look()]}
            fitted(x, y, wide, **given)
        return wide.history.steps["loss"], wide.history["val_loss"], wide.parameters.flat.copy()

    want, got = trained(1 << 40), trained(1 << 12)
    assert got[:2] == want[:2]
    assert (got[2] == want[2]).all()
    for one, other in zip(seen[:2], seen[2:], strict=True):
        assert all((one[name] == other[name]).all() for name in one)
