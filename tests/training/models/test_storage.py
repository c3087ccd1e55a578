"""Files: what is saved comes back, what is damaged is refused."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common import files
from fastnn.nn.config import config_of
from fastnn.training.models import storage
from tests.tiny import bits, fit, shown, tiny_model


@pytest.fixture
def saved(tmp_path):
    """A model and the file it was saved to."""
    model = fit(tiny_model())
    model.meta = {"words": ["a", "ü"], "scale": 0.1}
    model.save(tmp_path / "model.h5")
    return model, tmp_path / "model.h5"


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("summed", [False, True])
    def test_predictions_are_the_same_bits(self, tmp_path, dtype, summed, data):
        model = fit(tiny_model(dtype=dtype, summed=summed, seed=3), epochs=2)
        model.save(tmp_path / "model.h5")
        loaded = fn.load(tmp_path / "model.h5")
        assert loaded.predict(data[0]).tobytes() == model.predict(data[0]).tobytes()
        assert bits(loaded.parameters) == bits(model.parameters)
        assert config_of(loaded.network) == config_of(model.network)
        assert (loaded.dtype, loaded.seed, loaded.epoch) == (model.dtype, 3, 2)

    def test_meta_comes_back(self, saved):
        assert fn.load(saved[1]).meta == {"words": ["a", "ü"], "scale": 0.1}

    def test_a_loaded_model_trains_on_in_the_same_order(self, saved):
        model, path = saved
        loaded = fn.load(path)
        assert bits(fit(loaded).parameters) == bits(fit(model).parameters)

    def test_saving_again_replaces_the_file(self, saved):
        model, path = saved
        model.set_parameters({"dense.b": np.zeros(5)})
        model.save(str(path))
        assert not fn.load(str(path)).parameters["dense.b"].any()
        assert [entry.name for entry in path.parent.iterdir()] == ["model.h5"]

    def test_vocabularies_may_be_large(self, saved):
        model, path = saved
        model.meta = {"words": [f"word{i}" for i in range(20_000)]}  # beyond the 64 KiB of an HDF5 attribute
        model.save(path)
        assert fn.load(path).meta == model.meta


def refused(path, message):
    with pytest.raises(fn.FileFormatError, match=message) as caught:
        fn.load(path)
    assert shown(path) in str(caught.value)
    assert "\n" not in str(caught.value)


class TestDamage:
    def test_missing(self, tmp_path):
        refused(tmp_path / "none.h5", "none.h5' does not exist, expected a model that fastnn saved")
        refused(tmp_path, "is a folder, expected a model that fastnn saved")
        (tmp_path / "model.h5").write_bytes(b"")
        refused(tmp_path, r"is the folder of a run, expected the model in it: fn.load\('.*model.h5'\)")

    @pytest.mark.parametrize("content", [b"", b"words\n", b"\x89HDF\r\n\x1a\n"])
    def test_not_hdf5(self, tmp_path, content):
        path = tmp_path / "model.h5"
        path.write_bytes(content)
        refused(path, "cannot be read")

    @pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.999])
    def test_cut_short(self, saved, fraction):
        whole = saved[1].read_bytes()
        saved[1].write_bytes(whole[: int(fraction * len(whole))])
        refused(saved[1], "cannot be read")

    def test_another_hdf5_file(self, tmp_path):
        path = tmp_path / "other.h5"
        with h5py.File(path, "w") as file:
            file["trainx"] = np.zeros((3, 3))
        refused(path, "not a model that fastnn saved")

    def test_a_newer_version(self, saved, monkeypatch):
        monkeypatch.setattr(storage, "KIND", replace(storage.KIND, version=5))
        saved[0].save(saved[1])
        monkeypatch.undo()
        refused(saved[1], "format version 5, this fastnn reads up to 4")

    @pytest.mark.parametrize("where", ["parameters/dense.w", "parameters/dense_1.b", "config"])
    def test_another_number(self, saved, where):
        """Wherever one byte of an array changes."""
        with h5py.File(saved[1]) as file:
            offset = file[where].id.get_offset()
        whole = saved[1].read_bytes()
        saved[1].write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])
        refused(saved[1], "checksum does not match")

    def test_changed_by_another_program(self, saved):
        with h5py.File(saved[1], "r+") as file:
            del file["parameters/dense.b"]
        refused(saved[1], "another program has written to it")

    def test_any_damaged_byte_is_found(self, saved):
        path = saved[1]
        whole = path.read_bytes()
        for position in range(0, len(whole), 5):
            path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
            refused(path, "model.h5")


class TestNothingHalfWritten:
    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
    def test_an_interrupted_save_leaves_the_old_file(self, saved, monkeypatch, error):
        model, path = saved
        before = path.read_bytes()

        def interrupted(*arguments):
            raise error

        monkeypatch.setattr(files, "write_head", interrupted)
        model.set_parameters({"dense.b": np.zeros(5)})
        with pytest.raises(fn.FileFormatError if error is OSError else error):
            model.save(path)
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == ["model.h5"]

    def test_an_unwritable_place_is_named(self, tmp_path):
        with pytest.raises(fn.FileFormatError, match="nowhere"):
            tiny_model().save(tmp_path / "nowhere" / "model.h5")
