"""Models that take data as they are: every method gives what it gives for prepared data, bit by bit."""

import copy

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.training.models import storage
from tests.tiny import bits, tiny_model, trigrams

RNG = np.random.default_rng(0)
RAW = RNG.integers(0, 256, (40, 3, 4), np.uint8)
Y = RNG.integers(0, 3, 40)
MEAN = RAW.mean(axis=0)
READY = ((RAW.astype(np.float32) - MEAN.astype(np.float32)) / np.float32(255)).reshape(40, -1)
PIXELS = fn.Pixels((3, 4), divide=255, subtract=MEAN, flat=True)
QUIET = {"optimizer": "adam", "batch_size": 7, "epochs": 2, "verbose": False}


def model(preprocessing=None, **keywords):
    return fn.Sequential([fn.Dense(5, "tanh"), fn.Dense(3)], input_shape=12, preprocessing=preprocessing, **keywords)


def test_training():
    want, got = model(), model(PIXELS)
    want.fit(READY, Y, validation_split=0.2, **QUIET)
    got.fit(RAW, Y, validation_split=0.2, **QUIET)
    assert bits(got.parameters) == bits(want.parameters)
    assert got.history.epochs[-1]["val_loss"] == want.history.epochs[-1]["val_loss"]


def test_batches_and_streams(tmp_path):
    want, by_batch, streamed = model(), model(PIXELS), model(PIXELS)
    settings = QUIET | {"shuffle": False, "batch_size": 10}
    want.fit(READY, Y, **settings)
    by_batch.fit(
        [(RAW[i : i + 10], Y[i : i + 10]) for i in range(0, 40, 10)], optimizer="adam", epochs=2, verbose=False
    )
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["x"], file["y"] = RAW, Y
    with fn.H5Stream(tmp_path / "raw.h5", "x") as x, fn.H5Stream(tmp_path / "raw.h5", "y") as y:
        streamed.fit(x, y, **settings)
        np.testing.assert_array_equal(streamed.predict(x), want.predict(READY))
        assert streamed.evaluate(x, y) == want.evaluate(READY, Y)
    assert bits(by_batch.parameters) == bits(streamed.parameters) == bits(want.parameters)


def test_what_a_model_is_asked():
    want, got = model(dtype="float64"), model(PIXELS, dtype="float64")
    ready = ((RAW - MEAN) / 255).reshape(40, -1)
    np.testing.assert_array_equal(got.predict(RAW), want.predict(ready))
    np.testing.assert_array_equal(got.outputs_of("dense", RAW), want.outputs_of("dense", ready))
    assert got.evaluate(RAW, Y) == want.evaluate(ready, Y)
    (loss, gradients), (loss_, gradients_) = got.loss_and_gradients(RAW, Y), want.loss_and_gradients(ready, Y)
    assert (loss, bits(gradients)) == (loss_, bits(gradients_))
    assert got.train_on_batch(RAW, Y) == want.train_on_batch(ready, Y)
    assert fn.check_gradients(got, RAW[:3], Y[:3]) == fn.check_gradients(want, ready[:3], Y[:3])
    np.testing.assert_array_equal(copy.deepcopy(got).predict(RAW), want.predict(ready))


def test_numbers_for_classes():
    layers = [fn.Dense(1, "tanh")]
    want = fn.Sequential(layers, input_shape=12, loss="mse", metrics=["sign_accuracy"])
    got = fn.Sequential(
        layers,
        input_shape=12,
        loss="mse",
        metrics=["sign_accuracy"],
        preprocessing=fn.Pixels((3, 4), 255, MEAN, True, (-1, 1)),
    )
    labels = Y % 2
    assert got.evaluate(RAW, labels) == got.evaluate(RAW, 2.0 * labels - 1) == want.evaluate(READY, 2.0 * labels - 1)


def test_words():
    words = [f"w{i}" for i in range(11)]
    plain, texts = tiny_model(), tiny_model(preprocessing=fn.Words(words))
    x, y = trigrams(20)
    for given in (x, [" ".join(words[i] for i in row) for row in x], np.array(words)[x]):
        np.testing.assert_array_equal(texts.predict(given), plain.predict(x))
        assert texts.evaluate(given, y) == plain.evaluate(x, y)


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        (
            fn.Pixels((3, 4)),
            fn.ShapeError,
            r"makes samples of shape \(3, 4, 1\), this model takes \(12,\); give flat=True",
        ),
        (fn.Pixels((4, 4), flat=True), fn.ShapeError, "makes samples of shape"),
        (fn.Words(["a"]), ValueError, "makes rows of ids, but this model takes numbers"),
        ("pixels", TypeError, r"expected fn\.Pixels"),
        (fn.Pixels, TypeError, r"expected fn\.Pixels"),
    ],
)
def test_what_does_not_fit(made, error, said):
    with pytest.raises(error, match=said):
        model(made)
    found = model(PIXELS)
    with pytest.raises(error, match=said):
        found.preprocessing = made
    assert found.preprocessing is PIXELS
    found.preprocessing = None
    found.predict(READY)


def test_what_does_not_fit_words():
    with pytest.raises(ValueError, match="makes numbers, but this model takes ids"):
        tiny_model(preprocessing=fn.Pixels((3, 1), flat=True))
    with pytest.raises(ValueError, match="has 12 words, but this model knows 11 ids"):
        tiny_model(preprocessing=fn.Words([str(i) for i in range(12)]))


def test_several_inputs():
    a, b = fn.Input(3), fn.Input(3)
    both = fn.Dense(2)(fn.Add()(a, b))
    with pytest.raises(ValueError, match="preprocessing is for models of one input"):
        fn.Model([a, b], both, preprocessing=fn.Words(["a"]))


@pytest.mark.parametrize("preprocessing", [PIXELS, fn.Pixels((3, 4), flat=True, targets=(0, 1)), None])
def test_it_is_saved(tmp_path, preprocessing):
    saved = model(preprocessing)
    saved.save(tmp_path / "model.h5")
    loaded = fn.load(tmp_path / "model.h5")
    x = READY if preprocessing is None else RAW
    np.testing.assert_array_equal(loaded.predict(x), saved.predict(x))
    if preprocessing is None:
        assert loaded.preprocessing is None
    else:
        assert loaded.preprocessing.config() == preprocessing.config()
        assert bits(loaded.preprocessing.arrays()) == bits(preprocessing.arrays())


BAD_MEANS = {
    "shape": {"subtract": np.zeros((4, 3))},
    "not finite": {"subtract": np.full((3, 4), np.nan)},
    "text": {"subtract": np.full((3, 4), b"a")},
    "unknown": {"mean": np.zeros((3, 4))},
    "no array": {"subtract": {"a": np.zeros(3)}},
}


@pytest.mark.parametrize("arrays", BAD_MEANS.values(), ids=BAD_MEANS)
def test_a_file_with_another_mean(tmp_path, arrays):
    saved = model(PIXELS).saved()
    storage.save(tmp_path / "model.h5", storage.Saved(saved.config, saved.parameters, saved.buffers, {}, arrays))
    with pytest.raises(fn.FileFormatError, match=r"model\.h5: no model can be built from what it holds"):
        fn.load(tmp_path / "model.h5")


def test_a_checkpoint_has_it_too(tmp_path):
    model(PIXELS).fit(RAW, Y, callbacks=[fn.Checkpoint(tmp_path / "c.h5")], **QUIET)
    assert fn.load(tmp_path / "c.h5").preprocessing.config() == PIXELS.config()
