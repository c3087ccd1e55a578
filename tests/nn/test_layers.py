"""Every layer, activation, loss and penalty through the public model: gradients against central differences."""

from dataclasses import replace

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.initializers import Normal
from tests.tiny import bits, jit_only, two_threads

# Fourth-order differences in float64 leave about 1e-9; weights of std .5 keep units out of saturation.
LARGEST = 1e-7
START = {"initializer": Normal(0.5), "bias_initializer": Normal(0.5)}
RNG = np.random.default_rng(7)
OFFSET = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def numbers_begin_again():
    """Each test draws the same numbers, whatever ran before it: none lies on a kink of relu or mae."""
    RNG.bit_generator.state = OFFSET


def conv(filters, size, **keywords):
    return fn.Conv2D(filters, size, **START, **keywords)


def dense(units, activation="identity", **keywords):
    return fn.Dense(units, activation, **START, **keywords)


def checked(layers, input_shape, *, loss="softmax_cross_entropy", y=None, samples=5, **keywords):
    x = RNG.normal(size=(samples, *input_shape))
    model = fn.Sequential(layers, input_shape=input_shape, loss=loss, dtype="float64", seed=3, **keywords)
    for name, array in model.parameters.items():
        if name.endswith(("gamma", "beta")):
            array[...] += 0.3 * RNG.normal(size=array.shape)
    y = RNG.integers(0, model.network.output_width, samples) if y is None else y
    errors = fn.check_gradients(model, x, y)
    assert set(errors) == set(model.parameters)
    return errors


ACTIVATIONS = ["identity", *fn.kernels.ACTIVATIONS]
IMAGES = {
    "same": [conv(3, 3, activation="tanh"), fn.Flatten(), dense(3)],
    "valid, stride 2, oblong": [conv(2, (2, 3), padding="valid", stride=(2, 1)), fn.Flatten(), dense(3)],
    "two, pooled": [conv(2, 3, activation="tanh"), fn.MaxPool2D(2), conv(3, 2, stride=2), fn.Flatten(), dense(3)],
    "overlapping pool": [conv(2, 3), fn.MaxPool2D(3, stride=2, padding="same"), fn.Flatten(), dense(3)],
    "batch norm": [conv(3, 3), fn.BatchNorm(), fn.Activation("tanh"), fn.Flatten(), dense(3)],
    "layer norm": [conv(3, 3), fn.LayerNorm(eps=0.1), fn.Activation("tanh"), fn.Flatten(), dense(3)],
    "no bias": [fn.Conv2D(2, 3, use_bias=False, initializer=Normal(0.5)), fn.Flatten(), dense(3)],
    "means": [conv(3, 3, activation="tanh"), fn.AveragePool2D(2), conv(3, 2), fn.GlobalAveragePool()],
    "overlapping means": [conv(2, 3), fn.AveragePool2D((3, 2), stride=(2, 1), padding="same"), fn.Flatten(), dense(3)],
    "dense at each pixel": [dense(6, "tanh"), dense(4, "sigmoid"), fn.GlobalAveragePool(), dense(3)],
    "reshaped": [fn.Reshape((7, -1)), dense(4, "tanh"), fn.Reshape((2, 2, 7)), conv(2, 3), fn.Reshape((-1,)), dense(3)],
}
SEQUENCES = {
    "same": [fn.Conv1D(5, 3, "tanh", **START), fn.Flatten(), dense(3)],
    "valid, stride 2": [fn.Conv1D(4, 4, padding="valid", stride=2, **START), fn.GlobalAveragePool(), dense(3)],
    "two": [fn.Conv1D(4, 2, "tanh", **START), fn.Conv1D(3, 3, use_bias=False, initializer=Normal(0.5)), fn.Flatten()],
    "causal": [fn.Conv1D(4, 3, "tanh", padding="causal", **START), fn.LayerNorm(), fn.Flatten(), dense(3)],
    "causal, longer than the sequence": [fn.Conv1D(4, 11, padding="causal", stride=4, **START), fn.GlobalAveragePool()],
    "layer norm first": [fn.LayerNorm(), fn.Conv1D(5, 3, **START), fn.Flatten(), dense(3)],
    "pools": [fn.MaxPool1D(3, 2, "same"), fn.Conv1D(4, 3, **START), fn.AveragePool1D(2, 1), fn.Flatten(), dense(3)],
    "dense": [dense(5, "tanh"), fn.Dense(2, use_bias=False, initializer=Normal(0.5)), fn.Flatten(), dense(3)],
}
VECTORS = {
    "batch norm": [dense(6), fn.BatchNorm(eps=1e-3), fn.Activation("tanh"), dense(3)],
    "layer norm": [dense(7), fn.LayerNorm(), fn.Activation("sigmoid"), dense(3)],
    "dropout": [dense(9, "tanh"), fn.Dropout(keep=0.6), dense(5, "tanh"), fn.Dropout(rate=0.3), dense(3)],
    "norm first": [fn.LayerNorm(), dense(3)],
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "poisson"])
def test_activation_and_loss(activation, loss):
    y = None if loss.startswith("softmax") else RNG.random((5, 3))
    errors = checked([dense(7, activation), dense(3)], (4,), loss=loss, y=y)
    assert max(errors.values()) <= LARGEST, errors


@pytest.mark.parametrize("layers", IMAGES.values(), ids=IMAGES.keys())
def test_images(layers):
    errors = checked(layers, (5, 7, 2), samples=3)
    assert max(errors.values()) <= LARGEST, errors


@pytest.mark.parametrize("layers", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_sequences(layers):
    errors = checked(layers, (9, 2))
    assert max(errors.values()) <= LARGEST, errors


@pytest.mark.parametrize("layers", VECTORS.values(), ids=VECTORS.keys())
def test_vectors(layers):
    errors = checked(layers, (4,))
    assert max(errors.values()) <= LARGEST, errors


LOSSES = [
    (fn.SoftmaxCrossEntropy(label_smoothing=0.1), None),
    (fn.SoftmaxCrossEntropy("sum"), None),
    (fn.MSE(scale=0.5), RNG.normal(size=(5, 3))),
    (fn.Huber(delta=0.3), RNG.normal(size=(5, 3))),
    (fn.BinaryCrossEntropy("sum"), RNG.integers(0, 2, (5, 3))),
]


@pytest.mark.parametrize(("loss", "y"), LOSSES, ids=lambda v: repr(v) if isinstance(v, fn.losses.Loss) else "")
def test_loss_objects(loss, y):
    errors = checked([dense(6, "tanh"), dense(3)], (4,), loss=loss, y=y)
    assert max(errors.values()) <= LARGEST, errors


def test_penalties_count_in_loss_and_gradients():
    layers = [dense(6, "tanh", l1=0.02), dense(3, l2=0.3)]
    errors = checked(layers, (4,), l2=0.1, l1=0.01)
    assert max(errors.values()) <= LARGEST, errors
    model = fn.Sequential(layers, input_shape=(4,), dtype="float64", l2=0.1, l1=0.01)
    bare = fn.Sequential([dense(6, "tanh"), dense(3)], input_shape=(4,), dtype="float64")
    x, y = RNG.normal(size=(5, 4)), RNG.integers(0, 3, 5)
    w, v = model.parameters["dense.w"], model.parameters["dense_1.w"]
    want = bare.loss_and_gradients(x, y)[0] + 0.03 * abs(w).sum() + 0.05 * (w**2).sum()
    want += 0.01 * abs(v).sum() + 0.2 * (v**2).sum()
    np.testing.assert_allclose(model.loss_and_gradients(x, y)[0], want, rtol=1e-12)
    np.testing.assert_allclose(model.evaluate(x, y)["loss"], want, rtol=1e-12)


BIASES = {"bias_initializer": fn.initializers.Normal(1), "penalise_bias": True}
BIASED = [
    ([dense(6, "tanh", penalise_bias=True, l2=0.2), dense(3)], (4,)),
    ([fn.Conv2D(3, 3, "tanh", **BIASES), fn.Flatten(), dense(3)], (4, 4, 1)),
    ([fn.Conv1D(3, 3, "tanh", **BIASES), fn.Flatten(), dense(3)], (6, 1)),
]


@pytest.mark.parametrize(("layers", "shape"), BIASED, ids=lambda value: str(len(value)))
def test_biases_are_penalised_where_asked_for(layers, shape):
    assert max(checked(layers, shape, l2=0.1, l1=0.01).values()) <= LARGEST
    with_biases = fn.Sequential(layers, input_shape=shape, dtype="float64", l2=0.1, l1=0.01)
    without = [replace(layers[0], penalise_bias=False), *layers[1:]]
    bare = fn.Sequential(without, input_shape=shape, dtype="float64", l2=0.1, l1=0.01)
    x, y = RNG.normal(size=(5, *shape)), RNG.integers(0, 3, 5)
    b = with_biases.parameters[f"{layers[0].kind}.b"]
    assert np.abs(b).min() > 0
    more = 0.5 * (0.1 + layers[0].l2) * (b**2).sum() + 0.01 * abs(b).sum()
    got = with_biases.loss_and_gradients(x, y)[0] - bare.loss_and_gradients(x, y)[0]
    np.testing.assert_allclose(got, more, rtol=1e-10)


@jit_only
def test_float32_follows_float64():
    shapes = [(5, 7, 2)] * len(IMAGES) + [(9, 2)] * len(SEQUENCES) + [(4,)] * len(VECTORS)
    for layers, shape in zip((*IMAGES.values(), *SEQUENCES.values(), *VECTORS.values()), shapes, strict=True):
        x, y = RNG.normal(size=(6, *shape)), RNG.integers(0, 3, 6)
        models = [fn.Sequential(layers, input_shape=shape, dtype=dtype, seed=1) for dtype in ("float32", "float64")]
        (loss, got), (want_loss, want) = (model.loss_and_gradients(x, y) for model in models)
        assert abs(loss - want_loss) <= 1e-4 * abs(want_loss)
        largest = max(abs(array).max() for array in want.values())
        for name in want:
            assert abs(got[name] - want[name]).max() <= 1e-4 * largest, name


def net(**keywords):
    layers = [dense(16, "relu"), fn.BatchNorm(), fn.Dropout(keep=0.5), dense(3)]
    return fn.Sequential(layers, input_shape=(4,), seed=5, **keywords)


def trained(model, threads=None, **keywords):
    x, y = np.random.default_rng(0).normal(size=(50, 4)), np.random.default_rng(1).integers(0, 3, 50)
    settings = {"optimizer": fn.Adam(0.01), "batch_size": 12, "epochs": 2, "verbose": False} | keywords
    model.fit(x, y, **settings)
    return model


def test_running_statistics_are_kept_saved_and_used(tmp_path):
    model = trained(net())
    assert abs(model.buffers["batch_norm.mean"]).max() > 0
    x = RNG.normal(size=(5, 4))
    alone = np.vstack([model.predict(x[i : i + 1]) for i in range(5)])
    assert np.array_equal(alone, model.predict(x))
    model.save(tmp_path / "m.h5")
    again = fn.load(tmp_path / "m.h5")
    assert np.array_equal(again.predict(x), model.predict(x))
    assert np.array_equal(again.buffers["batch_norm.var"], model.buffers["batch_norm.var"])


def test_prediction_normalises_by_the_running_mean_and_variance():
    """One step from mean 0 and variance 1, then the formula, written out."""
    model = fn.Sequential([fn.BatchNorm(momentum=0.75, eps=0.01)], input_shape=(4,), loss="mse", dtype="float64")
    x = RNG.normal(3, 2, size=(8, 4))
    model.fit(x, np.zeros((8, 4)), optimizer=fn.SGD(0.0), batch_size=8, verbose=False)
    mean, var = 0.25 * x.mean(axis=0), 0.75 + 0.25 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(model.buffers["batch_norm.mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(model.buffers["batch_norm.var"], var, rtol=1e-12)
    gamma, beta = RNG.normal(size=(2, 4))
    model.set_parameters({"batch_norm.gamma": gamma, "batch_norm.beta": beta})
    want = gamma * (x - mean) / np.sqrt(var + 0.01) + beta
    np.testing.assert_allclose(model.predict(x), want, rtol=1e-12)


def test_resumed_training_draws_the_same_dropout(tmp_path):
    whole = trained(net(), epochs=4)
    path = tmp_path / "c.h5"
    trained(net(), epochs=2, callbacks=[fn.Checkpoint(path)])
    resumed = trained(net(), epochs=4, callbacks=[fn.Checkpoint(path, resume=True)])
    for name in whole.parameters:
        assert np.array_equal(whole.parameters[name], resumed.parameters[name]), name


def test_other_layers_do_not_change_what_dropout_draws():
    x, y = RNG.normal(size=(30, 6)), RNG.integers(0, 3, 30)
    trained = []
    for others in ([], [fn.Activation("identity")]):
        layers = [fn.Dense(20), *others, fn.Dropout(rate=0.5), fn.Dense(3)]
        model = fn.Sequential(layers, input_shape=(6,), seed=2)
        model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=8, verbose=False)
        trained.append(bits(model.parameters))
    assert trained[0] == trained[1]


def test_max_norm_holds_after_each_step():
    model = fn.Sequential([dense(8, "tanh", max_norm=0.5), dense(3)], input_shape=(4,))
    trained(model, optimizer=fn.SGD(1.0))
    assert np.linalg.norm(model.parameters["dense.w"], axis=0).max() <= 0.5 * (1 + 1e-6)


def sequential(layer, shape):
    return fn.Sequential([layer, fn.Flatten()], input_shape=shape)


BAD = [
    (TypeError, "exactly one", lambda: fn.Dropout()),
    (TypeError, "exactly one", lambda: fn.Dropout(rate=0.5, keep=0.5)),
    (ValueError, "rate is 1.0", lambda: fn.Dropout(rate=1.0)),
    (ValueError, "keep is 0", lambda: fn.Dropout(keep=0)),
    (ValueError, "l2 is -1", lambda: fn.Dense(3, l2=-1)),
    (ValueError, "there are no biases to penalise", lambda: fn.Dense(3, use_bias=False, penalise_bias=True)),
    (ValueError, "max_norm is 0", lambda: fn.Conv2D(3, 3, max_norm=0)),
    (ValueError, "padding is 'full'", lambda: fn.Conv2D(3, 3, padding="full")),
    (ValueError, "expected a whole number or a pair", lambda: fn.MaxPool2D((1, 2, 3))),
    (ValueError, "did you mean silu", lambda: fn.Activation("silo")),
    (ValueError, "did you mean huber", lambda: fn.Sequential([fn.Dense(1)], input_shape=(2,), loss="hubert")),
    (fn.ShapeError, "does not fit", lambda: fn.Sequential([fn.MaxPool2D(9), fn.Flatten()], input_shape=(4, 4, 1))),
    (fn.ShapeError, r"images \(H, W, C\)", lambda: fn.Sequential([fn.Conv2D(2)], input_shape=(4, 4))),
    (fn.ShapeError, r"sequences \(L, C\)", lambda: fn.Sequential([fn.Conv1D(2)], input_shape=(4,))),
    (fn.ShapeError, "does not fit sequences of 4", lambda: sequential(fn.Conv1D(2, 5, padding="valid"), (4, 2))),
    (fn.ShapeError, "window of 5 does not fit sequences of 4", lambda: sequential(fn.MaxPool1D(5), (4, 2))),
    (fn.ShapeError, r"sequences \(L, C\)$", lambda: sequential(fn.AveragePool1D(2), (4, 2, 1))),
    (TypeError, r"MaxPool1D: pool_size is \(1, 2\)", lambda: fn.MaxPool1D((1, 2))),
    (ValueError, "AveragePool1D: stride is 0", lambda: fn.AveragePool1D(2, 0)),
    (ValueError, "Conv1D: padding is 'full'", lambda: fn.Conv1D(3, 3, padding="full")),
    (TypeError, r"Conv1D: kernel_size is \(3, 3\)", lambda: fn.Conv1D(3, (3, 3))),
    (ValueError, "AveragePool2D: stride is 0", lambda: fn.AveragePool2D(2, stride=0)),
    (fn.ShapeError, "AveragePool2D: a window of", lambda: sequential(fn.AveragePool2D(9), (4, 4, 1))),
    (fn.ShapeError, "GlobalAveragePool got samples of shape", lambda: sequential(fn.GlobalAveragePool(), (4,))),
    (fn.ShapeError, r"have 12 numbers, which do not fit \(5, -1\)", lambda: sequential(fn.Reshape((5, -1)), (4, 3))),
    (fn.ShapeError, r"have 12 numbers, which do not fit \(4,\)", lambda: sequential(fn.Reshape(4), (4, 3))),
    (ValueError, "at most one is -1", lambda: fn.Reshape((-1, 2, -1))),
    (ValueError, "Reshape: shape is 0", lambda: fn.Reshape((0, 2))),
    (fn.ShapeError, "Dense got samples of shape", lambda: fn.Dense(3).output_shape(())),
    (
        fn.DataError,
        "needs batches of at least 2 samples, one has 1: 50 samples in batches of 49; give batch_size=50, for",
        lambda: trained(net(), batch_size=49),
    ),
    (ValueError, "lr is -1", lambda: fn.Adam(-1)),
    (ValueError, "beta1 is 1", lambda: fn.Adam(0.1, beta1=1)),
    (ValueError, "clip_norm is 0", lambda: fn.SGD(0.1, clip_norm=0)),
    (ValueError, "weight_decay is -1", lambda: fn.AdamW(weight_decay=-1)),
]


@pytest.mark.parametrize(("error", "message", "make"), BAD, ids=[message for _, message, _ in BAD])
def test_bad_settings(error, message, make):
    with pytest.raises(error, match=message):
        make()


@jit_only
@two_threads
@pytest.mark.parametrize("optimizer", [fn.SGD, fn.Adam])
def test_same_bits_at_any_number_of_threads(optimizer):
    """Dropout and all, at sizes where parallel twins run."""
    layers = [conv(16, 3, activation="relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Flatten()]
    layers += [dense(64, "gelu", l2=0.01), fn.Dropout(keep=0.5), dense(10)]
    x, y = RNG.normal(size=(96, 14, 14, 3)), RNG.integers(0, 10, 96)
    found = []
    for threads in (1, 2, 2):
        model = fn.Sequential(layers, input_shape=(14, 14, 3), seed=4)
        with fn.threads(threads):
            model.fit(x, y, optimizer=optimizer(0.01, clip_norm=1.0), batch_size=32, epochs=2, verbose=False)
        found.append(model.parameters.flat.tobytes() + model.buffers.flat.tobytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("layer", [fn.Dense, fn.Embedding, fn.Conv2D, fn.GRU, fn.LSTM])
def test_an_unknown_initializer_is_refused_where_it_is_given(layer):
    sizes = (3, 2) if layer in (fn.Embedding, fn.Conv2D) else (3,)
    with pytest.raises(ValueError, match="did you mean he"):
        layer(*sizes, initializer="he_norml")


@pytest.mark.parametrize("layer", [fn.BatchNorm(eps=1e-46), fn.LayerNorm(eps=1e-46)])
def test_an_eps_must_be_a_number_of_the_network_s_dtype(layer):
    """In float32 it would be 0, and features that are all alike would be divided by 0."""
    x, y = np.ones((8, 3)), np.arange(8) % 2
    model = fn.Sequential([layer, fn.Dense(2)], input_shape=3)
    for call in (lambda: model.predict(x), lambda: model.fit(x, y, verbose=False)):
        with pytest.raises(ValueError, match=f"^{type(layer).__name__}: eps is 1e-46, expected 1.4e-45 to 3.4e.38"):
            call()
    model = fn.Sequential([layer, fn.Dense(2)], input_shape=3, dtype="float64")
    model.fit(x, y, verbose=False)
    assert np.isfinite(model.predict(x)).all()
