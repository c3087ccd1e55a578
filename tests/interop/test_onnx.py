"""ONNX: onnxruntime gives what `predict` gives. `python -m tests.interop.onnx_nets --size 100` is the long run."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import FileFormatError
from tests.branching import drawn
from tests.tiny import dense_model, tiny_model

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tests.interop import onnx_nets
from tests.interop.nets import Doubling, random_net


@pytest.mark.parametrize("number", range(12))
def test_random_nets(number, tmp_path):
    dtype, _, difference = onnx_nets.check(number, tmp_path)
    assert difference <= onnx_nets.ALLOWED[dtype]


@pytest.mark.parametrize("kind", [fn.GRU, fn.LSTM])
@pytest.mark.parametrize("each", [False, True])
def test_recurrent_layers(each, kind, tmp_path):
    layers = [kind(5, return_sequences=each), kind(3) if each else fn.Dense(2)]
    model = fn.Sequential(layers, input_shape=(6, 4), loss="mse")
    rng = np.random.default_rng(0)
    for array in model.parameters.values():
        array[...] = rng.normal(size=array.shape)
    x, made = rng.normal(size=(3, 6, 4)).astype(np.float32), fn.interop.to_onnx(model, tmp_path / "net.onnx")
    arrays = {one.name for one in made.graph.initializer}
    assert set(model.parameters) <= arrays
    assert arrays == arrays & {name for node in made.graph.node for name in node.input}, "onnxruntime warns of others"
    (got,) = onnx_nets.run(tmp_path / "net.onnx", {"input": x}).values()
    np.testing.assert_allclose(got, model.predict(x), rtol=1e-5, atol=1e-5)


def test_names_of_columns_are_in_the_metadata(tmp_path):
    pandas = pytest.importorskip("pandas")
    import onnxruntime

    frame = pandas.DataFrame(np.random.default_rng(0).normal(size=(6, 2)), columns=["Größe", 'a "b"'])
    model = fn.Sequential([fn.Dense(1)], input_shape=2, loss="mse")
    assert not fn.interop.to_onnx(model).metadata_props
    model.fit(frame, np.zeros(6), verbose=False)
    fn.interop.to_onnx(model, tmp_path / "net.onnx")
    metadata = onnxruntime.InferenceSession(str(tmp_path / "net.onnx")).get_modelmeta().custom_metadata_map
    assert json.loads(metadata["columns"]) == model.columns == {"x": ["Größe", 'a "b"']}


def test_causal_windows_and_norms_of_positions(tmp_path):
    layers = [fn.LayerNorm(), fn.Conv1D(4, 3, "tanh", 2, "causal"), fn.LayerNorm(), fn.Flatten(), fn.Dense(2)]
    model = fn.Sequential(layers, input_shape=(9, 3), loss="mse")
    x = np.random.default_rng(0).normal(size=(5, 9, 3)).astype(np.float32)
    fn.interop.to_onnx(model, tmp_path / "net.onnx")
    (got,) = onnx_nets.run(tmp_path / "net.onnx", {"input": x}).values()
    np.testing.assert_allclose(got, model.predict(x), rtol=1e-5, atol=1e-5)


def test_the_rows_of_a_table(tmp_path):
    frame = {"age": [25.0, None, 47.0, 52.0], "city": ["Bonn", "Rome", None, "Oslo"]}
    table = fn.Table.of(frame)
    layers = [fn.Columns(**table.layout), fn.Dense(3)]
    model = fn.Sequential(layers, input_shape=table.made_shape, preprocessing=table)
    model.fit(frame, [0, 1, 1, 2], verbose=False)
    fn.interop.to_onnx(model, tmp_path / "net.onnx")
    (got,) = onnx_nets.run(tmp_path / "net.onnx", {"input": model.preprocessing.encoded(frame)}).values()
    np.testing.assert_allclose(got, model.predict(frame), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("loss", fn.losses.LOSSES)
def test_predictions_of_every_loss(loss, logits, tmp_path):
    model, x = dense_model(loss=loss), np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    fn.interop.to_onnx(model, tmp_path / "net.onnx", logits=logits)
    (got,) = onnx_nets.run(tmp_path / "net.onnx", {"input": x}).values()
    np.testing.assert_allclose(got, model.predict(x, logits=logits), rtol=1e-5, atol=1e-6)


def test_a_loss_whose_predictions_nobody_knows():
    with pytest.raises(ValueError, match=r"Doubling.emit_predictions makes the predictions of 'dense_1', .* in ONNX"):
        fn.interop.to_onnx(dense_model(loss=Doubling()))
    assert fn.interop.to_onnx(dense_model(loss=Doubling()), logits=True)


def test_a_wrong_weight_would_be_found(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_nets, "random_net", lambda number: (Changing(*random_net(0)), random_net(0)[1]))
    dtype, _, difference = onnx_nets.check(0, tmp_path)
    assert difference > onnx_nets.ALLOWED[dtype]


class Changing(fn.Model):
    """A model whose weights are others when it predicts than when it was exported."""

    def __init__(self, model, x):
        self.__dict__.update(model.__dict__)

    def predict(self, x, **keywords):
        for array in self.parameters.values():
            array += 0.001
        return super().predict(x, **keywords)


def test_any_number_of_samples_and_the_names_of_the_model(tmp_path):
    model, x, _ = drawn(3)
    made = fn.interop.to_onnx(model, tmp_path / "net.onnx", dtype="float32")
    assert [one.name for one in made.graph.input] == list(model.network.graph.inputs)
    assert [one.name for one in made.graph.output] == list(model.network.graph.outputs)
    arrays = {one.name for one in made.graph.initializer}
    assert set(model.parameters) <= arrays, "a tied or shared weight is there once"
    for count in (1, 5):
        part = {name: one[:count].astype(one.dtype if one.dtype.kind == "i" else "f") for name, one in x.items()}
        for name, got in onnx_nets.run(tmp_path / "net.onnx", part).items():
            np.testing.assert_allclose(got, model.predict(part)[name], rtol=1e-5, atol=1e-5)


def test_pixels_are_part_of_the_graph_and_words_are_not(tmp_path):
    pictures = np.arange(2 * 6, dtype=np.uint8).reshape(2, 2, 3)
    pixels = fn.Pixels((2, 3), divide=255, subtract=np.ones((2, 3)), flat=True)
    smaller = fn.Pixels((4, 6), divide=255, subtract=np.ones((4, 6)), flat=True, shrink=2)
    for made, given in ((pixels, pictures), (smaller, pictures.repeat(2, axis=1).repeat(2, axis=2) * 3)):
        model = fn.Sequential([fn.Dense(2)], input_shape=6, loss="mse", preprocessing=made)
        fn.interop.to_onnx(model, tmp_path / "net.onnx")
        got = onnx_nets.run(tmp_path / "net.onnx", {"input": given.astype(np.float32)})["dense"]
        np.testing.assert_allclose(got, model.predict(given), rtol=1e-5, atol=1e-6)
    words = tiny_model(words=4, preprocessing=fn.Words(["a", "b", "c", "d"]))
    fn.interop.to_onnx(words, tmp_path / "net.onnx")
    got = onnx_nets.run(tmp_path / "net.onnx", {"input": np.array([[0, 1, 2]])})["dense_1"]
    np.testing.assert_allclose(got, words.predict(["a b c"]), rtol=1e-5)


@dataclass(frozen=True)
class Twice(fn.layers.Layer):
    """A layer of a user's own."""

    kind = "twice"


@dataclass(frozen=True)
class MyDense(fn.Dense):
    """A user's layer that may compute anything."""


@pytest.mark.parametrize("own", [Twice(), MyDense(4)], ids=["of its own", "a subclass"])
def test_a_layer_without_equivalent_is_named(own):
    model = fn.Sequential([own, fn.Dense(3)], input_shape=4)
    named = f"the layer '{model.network.names[0]}' is of the kind {type(own).__name__}"
    with pytest.raises(ValueError, match=f"{named}, for which fastnn knows no equivalent in ONNX; expected layers"):
        fn.interop.to_onnx(model)


@pytest.mark.parametrize("last", [fn.SampledSoftmax(9, samples=4), fn.AdaptiveSoftmax(9, cutoffs=(3,))])
def test_a_layer_of_fastnn_without_equivalent_is_named(last):
    with pytest.raises(ValueError, match=f"of the kind {type(last).__name__}, .* in ONNX; save and fn.load keep it"):
        fn.interop.to_onnx(fn.Sequential([fn.Dense(5), last], input_shape=4))


def test_wrong_arguments(tmp_path):
    with pytest.raises(TypeError, match="to_onnx: model is str, expected a fastnn model"):
        fn.interop.to_onnx("model")
    with pytest.raises(ValueError, match="dtype is 'half', expected None, float32 or float64"):
        fn.interop.to_onnx(dense_model(), dtype="half")
    with pytest.raises(FileFormatError, match="cannot write"):
        fn.interop.to_onnx(dense_model(), tmp_path)
    x = fn.Input(3, name="x")
    with pytest.raises(ValueError, match="'x' is an input and an output"):
        fn.interop.to_onnx(fn.Model(x, {"x": fn.Dense(2)(x)}))
    large = dense_model(dtype="float64")
    large.parameters["dense.w"][0, 0] = 1e300
    with pytest.raises(fn.DataError, match=r"dense\.w"):
        fn.interop.to_onnx(large, dtype="float32")
