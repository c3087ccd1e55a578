"""safetensors files: whole models, written whole, and refused in one line where they are damaged."""

import json

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import FileFormatError
from tests.interop.nets import random_net
from tests.tiny import bits, dense_model

pytest.importorskip("safetensors")

from safetensors.numpy import load_file, save_file


@pytest.mark.parametrize("number", range(6))
def test_a_file_is_the_whole_model(number, tmp_path):
    model, x = random_net(number)
    model.meta, model.epoch = {"words": ["a", "ü"], "scale": 0.1}, 3
    model.columns = {"x": ["age", "height"]}
    fn.interop.save_safetensors(model, tmp_path / "net.safetensors")
    got = fn.interop.load_safetensors(tmp_path / "net.safetensors")
    assert (type(got), got.meta, got.epoch, got.dtype, got.columns) == (
        fn.Sequential if model.network.graph.is_chain else fn.Model,
        *(model.meta, 3, model.dtype, model.columns),
    )
    assert bits({**got.parameters, **got.buffers}) == bits({**model.parameters, **model.buffers})
    got, want = got.predict(x), model.predict(x)
    assert bits(got if isinstance(got, dict) else {"": got}) == bits(want if isinstance(want, dict) else {"": want})


def test_arrays_have_the_names_of_the_model(tmp_path):
    model = fn.Sequential([fn.BatchNorm(), fn.Dense(3)], input_shape=4)
    fn.interop.save_safetensors(model, tmp_path / "net.safetensors")
    assert bits(load_file(tmp_path / "net.safetensors")) == bits({**model.parameters, **model.buffers})


def test_a_file_of_others_goes_into_a_model(tmp_path):
    arrays = {name: array.astype(np.float64) for name, array in dense_model(seed=1).parameters.items()}
    save_file(arrays, tmp_path / "net.safetensors")
    model = dense_model(seed=2)
    assert fn.interop.load_safetensors(tmp_path / "net.safetensors", model) is model
    assert bits(model.parameters) == bits(dense_model(seed=1).parameters)
    with pytest.raises(FileFormatError, match=r"describes no fastnn model: give one, load_safetensors\(path, model\)"):
        fn.interop.load_safetensors(tmp_path / "net.safetensors")
    with pytest.raises(TypeError, match="which are for one made of the file"):
        fn.interop.load_safetensors(tmp_path / "net.safetensors", model, loss="mse")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dense.w": np.zeros((4, 5), "f")}, r"'dense.w' is \(4, 5\) float32, expected \(5, 4\) float32"),
        ({"other": np.zeros(2, "f")}, "'other'"),
        ({"dense.b": np.full(4, np.nan, "f")}, r"dense.b\[0\] is nan"),
    ],
)
def test_what_does_not_fit_changes_nothing(change, message, tmp_path):
    save_file(dense_model(seed=1).parameters.copy() | change, tmp_path / "net.safetensors")
    model = dense_model(seed=2)
    with pytest.raises(FileFormatError, match=message):
        fn.interop.load_safetensors(tmp_path / "net.safetensors", model)
    assert bits(model.parameters) == bits(dense_model(seed=2).parameters)


def test_a_loss_and_layers_of_ones_own(tmp_path):
    model = fn.Sequential([fn.Dense(1)], input_shape=2, loss=fn.ElementwiseLoss(value=abs_error, gradient=sign))
    fn.interop.save_safetensors(model, tmp_path / "net.safetensors")
    with pytest.raises(FileFormatError, match="say which"):
        fn.interop.load_safetensors(tmp_path / "net.safetensors")
    assert fn.interop.load_safetensors(tmp_path / "net.safetensors", loss="mse").network.loss == fn.MSE()


def abs_error(s, t):
    return abs(s - t)


def sign(s, t):
    return 1.0 if s > t else -1.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("safetensors") / "net.safetensors"
    fn.interop.save_safetensors(dense_model(), path)
    return path.read_bytes()


@pytest.mark.parametrize("length", [0, 4, 8, 50, -1])
def test_a_file_cut_short_is_refused_in_one_line(length, whole, tmp_path):
    (tmp_path / "net.safetensors").write_bytes(whole[:length])
    with pytest.raises(FileFormatError, match="no safetensors file") as caught:
        fn.interop.load_safetensors(tmp_path / "net.safetensors")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "described",
    [
        *("", "[" * 100_000, "{}", "[]", "null", '{"config": {}, "buffers": []}', '{"config": 1, "buffers": 2}'),
        json.dumps({"config": {"network": {}, "dtype": "float32", "seed": 0, "epoch": 0, "meta": {}}, "buffers": []}),
    ],
)
def test_a_forged_description_is_refused(described, tmp_path):
    save_file({"dense.w": np.zeros((2, 2))}, tmp_path / "net.safetensors", {"fastnn": described})
    with pytest.raises(FileFormatError):
        fn.interop.load_safetensors(tmp_path / "net.safetensors")


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(FileFormatError, match="does not exist, expected a safetensors file"):
        fn.interop.load_safetensors(tmp_path / "none")
    with pytest.raises(FileFormatError, match="is a folder"):
        fn.interop.load_safetensors(tmp_path)
    with pytest.raises(FileFormatError, match="cannot write"):
        fn.interop.save_safetensors(dense_model(), tmp_path / "none" / "net.safetensors")
    model = dense_model()
    model.meta["function"] = print
    with pytest.raises(TypeError, match="meta"):
        fn.interop.save_safetensors(model, tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []
