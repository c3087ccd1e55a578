"""The GRU: its values by the formula and by PyTorch, its gradients, bits, files, and what it refuses."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.initializers import Normal
from fastnn_kernels._jit import JIT
from tests.tiny import bits, jit_only, two_threads

LARGEST = 1e-7
START = {"initializer": Normal(0.5), "recurrent_initializer": Normal(0.5)}
SHAPES = [(1, 1, 1, 1), (1, 3, 5, 4), (4, 1, 1, 3), (5, 2, 33, 2), (7, 3, 4, 1), (3, 17, 6, 5)]  # T, C, units, N


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def gru(units, **keywords):
    return fn.GRU(units, **START, **keywords)


def with_biases(model, rng):
    for name, array in model.parameters.items():
        if name.endswith((".b", ".c")):
            array[...] = rng.normal(size=array.shape)
    return model


def sequential(layers, shape, rng, **keywords):
    return with_biases(fn.Sequential(layers, input_shape=shape, seed=3, **keywords), rng)


def states(model, x, name="gru"):
    """The states of all steps, by the formula in NumPy."""
    w, u, b, c = (model.parameters[f"{name}.{short}"] for short in "wubc")
    h, found = np.zeros((len(x), len(u))), []
    for t in range(x.shape[1]):
        r, z, n = np.split(x[:, t] @ w + b, 3, axis=1)
        of_r, of_z, of_n = np.split(h @ u + c, 3, axis=1)
        r, z = (1 / (1 + np.exp(-one)) for one in (r + of_r, z + of_z))
        h = (1 - z) * np.tanh(n + r * of_n) + z * h
        found.append(h)
    return np.stack(found, axis=1)


@pytest.mark.parametrize(("T", "C", "units", "N"), SHAPES)
def test_it_computes_the_formula(T, C, units, N, rng):
    x = rng.normal(size=(N, T, C))
    for layers, last in (([gru(units)], True), ([gru(units, return_sequences=True), fn.Flatten()], False)):
        model = sequential(layers, (T, C), rng, dtype="float64", loss="mse")
        want = states(model, x)
        want = want[:, -1] if last else want.reshape(N, -1)
        np.testing.assert_allclose(model.predict(x), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize(("T", "C", "units", "N"), SHAPES)
def test_gradients(T, C, units, N, each, rng):
    layers = [gru(units, return_sequences=each), fn.Flatten(), fn.Dense(2, initializer=Normal(0.5))]
    if each:
        layers[1:2] = [gru(3, return_sequences=True), fn.Flatten()]  # the gradient of its input, too
    model = sequential(layers, (T, C), rng, dtype="float64", loss="mse")
    x, y = rng.normal(size=(N, T, C)), rng.normal(size=(N, 2))
    errors = fn.check_gradients(model, x, y, entries=40 if JIT else 2)
    assert set(errors) == set(model.parameters)
    assert max(errors.values()) <= LARGEST, errors


def test_gradients_behind_an_embedding_and_with_penalties(rng):
    layers = [fn.Embedding(9, 3, initializer=Normal(0.5)), gru(4, l2=0.3, l1=0.1), fn.Dense(9)]
    model = sequential(layers, 6, rng, dtype="float64", l2=0.1)
    x, y = rng.integers(0, 9, (5, 6)), rng.integers(0, 9, 5)
    errors = fn.check_gradients(model, x, y, entries=40 if JIT else 2)
    assert set(errors) == set(model.parameters)
    assert max(errors.values()) <= LARGEST, errors
    bare = fn.Sequential([fn.Embedding(9, 3), fn.GRU(4), fn.Dense(9)], input_shape=6, dtype="float64")
    for name, array in model.parameters.items():
        bare.parameters[name] = array
    p, squares = model.parameters, {name: (array**2).sum() for name, array in model.parameters.items()}
    want = 0.2 * (squares["gru.w"] + squares["gru.u"]) + 0.05 * (squares["embedding.w"] + squares["dense.w"])
    want += 0.1 * (np.abs(p["gru.w"]).sum() + np.abs(p["gru.u"]).sum())
    np.testing.assert_allclose(model.evaluate(x, y)["loss"] - bare.evaluate(x, y)["loss"], want, rtol=1e-9)


@pytest.mark.parametrize(("T", "C", "units", "N"), SHAPES)
def test_agrees_with_torch(T, C, units, N, rng):
    torch = pytest.importorskip("torch")
    model = sequential([gru(units, return_sequences=True), fn.Flatten()], (T, C), rng, dtype="float64", loss="mse")
    theirs = torch.nn.GRU(C, units, batch_first=True, dtype=torch.float64)
    keys = {"weight_ih_l0": "w", "weight_hh_l0": "u", "bias_ih_l0": "b", "bias_hh_l0": "c"}
    theirs.load_state_dict({key: torch.tensor(model.parameters[f"gru.{ours}"].T.copy()) for key, ours in keys.items()})
    x, y = rng.normal(size=(N, T, C)), rng.normal(size=(N, T * units))
    loss = ((theirs(torch.tensor(x))[0].flatten(1) - torch.tensor(y)) ** 2).mean()
    loss.backward()
    got, gradients = model.loss_and_gradients(x, y)
    np.testing.assert_allclose(got, loss.item(), rtol=1e-12)
    for key, ours in keys.items():
        want = getattr(theirs, key).grad.numpy().T
        np.testing.assert_allclose(gradients[f"gru.{ours}"], want, rtol=1e-9, atol=1e-13, err_msg=key)


def test_float32_follows_float64(rng):
    x, y = rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 7))
    models = [sequential([gru(7)], (5, 3), np.random.default_rng(1), loss="mse", dtype=f"float{n}") for n in (32, 64)]
    (loss, got), (want_loss, want) = (model.loss_and_gradients(x, y) for model in models)
    assert got["gru.u"].dtype == np.float32
    np.testing.assert_allclose(loss, want_loss, rtol=1e-5)
    for name in want:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-3, atol=1e-6, err_msg=name)


def trained(threads, x, y, callbacks=(), **keywords):
    layers = [gru(33, return_sequences=True), gru(17, max_norm=0.8), fn.Dense(5)]
    model = fn.Sequential(layers, input_shape=x.shape[1:], seed=4)
    with fn.threads(threads):
        settings = {"optimizer": fn.Adam(0.01), "batch_size": 64, "epochs": 2, "verbose": False}
        model.fit(x, y, callbacks=list(callbacks), **settings | keywords)
    return model


@jit_only
@two_threads
def test_the_same_bits_at_any_number_of_threads_fused_or_stored(rng):
    x, y = rng.normal(size=(150, 9, 3)), rng.integers(0, 5, 150)
    runs = [(1, ()), (2, ()), (2, (fn.GradientNorms(),))]
    found = [bits(trained(threads, x, y, callbacks).parameters) for threads, callbacks in runs]
    assert found[0] == found[1] == found[2]
    norms = np.linalg.norm(trained(1, x, y).parameters["gru_1.u"], axis=0)
    assert norms.max() <= 0.8 * (1 + 1e-6)


def test_a_training_goes_on_where_it_stopped(tmp_path, rng):
    x, y = rng.normal(size=(12, 4, 3)), rng.integers(0, 5, 12)
    settings, keep = {"batch_size": 5}, fn.Checkpoint(tmp_path / "half.h5", resume=True)
    want = trained(1, x, y, **settings, epochs=3)
    half = trained(1, x, y, [keep], **settings, epochs=1)
    again = trained(1, x, y, [keep], **settings, epochs=3)
    assert bits(half.parameters) != bits(want.parameters)
    assert bits(again.parameters) == bits(want.parameters)


def test_a_file_gives_back_the_layer_and_the_summary_shows_it(tmp_path, rng):
    model = sequential([gru(4, return_sequences=True, l2=0.1, name="reads"), gru(3), fn.Dense(2)], (5, 2), rng)
    model.save(tmp_path / "m.h5")
    again, x = fn.load(tmp_path / "m.h5"), rng.normal(size=(4, 5, 2))
    assert again.network.layers == model.network.layers
    assert np.array_equal(again.predict(x), model.predict(x))
    assert "reads" in model.summary()
    assert str(3 * 4 * (2 + 4 + 2)) in model.summary()


def test_a_frozen_layer_stays_and_passes_gradients_on(rng):
    layers = [fn.Embedding(9, 3), gru(4, freeze=True), fn.Dense(9)]
    model = fn.Sequential(layers, input_shape=6, seed=1)
    before = {name: array.copy() for name, array in model.parameters.items()}
    x, y = rng.integers(0, 9, (8, 6)), rng.integers(0, 9, 8)
    model.fit(x, y, optimizer=fn.SGD(0.5), batch_size=4, verbose=False)
    changed = {name for name, array in model.parameters.items() if not np.array_equal(array, before[name])}
    assert changed == {"embedding.w", "dense.w", "dense.b"}


REFUSED = [
    (ValueError, "GRU: units is 0", lambda: fn.GRU(0)),
    (TypeError, "GRU: units is", lambda: fn.GRU("8")),
    (TypeError, "GRU: return_sequences", lambda: fn.GRU(8, return_sequences="yes")),
    (ValueError, "orthogonal", lambda: fn.GRU(8, recurrent_initializer="orthogonal")),
    (TypeError, "use units=", lambda: fn.GRU(hidden_size=8)),
    (fn.ShapeError, r"expected sequences \(T, C\)", lambda: fn.Sequential([fn.GRU(8)], input_shape=4)),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED, ids=[message for _, message, _ in REFUSED])
def test_what_it_refuses(error, message, call):
    with pytest.raises(error, match=message):
        call()
