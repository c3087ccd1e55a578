"""Layers that act at positions: means, dense layers, convolutions of sequences. Their values, bits and files."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.initializers import Normal
from tests.tiny import bits, jit_only, two_threads

START = {"initializer": Normal(0.5), "bias_initializer": Normal(0.5)}
RNG = np.random.default_rng(7)


def dense(units, activation="identity"):
    return fn.Dense(units, activation, **START)


def sequential(layer, shape):
    return fn.Sequential([layer, fn.Flatten()], input_shape=shape)


def test_means_do_not_count_padding():
    model = sequential(fn.AveragePool2D(2, padding="same"), (3, 3, 1))
    got = model.predict(np.arange(9.0).reshape(1, 3, 3, 1), logits=True)
    assert got.tolist() == [[2, 3.5, 6.5, 8]]
    x = RNG.normal(size=(4, 5, 6, 3))
    got = sequential(fn.GlobalAveragePool(), (5, 6, 3)).predict(x, logits=True)
    np.testing.assert_allclose(got, x.mean(axis=(1, 2)), rtol=1e-6, atol=1e-7)


def test_dense_acts_at_each_position_as_it_does_on_one():
    x, inner = RNG.normal(size=(4, 5, 6, 3)), dense(7, "tanh")
    many = fn.Sequential([inner, fn.Flatten()], input_shape=(5, 6, 3), dtype="float64", seed=1)
    one = fn.Sequential([inner], input_shape=(3,), dtype="float64", seed=1)
    assert many.network.shapes[1] == (5, 6, 7)
    got = many.predict(x, logits=True).reshape(-1, 7)
    np.testing.assert_allclose(got, one.predict(x.reshape(-1, 3), logits=True), rtol=1e-13, atol=1e-15)


def test_a_narrow_net_with_dense_layers_at_positions_is_no_net_of_narrow_rows():
    model = fn.Sequential([dense(3, "tanh"), fn.Flatten(), dense(2)], input_shape=(2, 3), loss="mse", dtype="float64")
    x, y, w = RNG.normal(size=(5, 2, 3)), RNG.normal(size=(5, 2)), model.parameters
    want = np.tanh(x @ w["dense.w"] + w["dense.b"]).reshape(5, 6) @ w["dense_1.w"] + w["dense_1.b"]
    np.testing.assert_allclose(model.loss_and_gradients(x, y)[0], ((want - y) ** 2).mean(), rtol=1e-12)


@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, "same"), (1, "valid"), (3, "valid")])
def test_a_convolution_of_a_sequence_slides_along_it(stride, padding):
    layers = [fn.Conv1D(2, 3, stride=stride, padding=padding, **START), fn.Flatten()]
    model = fn.Sequential(layers, input_shape=(8, 4), dtype="float64", loss="mse")
    x, w = RNG.normal(size=(3, 8, 4)), model.parameters["conv1d.w"]
    assert w.shape == (3, 4, 2)
    before = {1: 1, 2: 0}[stride] if padding == "same" else 0  # of an odd padding the larger half is behind
    seen = np.pad(x, ((0, 0), (before, 1), (0, 0))) if padding == "same" else x
    outputs = range(0, seen.shape[1] - 2, stride)
    want = np.stack([np.tensordot(seen[:, t : t + 3], w, 2) for t in outputs], axis=1)
    want += model.parameters["conv1d.b"]
    assert model.network.shapes[1] == want.shape[1:]
    np.testing.assert_allclose(model.predict(x), want.reshape(3, -1), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("length", "stride", "padding"), [(7, None, "valid"), (8, 1, "same"), (8, 2, "same")])
@pytest.mark.parametrize(("kind", "of_window"), [(fn.MaxPool1D, np.nanmax), (fn.AveragePool1D, np.nanmean)])
def test_a_pool_of_a_sequence_slides_along_it(kind, of_window, length, stride, padding):
    model = fn.Sequential(
        [kind(3, stride, padding), fn.Flatten()], input_shape=(length, 4), dtype="float64", loss="mse"
    )
    x, step = RNG.normal(size=(5, length, 4)), stride or 3
    before = {1: 1, 2: 0}[stride] if padding == "same" else 0  # of an odd padding the larger half is behind
    around = ((0, 0), (before, 1 if padding == "same" else 0), (0, 0))
    seen = np.pad(x, around, constant_values=np.nan)  # padding does not count
    want = np.stack([of_window(seen[:, t : t + 3], axis=1) for t in range(0, seen.shape[1] - 2, step)], axis=1)
    assert model.network.shapes[1] == want.shape[1:]
    np.testing.assert_allclose(model.predict(x), want.reshape(5, -1), rtol=1e-14)


def test_steps_per_block_refuses_a_dense_layer_at_positions():
    model = fn.Sequential([dense(3), fn.Flatten()], input_shape=(2, 3), loss="mse")
    x, y = RNG.normal(size=(8, 2, 3)), RNG.normal(size=(8, 6))
    with pytest.raises(ValueError, match=r"samples of one axis, not of shape \(2, 3\)"):
        model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=1, steps_per_block=4, verbose=False)


@pytest.mark.parametrize("tied", [(None, "dense"), ("dense_1", None)], ids=["the first to another", "to the first"])
def test_steps_per_block_refuses_a_first_weight_that_is_tied(tied):
    first, last = (fn.Dense(3, tied_to=name) for name in tied)
    x = RNG.normal(size=(8, 3))
    model = fn.Sequential([first, last], input_shape=3, loss="mse")
    with pytest.raises(ValueError, match="the weight of the first layer is tied"):
        model.fit(x, x, optimizer=fn.SGD(0.1), batch_size=1, steps_per_block=4, verbose=False)


OF_ALL_KINDS = [
    (fn.Conv1D(3, 2, "relu", stride=2, padding="valid", use_bias=False, name="slide"), (6, 2)),
    (fn.AveragePool2D((2, 1), stride=1, padding="same"), (3, 4, 2)),
    (fn.MaxPool1D(3, stride=2, padding="same", name="most"), (7, 2)),
    (fn.AveragePool1D(3), (7, 2)),
    (fn.GlobalAveragePool(freeze=True), (3, 4, 2)),
    (fn.Reshape((2, -1, 3)), (4, 6)),
    (fn.Dense(5, "elu", l2=0.1), (4, 6)),
]


@pytest.mark.parametrize(("layer", "shape"), OF_ALL_KINDS, ids=lambda v: getattr(v, "kind", ""))
def test_a_file_gives_back_the_layer(layer, shape, tmp_path):
    model = fn.Sequential([layer, fn.Flatten(), fn.Dense(3)], input_shape=shape)
    model.save(tmp_path / "m.h5")
    again, x = fn.load(tmp_path / "m.h5"), RNG.normal(size=(4, *shape))
    assert again.network.layers == model.network.layers
    assert np.array_equal(again.predict(x), model.predict(x))


def wide_stacks():
    images = [
        fn.Conv2D(16, 3, "relu", **START),
        fn.AveragePool2D(2),
        dense(20, "relu"),
        fn.GlobalAveragePool(),
        dense(10),
    ]
    sequences = [fn.Conv1D(17, 3, "tanh", **START), fn.Dropout(keep=0.5), dense(33, "relu"), fn.Flatten(), dense(10)]
    return {"images": (images, (14, 14, 3)), "sequences": (sequences, (31, 5))}


@jit_only
@two_threads
@pytest.mark.parametrize("stack", wide_stacks().values(), ids=wide_stacks().keys())
def test_means_and_positions_have_the_same_bits_fused_or_stored_at_any_number_of_threads(stack):
    layers, shape = stack
    x, y, found = RNG.normal(size=(96, *shape)), RNG.integers(0, 10, 96), []
    for threads, callbacks in ((1, []), (2, []), (2, [fn.GradientNorms()])):
        model = fn.Sequential(layers, input_shape=shape, seed=4)
        with fn.threads(threads):
            model.fit(x, y, optimizer=fn.Adam(0.01), batch_size=32, epochs=2, verbose=False, callbacks=callbacks)
        found.append(bits(model.parameters))
    assert found[0] == found[1] == found[2]
