"""Loops of a user's own: one batch at a time, gradients by hand, iterators of batches, optimizers by name."""

import copy
import itertools
import warnings
from dataclasses import dataclass
from typing import ClassVar

import h5py
import numpy as np
import pytest

import fastnn as fn
from tests.tiny import THREADS, bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), RNG.integers(0, 3, 40)
BATCHES = [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 40, 8)]
OPTIMIZERS = {
    "sgd": lambda: fn.SGD(0.1),
    "clipped": lambda: fn.SGD(0.1, momentum=0.9, clip_norm=0.1),
    "adam": lambda: fn.Adam(fn.CosineDecay(0.05, 10)),
    "bfloat16": lambda: fn.Adam(0.01, state_dtype="bfloat16"),
}


def net(dtype="float64", **settings):
    layers = [fn.Dense(40, "tanh"), fn.BatchNorm(), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=6, dtype=dtype, seed=1, **settings)


def fitted(optimizer, epochs=3, model=None, **fit):
    model = model or net()
    model.fit(X, Y, optimizer=optimizer, batch_size=8, epochs=epochs, shuffle=False, verbose=False, **fit)
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_batches_one_by_one_have_the_bits_of_fit(optimizer):
    want, model, own = fitted(OPTIMIZERS[optimizer]()), net(), OPTIMIZERS[optimizer]()
    losses = [model.train_on_batch(x, y, optimizer=own)["loss"] for _ in range(3) for x, y in BATCHES]
    if optimizer != "bfloat16":  # which rounds by epoch and step
        assert bits(model.parameters) == bits(want.parameters)
        np.testing.assert_array_equal(losses, want.history.steps["loss"])
        assert bits(model.buffers) == bits(want.buffers)
    assert own.iteration == 15
    assert model.epoch == 0, "epochs are the loop's business"


@pytest.mark.parametrize("optimizer", ["sgd", "clipped", "adam"])
def test_gradients_and_steps_by_hand_have_the_bits_of_fit(optimizer):
    want, model, own = fitted(OPTIMIZERS[optimizer]()), net(), OPTIMIZERS[optimizer]()
    for x, y in BATCHES * 3:
        _, gradients = model.loss_and_gradients(x, y)
        kept = {name: array.copy() for name, array in gradients.items()}
        own.step(model.parameters, gradients)
        assert all((gradients[name] == array).all() for name, array in kept.items()), "they are the user's"
    assert bits(model.parameters) == bits(want.parameters)


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("optimizer", ["clipped", "adam", "decay", "bfloat16"])
def test_steps_by_hand_leave_frozen_layers_alone(optimizer, copied):
    def net():
        layers = [fn.Dense(40, "tanh", freeze=True), fn.Dense(30, "tanh"), fn.Dense(3)]
        return fn.Sequential(layers, input_shape=6, dtype="float32", seed=1)

    make = (OPTIMIZERS | {"decay": lambda: fn.AdamW(0.01, weight_decay=0.5, clip_norm=0.1)})[optimizer]
    want, model, own = fitted(make(), epochs=1, model=net()), net(), make()
    model = copy.deepcopy(model) if copied else model
    before = model.parameters.copy()
    for x, y in BATCHES:
        _, gradients = model.loss_and_gradients(x, y)
        own.step(model.parameters, gradients)
    moved = {name for name, array in model.parameters.items() if (array != before[name]).any()}
    assert moved == {"dense_1.w", "dense_1.b", "dense_2.w", "dense_2.b"}
    if optimizer != "bfloat16":  # which rounds by epoch and step
        assert bits(model.parameters) == bits(want.parameters)


def test_gradients_that_are_kept_are_not_overwritten():
    model = net()
    _, first = model.loss_and_gradients(*BATCHES[0])
    before = {name: array.copy() for name, array in first.items()}
    model.loss_and_gradients(*BATCHES[1])
    assert all((first[name] == array).all() for name, array in before.items())


def test_batches_of_other_sizes_and_dtypes_follow_each_other():
    model, other = net(), net()
    sizes = [8, 3, 8, 20, 2, 20]
    for size in sizes:
        x, y = X[:size], Y[:size]
        _, got = model.loss_and_gradients(x.astype("float32") if size == 3 else x, y)
        _, want = copy.deepcopy(other).loss_and_gradients(x.astype("float32") if size == 3 else x, y)
        for name in want:
            np.testing.assert_array_equal(got[name], want[name], err_msg=f"{size} {name}")
        figures = [one.train_on_batch(x, y, optimizer="sgd")["loss"] for one in (model, other)]
        assert figures[0] == figures[1]


def test_dropout_draws_anew_in_each_step_and_as_it_is_told():
    def dropping():
        return fn.Sequential([fn.Dropout(0.5), fn.Dense(3)], input_shape=6, dtype="float64", seed=1)

    model = dropping()
    losses = [model.train_on_batch(*BATCHES[0], optimizer=fn.SGD(0.0))["loss"] for _ in range(2)]
    assert losses[0] == losses[1], "the first step of each optimizer"
    still = fn.SGD(0.0)
    losses = {model.train_on_batch(*BATCHES[0], optimizer=still)["loss"] for _ in range(5)}
    assert len(losses) == 5
    again = [model.loss_and_gradients(*BATCHES[0])[0] for _ in range(2)]
    assert again[0] == again[1]
    assert len({model.loss_and_gradients(*BATCHES[0], draw=i)[0] for i in range(5)}) == 5


def test_the_same_bits_on_any_number_of_threads():
    def trained(threads):
        model = net("float32")
        with fn.threads(threads):
            for x, y in BATCHES * 2:
                model.train_on_batch(x, y, optimizer="adam")
        return bits(model.parameters)

    assert trained(1) == trained(min(THREADS, 2))


def test_weights_count_and_figures_are_those_before_the_step():
    model, weights = net(metrics=["top_2"]), RNG.exponential(size=40)
    got = model.train_on_batch(X, Y, sample_weight=weights, optimizer=fn.SGD(0.0))
    assert list(got) == ["loss", "accuracy", "top_2"]
    model = fn.Sequential([fn.Dense(3)], input_shape=6, dtype="float64")
    want = model.evaluate(X, Y, sample_weight=weights)
    got = model.train_on_batch(X, Y, sample_weight=weights, optimizer=fn.SGD(0.1))
    np.testing.assert_allclose(list(got.values()), list(want.values()), rtol=1e-12)


def test_a_name_is_one_optimizer_for_all_calls_of_a_model():
    model, adam = net(), fn.Adam()
    for x, y in BATCHES:
        model.train_on_batch(x, y)
    want = net()
    for x, y in BATCHES:
        want.train_on_batch(x, y, optimizer=adam)
    assert bits(model.parameters) == bits(want.parameters)
    model.fit(X, Y, batch_size=8, verbose=False)
    want.fit(X, Y, optimizer=adam, batch_size=8, verbose=False)
    assert bits(model.parameters) == bits(want.parameters)
    with pytest.raises(ValueError, match="unknown optimizer 'addam'; did you mean adam"):
        model.fit(X, Y, optimizer="addam")


def test_a_loss_that_is_not_finite_is_said():
    model = fn.Sequential([fn.Dense(1)], input_shape=6, loss="mse")
    with pytest.raises(fn.NonFiniteError, match="the loss of this batch is inf, and its update is made"):
        model.train_on_batch(np.full((4, 6), 1e30), np.zeros(4))


def test_settings_that_are_assigned_between_steps_count():
    optimizer = fn.SGD(0.1, clip_norm=1e-9)
    model = net()
    before = model.parameters.copy()
    model.train_on_batch(*BATCHES[0], optimizer=optimizer)
    np.testing.assert_allclose(model.parameters["dense.w"], before["dense.w"], atol=1e-9)
    optimizer.clip_norm = None
    model.train_on_batch(*BATCHES[0], optimizer=optimizer)
    assert np.abs(model.parameters["dense.w"] - before["dense.w"]).max() > 1e-4


def generator(times=1):
    buffer = np.empty((8, 6))
    for _ in range(times):
        for x, y in BATCHES:
            buffer[: len(x)] = x  # as a loader does that fills the same memory again
            yield buffer[: len(x)], y


class Loader:
    """As other libraries': a length, and iterations that begin anew."""

    def __len__(self):
        return len(BATCHES)

    def __iter__(self):
        return ([x, y] for x, y in BATCHES)


SOURCES = {
    "list": (lambda: BATCHES, {}),
    "loader": (Loader, {}),
    "generator": (lambda: generator(3), {"steps_per_epoch": 5}),
    "map": (lambda: map(tuple, BATCHES * 3), {"steps_per_epoch": 5}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_batches_to_iterate_over_have_the_bits_of_arrays(source):
    make, settings = SOURCES[source]
    want, model = fitted(fn.Adam(0.01)), net()
    history = model.fit(make(), optimizer=fn.Adam(0.01), epochs=3, verbose=False, **settings)
    assert bits(model.parameters) == bits(want.parameters)
    np.testing.assert_array_equal(history.steps["loss"], want.history.steps["loss"])
    assert history["loss"] == want.history["loss"]


def test_an_iterator_of_unknown_length_lasts_for_one_epoch(monkeypatch):
    monkeypatch.setattr("fastnn.data.batches.TOGETHER_BYTES", 1)
    want, model = fitted(fn.SGD(0.1), epochs=1), net()
    model.fit(generator(), optimizer=fn.SGD(0.1), verbose=False)
    assert bits(model.parameters) == bits(want.parameters)
    with pytest.raises(fn.DataError, match="the batches are used up"):
        net().fit(generator(), epochs=2, verbose=False)


def test_shorter_batches_may_come_anywhere_and_weights_with_them():
    cuts = [0, 8, 11, 19, 27, 28, 36, 40]
    weights = RNG.exponential(size=40)
    batches = [(X[a:b], Y[a:b], weights[a:b]) for a, b in itertools.pairwise(cuts) if b - a > 1]
    model, want, own = net(), net(), fn.SGD(0.1)
    model.fit(iter(batches), optimizer=fn.SGD(0.1), class_weight={1: 2.0}, verbose=False)
    for x, y, w in batches:
        want.train_on_batch(x, y, optimizer=own, sample_weight=w * np.where(y == 1, 2.0, 1.0))
    assert bits(model.parameters) == bits(want.parameters)


def test_statistics_of_all_training_data_need_batches_that_come_again():
    def net(**settings):
        return fn.Sequential([fn.Columns(range(6), **settings), fn.Dense(3)], input_shape=6, dtype="float64")

    model = net()
    with pytest.raises(fn.DataError, match=r"columns takes mean and deviation from all training data.*only once"):
        model.fit(iter(BATCHES), verbose=False)
    model.fit(BATCHES, verbose=False)
    np.testing.assert_allclose(model.buffers["columns.mean"], X.mean(axis=0), rtol=1e-12)
    net(standardise=False).fit(iter(BATCHES), verbose=False)


def test_a_loop_without_statistics_of_all_data_is_warned_of_once():
    def net(**settings):
        return fn.Sequential([fn.Columns([0, 5], **settings), fn.Dense(3)], input_shape=6, dtype="float64")

    model = net()
    with pytest.warns(UserWarning, match=r"no statistics.*assign model.buffers\['columns.mean'\] and") as seen:
        model.train_on_batch(*BATCHES[0])
    assert [warning.filename for warning in seen] == [__file__]
    assigned, fitted = net(), net()
    assigned.buffers["columns.mean"] = X[:, [0, 5]].mean(axis=0)
    fitted.fit(X, Y, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for other in (model, assigned, fitted, net(standardise=False)):
            other.train_on_batch(*BATCHES[0])


def test_a_batch_may_count_nothing():
    weights = np.repeat([1.0, 0.0, 2.0, 0.0, 1.0], 8)
    want = fitted(fn.SGD(0.1), sample_weight=weights)
    batches = [(x, y, w) for (x, y), w in zip(BATCHES, weights.reshape(5, 8), strict=True)]
    model = net()
    model.fit(batches, optimizer=fn.SGD(0.1), epochs=3, verbose=False)
    assert bits(model.parameters) == bits(want.parameters)
    assert model.history["loss"] == want.history["loss"]


def test_validation_on_batches():
    model = net()
    model.fit(BATCHES, validation_data=Loader(), epochs=2, verbose=False)
    np.testing.assert_allclose(model.history["val_loss"][-1], model.evaluate(X, Y)["loss"], rtol=1e-12)


@pytest.mark.parametrize(
    ("batches", "settings", "message"),
    [
        ([], {}, "fit got no y"),
        (X, {}, "fit got no y; expected"),
        ([], {}, "fit got no y, and x is an empty list; expected"),
        (generator, {}, r"and x is generator itself: call it, fit\(generator\(\)\); expected"),
        (Loader, {}, r"x is Loader itself: call it, fit\(Loader\(\)\)"),
        ([(X[:8], Y[:8], np.ones(8), np.ones(8))], {}, "x begins with a tuple of 4; expected"),
        ([(X[:8],)], {}, "x begins with a tuple of 1; expected"),
        (iter([(X[:8],)]), {}, "batch 0 is a tuple of 1, expected"),
        (BATCHES, {"validation_data": generator}, "validation_data is function: call it, expected"),
        (BATCHES, {"validation_data": [(X, Y, X, Y)]}, "validation_data is a list of 1, expected"),
        (BATCHES, {"validation_data": "a"}, "validation_data is str, expected"),
        (BATCHES, {"validation_data": b"ab"}, "validation_data is bytes, expected"),
        (BATCHES, {"validation_data": {1, 2}}, "batch 0 of validation_data is int, expected"),
        (BATCHES, {"validation_data": iter([X])}, "batch 0 of validation_data is ndarray, expected"),
        (BATCHES, {"validation_data": iter([])}, "there is no batch of validation_data"),
        (BATCHES, {"validation_data": [(X, Y[:7])]}, "x of batch 0 of validation_data has 40 samples but y of batch 0"),
        (BATCHES, {"validation_data": ("a", Y)}, "validation x is 'a', expected an array"),
        ("a", {}, "fit got no y; expected"),
        (iter([]), {}, "there is no batch, expected"),
        ([(X[:8], Y[:8]), (X[:9], Y[:9])], {}, "batch 1 has 9 samples, the first has 8"),
        ([(X[:8], Y[:8]), (X[:8], Y[:8], np.ones(8))], {}, "batch 1 has a sample_weight, but the first has none"),
        ([(X[:8], Y[:8], np.ones(8)), (X[:8], Y[:8])], {}, "batch 1 has no sample_weight"),
        ([(X[:8], Y[:8]), (X[:8], Y[:8] + 5)], {}, r"y of batch 1\[\d\] is \d, expected 0 to 2"),
        ([(X[:8], Y[:7])], {}, "x of batch 0 has 8 samples but y of batch 0 has 7"),
        (iter([X[:8]]), {}, "batch 0 is ndarray, expected"),
        ([(X[:8], Y[:8], np.zeros(8))] * 2, {}, "weights of all samples of these batches are 0"),
        ([(X[:8], Y[:8], -np.ones(8))], {}, "sample_weight of batch 0 goes from -1.0 to -1.0"),
        ([(X[:8], Y[:8], {"a": np.ones(8)})], {}, r"sample_weight of batch 0 is a dict, expected \(8,\)"),
        (BATCHES, {"validation_data": iter(BATCHES), "epochs": 2}, "validation_data can be iterated over only once"),
        (iter(BATCHES), {"validation_split": 0.1}, "give validation_data"),
        (iter(BATCHES), {"sample_weight": np.ones(40)}, "expected it in them"),
        (iter(BATCHES), {"class_weight": "balanced"}, "counts labels in memory"),
        ([(X[:8], Y[:8]), (X[:1], Y[:1])], {}, "batch_norm needs batches of at least 2 samples, one has 1"),
    ],
)
def test_batches_that_cannot_be_are_named(batches, settings, message):
    with pytest.raises((fn.DataError, fn.ShapeError, ValueError, TypeError), match=message):
        net().fit(batches, verbose=False, **settings)


@dataclass(frozen=True)
class Twice(fn.layers.Layer):
    """A layer of a user's own: x + x."""

    kind: ClassVar[str] = "twice"

    def forward(self, build, x, p):
        out = build.value("twice", x.shape)
        build.emit(fn.kernels.add_rows, out.buffer, x.buffer, x.buffer, x.width)

        def backward(dout, grads, wanted):
            if not wanted:
                return None
            dx = build.value("dx", x.shape)
            build.emit(fn.kernels.add_rows, dx.buffer, dout.buffer, dout.buffer, x.width)
            return dx

        return out, backward


@pytest.mark.parametrize("branching", [False, True])
def test_a_layer_of_ones_own_is_loaded_when_its_class_is_given(branching, tmp_path):
    x = fn.Input(6)
    layers = [fn.Dense(4, "tanh"), Twice(), fn.Dense(3)]
    model = fn.Sequential(layers, input_shape=6)
    if branching:
        model = fn.Model(x, fn.Dense(3)(fn.Add()(x, Twice()(x))))
    model.fit(X, Y, verbose=False)
    model.save(tmp_path / "m.h5")
    with pytest.raises(fn.FileFormatError, match=r"'twice'.*load\(path, layers=\[…\]\)"):
        fn.load(tmp_path / "m.h5")
    for wrong in (Twice, [Twice()], ["twice"], 3):
        with pytest.raises(TypeError, match="expected a list of classes of layers"):
            fn.load(tmp_path / "m.h5", layers=wrong)
    with pytest.raises(TypeError, match=r"^metrics is 'mae', expected a list"):
        fn.load(tmp_path / "m.h5", layers=[Twice], metrics="mae")
    loaded = fn.load(tmp_path / "m.h5", layers=[Twice])
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert max(fn.check_gradients(loaded, X, Y).values()) < 1e-7


def test_a_training_with_a_loss_of_ones_own_goes_on_after_an_interruption(tmp_path):
    def loss():
        return fn.ElementwiseLoss(value=lambda s, t: (s - t) ** 4, gradient=lambda s, t: 4 * (s - t) ** 3)

    def trained(epochs, path=None):
        model = fn.Sequential([fn.Dense(1)], input_shape=6, loss=loss(), dtype="float64")
        callbacks = [fn.Checkpoint(path, resume=True)] if path else []
        model.fit(X, X[:, 0], optimizer=fn.SGD(1e-3), epochs=epochs, callbacks=callbacks, verbose=False)
        return model

    trained(2, tmp_path / "c.h5")
    assert bits(trained(5, tmp_path / "c.h5").parameters) == bits(trained(5).parameters)
    loaded = fn.load(tmp_path / "c.h5", loss=loss())
    assert bits(loaded.parameters) == bits(trained(5).parameters)


def test_a_batch_from_which_no_statistics_come_is_refused():
    model, optimizer = net(), fn.SGD(0.1)
    before = bits(model.parameters)
    with pytest.raises(fn.DataError, match="batch_norm needs batches of at least 2 samples, one has 1"):
        model.train_on_batch(X[:1], Y[:1], optimizer=optimizer)
    assert (bits(model.parameters), optimizer.iteration) == (before, 0)


def test_one_sample_of_several_places_has_statistics():
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 2))
    model = fn.Sequential([fn.BatchNorm(), fn.Flatten(), fn.Dense(3)], input_shape=(4, 4, 2), dtype="float64")
    model.train_on_batch(images, [1], optimizer=fn.SGD(0.1))
    moved = images.mean(axis=(0, 1, 2))
    assert np.allclose(model.buffers["batch_norm.mean"] / moved, model.buffers["batch_norm.mean"][0] / moved[0])
    assert model.buffers["batch_norm.mean"].any()


@pytest.mark.parametrize("method", ["train_on_batch", "loss_and_gradients", "batch_loss"])
def test_a_stream_is_no_batch(method, tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.zeros((40, 3), np.float32)
    model = fn.Sequential([fn.Dense(2)], input_shape=3)
    with (
        fn.H5Stream(tmp_path / "data.h5", "x") as x,
        pytest.raises(TypeError, match="x is a stream, H5Stream, expected an array: fit and evaluate read streams"),
    ):
        getattr(model, method)(x, np.zeros(40, int))
