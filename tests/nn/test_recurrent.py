"""Recurrent layers: their values by the formula and by PyTorch, gradients, bits, files, and what they refuse."""

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.initializers import Normal
from fastnn_kernels._jit import JIT
from tests.tiny import bits, jit_only, two_threads

LARGEST = 1e-7
START = {"initializer": Normal(0.5), "recurrent_initializer": Normal(0.5)}
SHAPES = [(1, 1, 1, 1), (1, 3, 5, 4), (4, 1, 1, 3), (5, 2, 33, 2), (7, 3, 4, 1), (3, 17, 6, 5)]  # T, C, units, N


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step(a, v, h):
    """The new state, from the inputs' products, the state's, and the state."""
    (r, z, n), (of_r, of_z, of_n) = np.split(a, 3, axis=1), np.split(v, 3, axis=1)
    r, z = sigmoid(r + of_r), sigmoid(z + of_z)
    return (1 - z) * np.tanh(n + r * of_n) + z * h


def lstm_step(a, v, cell):
    """The new state, from the inputs' products and the state's; `cell` becomes the new one."""
    i, f, g, o = np.split(a + v, 4, axis=1)
    cell[:] = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell)


STEPS = {fn.GRU: gru_step, fn.LSTM: lstm_step}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(params=STEPS, ids=lambda kind: kind.kind)
def kind(request):
    return request.param


@pytest.fixture
def of(kind):
    """Makes a layer of the kind whose weights are not small."""
    return lambda units, **keywords: kind(units, **START, **keywords)


def with_biases(model, rng):
    for name, array in model.parameters.items():
        if name.endswith((".b", ".c")):
            array[...] = rng.normal(size=array.shape)
    return model


def sequential(layers, shape, rng, **keywords):
    return with_biases(fn.Sequential(layers, input_shape=shape, seed=3, **keywords), rng)


def states(model, x, kind):
    """The states of all steps, by the formula in NumPy."""
    w, u, b, c = (model.parameters[f"{kind.kind}.{short}"] for short in "wubc")
    h, cell, found = np.zeros((len(x), len(u))), np.zeros((len(x), len(u))), []
    for t in range(x.shape[1]):
        h = STEPS[kind](x[:, t] @ w + b, h @ u + c, cell if kind is fn.LSTM else h)
        found.append(h)
    return np.stack(found, axis=1)


@pytest.mark.parametrize(("T", "C", "units", "N"), SHAPES)
def test_it_computes_the_formula(T, C, units, N, kind, of, rng):
    x = rng.normal(size=(N, T, C))
    for layers, last in (([of(units)], True), ([of(units, return_sequences=True), fn.Flatten()], False)):
        model = sequential(layers, (T, C), rng, dtype="float64", loss="mse")
        want = states(model, x, kind)
        want = want[:, -1] if last else want.reshape(N, -1)
        np.testing.assert_allclose(model.predict(x), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize(("T", "C", "units", "N"), SHAPES)
def test_gradients(T, C, units, N, each, of, rng):
    layers = [of(units, return_sequences=each), fn.Flatten(), fn.Dense(2, initializer=Normal(0.5))]
    if each:
        layers[1:2] = [of(3, return_sequences=True), fn.Flatten()]  # the gradient of its input, too
    model = sequential(layers, (T, C), rng, dtype="float64", loss="mse")
    x, y = rng.normal(size=(N, T, C)), rng.normal(size=(N, 2))
    errors = fn.check_gradients(model, x, y, entries=40 if JIT else 2)
    assert set(errors) == set(model.parameters)
    assert max(errors.values()) <= LARGEST, errors


def test_gradients_behind_an_embedding_and_with_penalties(kind, of, rng):
    layers = [fn.Embedding(9, 3, initializer=Normal(0.5)), of(4, l2=0.3, l1=0.1), fn.Dense(9)]
    model = sequential(layers, 6, rng, dtype="float64", l2=0.1)
    x, y = rng.integers(0, 9, (5, 6)), rng.integers(0, 9, 5)
    errors = fn.check_gradients(model, x, y, entries=40 if JIT else 2)
    assert set(errors) == set(model.parameters)
    assert max(errors.values()) <= LARGEST, errors
    bare = fn.Sequential([fn.Embedding(9, 3), kind(4), fn.Dense(9)], input_shape=6, dtype="float64")
    for name, array in model.parameters.items():
        bare.parameters[name] = array
    p, squares = model.parameters, {name: (array**2).sum() for name, array in model.parameters.items()}
    w, u = f"{kind.kind}.w", f"{kind.kind}.u"
    want = 0.2 * (squares[w] + squares[u]) + 0.05 * (squares["embedding.w"] + squares["dense.w"])
    want += 0.1 * (np.abs(p[w]).sum() + np.abs(p[u]).sum())
    np.testing.assert_allclose(model.evaluate(x, y)["loss"] - bare.evaluate(x, y)["loss"], want, rtol=1e-9)


@pytest.mark.parametrize(("T", "C", "units", "N"), SHAPES)
def test_agrees_with_torch(T, C, units, N, kind, of, rng):
    torch = pytest.importorskip("torch")
    model = sequential([of(units, return_sequences=True), fn.Flatten()], (T, C), rng, dtype="float64", loss="mse")
    theirs = getattr(torch.nn, kind.__name__)(C, units, batch_first=True, dtype=torch.float64)
    keys = {"weight_ih_l0": "w", "weight_hh_l0": "u", "bias_ih_l0": "b", "bias_hh_l0": "c"}
    p = model.parameters
    theirs.load_state_dict({key: torch.tensor(p[f"{kind.kind}.{ours}"].T.copy()) for key, ours in keys.items()})
    x, y = rng.normal(size=(N, T, C)), rng.normal(size=(N, T * units))
    loss = ((theirs(torch.tensor(x))[0].flatten(1) - torch.tensor(y)) ** 2).mean()
    loss.backward()
    got, gradients = model.loss_and_gradients(x, y)
    np.testing.assert_allclose(got, loss.item(), rtol=1e-12)
    for key, ours in keys.items():
        want = getattr(theirs, key).grad.numpy().T
        np.testing.assert_allclose(gradients[f"{kind.kind}.{ours}"], want, rtol=1e-9, atol=1e-13, err_msg=key)


def test_float32_follows_float64(kind, of, rng):
    x, y = rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 7))
    models = [sequential([of(7)], (5, 3), np.random.default_rng(1), loss="mse", dtype=f"float{n}") for n in (32, 64)]
    (loss, got), (want_loss, want) = (model.loss_and_gradients(x, y) for model in models)
    assert got[f"{kind.kind}.u"].dtype == np.float32
    np.testing.assert_allclose(loss, want_loss, rtol=1e-5)
    for name in want:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-3, atol=1e-6, err_msg=name)


def trained(of, threads, x, y, callbacks=(), **keywords):
    layers = [of(33, return_sequences=True), of(17, max_norm=0.8), fn.Dense(5)]
    model = fn.Sequential(layers, input_shape=x.shape[1:], seed=4)
    with fn.threads(threads):
        settings = {"optimizer": fn.Adam(0.01), "batch_size": 64, "epochs": 2, "verbose": False}
        model.fit(x, y, callbacks=list(callbacks), **settings | keywords)
    return model


@jit_only
@two_threads
def test_the_same_bits_at_any_number_of_threads_fused_or_stored(kind, of, rng):
    x, y = rng.normal(size=(150, 9, 3)), rng.integers(0, 5, 150)
    runs = [(1, ()), (2, ()), (2, (fn.GradientNorms(),))]
    found = [bits(trained(of, threads, x, y, callbacks).parameters) for threads, callbacks in runs]
    assert found[0] == found[1] == found[2]
    norms = np.linalg.norm(trained(of, 1, x, y).parameters[f"{kind.kind}_1.u"], axis=0)
    assert norms.max() <= 0.8 * (1 + 1e-6)


def test_a_training_goes_on_where_it_stopped(of, tmp_path, rng):
    x, y = rng.normal(size=(12, 4, 3)), rng.integers(0, 5, 12)
    settings, keep = {"batch_size": 5}, fn.Checkpoint(tmp_path / "half.h5", resume=True)
    want = trained(of, 1, x, y, **settings, epochs=3)
    half = trained(of, 1, x, y, [keep], **settings, epochs=1)
    again = trained(of, 1, x, y, [keep], **settings, epochs=3)
    assert bits(half.parameters) != bits(want.parameters)
    assert bits(again.parameters) == bits(want.parameters)


def test_a_file_gives_back_the_layer_and_the_summary_shows_it(kind, of, tmp_path, rng):
    model = sequential([of(4, return_sequences=True, l2=0.1, name="reads"), of(3), fn.Dense(2)], (5, 2), rng)
    model.save(tmp_path / "m.h5")
    again, x = fn.load(tmp_path / "m.h5"), rng.normal(size=(4, 5, 2))
    assert again.network.layers == model.network.layers
    assert np.array_equal(again.predict(x), model.predict(x))
    assert "reads" in model.summary()
    assert str(kind.gates * 4 * (2 + 4 + 2)) in model.summary()


def test_one_layer_reads_two_inputs_of_a_model(kind, of, rng):
    first, second, layer = fn.Input((5, 3)), fn.Input((4, 3)), of(4)
    out = fn.Dense(2, initializer=Normal(0.5))(fn.Concatenate()(layer(first), layer(second)))
    model = with_biases(fn.Model([first, second], out, loss="mse", dtype="float64", seed=1), rng)
    x, y = [rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 4, 3))], rng.normal(size=(6, 2))
    errors = fn.check_gradients(model, x, y, entries=40 if JIT else 2)
    assert {f"{kind.kind}.u", f"{kind.kind}.c"} < set(errors)
    assert max(errors.values()) <= LARGEST, errors


def test_many_models_end_as_each_alone(of, rng):
    x, y = rng.normal(size=(24, 4, 3)), rng.integers(0, 3, 24)
    settings = {"optimizer": "adam", "batch_size": 8, "epochs": 2}

    def models():
        return [fn.Sequential([of(5), fn.Dense(3)], input_shape=(4, 3), seed=seed) for seed in range(3)]

    many, alone = models(), models()
    fn.fit_many(many, x, y, **settings)
    with fn.threads(1):
        for one in alone:
            one.fit(x, y, verbose=False, **settings)
    assert [bits(one.parameters) for one in many] == [bits(one.parameters) for one in alone]
    assert bits(many[0].parameters) != bits(many[1].parameters)


def test_a_stream_trains_as_an_array_does(of, tmp_path, rng):
    x, y = rng.normal(size=(30, 4, 3)).astype("f"), rng.integers(0, 5, 30)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"], file["y"] = x, y
    with fn.H5Stream(tmp_path / "d.h5", "x") as xs, fn.H5Stream(tmp_path / "d.h5", "y") as ys:
        got = trained(of, 1, xs, ys, batch_size=8, shuffle=False)
    assert bits(got.parameters) == bits(trained(of, 1, x, y, batch_size=8, shuffle=False).parameters)


def test_a_frozen_layer_stays_and_passes_gradients_on(of, rng):
    layers = [fn.Embedding(9, 3), of(4, freeze=True), fn.Dense(9)]
    model = fn.Sequential(layers, input_shape=6, seed=1)
    before = {name: array.copy() for name, array in model.parameters.items()}
    x, y = rng.integers(0, 9, (8, 6)), rng.integers(0, 9, 8)
    model.fit(x, y, optimizer=fn.SGD(0.5), batch_size=4, verbose=False)
    changed = {name for name, array in model.parameters.items() if not np.array_equal(array, before[name])}
    assert changed == {"embedding.w", "dense.w", "dense.b"}


def test_the_forget_gate_begins_with_a_bias_of_1():
    layers = [fn.LSTM(3), fn.LSTM(3, bias_initializer=Normal(2.0)), fn.LSTM(3, unit_forget_bias=False)]
    usual, drawn, none = (fn.Sequential([one], input_shape=(2, 2), loss="mse", seed=1).parameters for one in layers)
    assert usual["lstm.b"].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    assert drawn["lstm.b"][3:6].tolist() == [1] * 3
    assert np.all(drawn["lstm.b"][[0, 1, 2, 6, 7, 8, 9, 10, 11]] != 0)
    assert not np.any(none["lstm.b"])
    assert not any(np.any(parameters["lstm.c"]) for parameters in (usual, drawn, none))


def test_it_remembers_the_first_step_of_a_long_sequence():
    """Where f is 1 and i opens for the first step alone, its cell is kept; so is the gradient on the way back."""
    model = fn.Sequential([fn.LSTM(1)], input_shape=(300, 1), loss="mse", dtype="float64", seed=2)
    values = {"w": [[60.0, 0.0, 1.0, 0.0]], "u": np.zeros((1, 4)), "b": [-30.0, 30.0, 0.0, 0.0], "c": np.zeros(4)}
    model.set_parameters({f"lstm.{short}": np.array(value) for short, value in values.items()})
    x, g = np.zeros((2, 300, 1)), np.tanh(1.0)
    x[:, 0] = 1.0
    h = 0.5 * np.tanh(g)
    np.testing.assert_allclose(model.predict(x), h, rtol=1e-9)
    _, gradients = model.loss_and_gradients(x, np.zeros((2, 1)))
    np.testing.assert_allclose(gradients["lstm.w"][0, 2], 2 * h * 0.5 * (1 - np.tanh(g) ** 2) * (1 - g**2), rtol=1e-9)


REFUSED = [
    (ValueError, "{0}: units is 0", lambda kind: kind(0)),
    (TypeError, "{0}: units is", lambda kind: kind("8")),
    (TypeError, "{0}: return_sequences", lambda kind: kind(8, return_sequences="yes")),
    (ValueError, "unknown initializer", lambda kind: kind(8, recurrent_initializer="long")),
    (TypeError, "use units=", lambda kind: kind(hidden_size=8)),
    (fn.ShapeError, r"{0} .*expected sequences \(T, C\)", lambda kind: fn.Sequential([kind(8)], input_shape=4)),
    (fn.ShapeError, "{0} .*at least one step", lambda kind: kind(8).shape_of([(0, 4)])),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED, ids=[message for _, message, _ in REFUSED])
def test_what_it_refuses(error, message, call, kind):
    with pytest.raises(error, match=message.format(kind.__name__)):
        call(kind)


def test_what_an_lstm_refuses():
    with pytest.raises(ValueError, match="zero"):
        fn.LSTM(8, bias_initializer="zeroes")
    with pytest.raises(TypeError, match="LSTM: unit_forget_bias"):
        fn.LSTM(8, unit_forget_bias=1.5)


@pytest.mark.parametrize("between", [[], [fn.Dropout(0.5), fn.Dropout(0.5)]])
@pytest.mark.parametrize("first", [fn.GRU, fn.LSTM])
def test_a_layer_behind_a_last_state(first, between):
    hint = rf"{first.__name__} gives its last state: return_sequences=True gives that of every step$"
    for second in (fn.LSTM(4), fn.Conv1D(4, 3)):
        with pytest.raises(fn.ShapeError, match=rf"got samples of shape \(8,\), expected sequences .*; {hint}"):
            fn.Sequential([first(8), *between, second], input_shape=(20, 1))


def test_a_layer_behind_a_dense_one_gets_the_other_hint():
    with pytest.raises(fn.ShapeError, match=r"put Reshape\(\(8, 1\)\) before it"):
        fn.Sequential([fn.GRU(4), fn.Dense(8), fn.GRU(4)], input_shape=(20, 1))
