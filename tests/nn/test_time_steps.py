"""Networks with a label at each step of a sequence: what a batch of steps gives, whatever is asked of it."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError, ShapeError
from fastnn.nn.initializers import Normal
from fastnn_kernels._jit import JIT
from tests.tiny import bits, jit_only, two_threads

V, T, C = 7, 5, 3
KINDS = (fn.GRU, fn.LSTM)
OUTPUTS = {"dense": lambda: fn.Dense(V, initializer=Normal(1.0)), "sampled": lambda: fn.SampledSoftmax(V, samples=4)}


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def labels(rng, count, steps=T):
    """Some are none; of the first sequence all but one."""
    y = rng.integers(0, V, (count, steps))
    y[rng.random(y.shape) < 0.3] = -1
    y[0] = -1
    y[0, steps // 2] = 2
    return y


def net(layers, shape=(T, C), dtype="float64", **given):
    return fn.Sequential(layers, input_shape=shape, dtype=dtype, seed=4, **given)


def text_net(output, dtype="float64", steps=T, kind=fn.GRU, **given):
    return net([fn.Embedding(V, 4), kind(6, return_sequences=True), output], (steps,), dtype, **given)


def cross_entropy(model, x, y):
    """−ln p of each label, by `predict`."""
    p = model.predict(x)
    asked = y >= 0
    return -np.log(p[asked][np.arange(asked.sum()), y[asked]])


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_every_label_counts_alike(output, rng):
    x, y = rng.integers(0, V, (9, T)), labels(rng, 9)
    model = text_net(output(), metrics=["top_2", "perplexity"])
    found, p = model.evaluate(x, y), model.predict(x)
    assert p.shape == model.predict(x, logits=True).shape == (9, T, V)
    np.testing.assert_allclose(p.sum(axis=2), 1, rtol=1e-12)
    want = cross_entropy(model, x, y)
    assert found["loss"] == pytest.approx(want.mean(), rel=1e-12)
    assert found["perplexity"] == pytest.approx(np.exp(want.mean()), rel=1e-12)
    asked = y >= 0
    assert found["accuracy"] == pytest.approx((p.argmax(axis=2) == y)[asked].mean())
    best = np.argsort(-p[asked], axis=1)[:, :2]
    assert found["top_2"] == pytest.approx((best == y[asked][:, None]).any(axis=1).mean())


def test_weights_are_those_of_all_labels_of_a_sequence(rng):
    x, y, weights = rng.integers(0, V, (9, T)), labels(rng, 9), rng.exponential(size=9)
    model = text_net(OUTPUTS["dense"]())
    each = np.repeat(weights, (y >= 0).sum(axis=1))
    want = np.average(cross_entropy(model, x, y), weights=each)
    assert model.evaluate(x, y, sample_weight=weights)["loss"] == pytest.approx(want, rel=1e-12)
    summed = text_net(OUTPUTS["dense"](), loss=fn.SoftmaxCrossEntropy(reduction="sum"))
    assert summed.loss_and_gradients(x, y)[0] == pytest.approx(cross_entropy(summed, x, y).sum(), rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_it_is_the_network_of_single_steps(smoothing, rng):
    """Where no step sees another one, each is a sample."""
    x, y = rng.normal(size=(8, T, C)), labels(rng, 8)
    layers = [fn.Dense(6, "tanh", initializer=Normal(1.0)), OUTPUTS["dense"]()]
    loss = fn.SoftmaxCrossEntropy(label_smoothing=smoothing)
    by_sequence, by_step = net(layers, loss=loss), net(layers, (C,), loss=loss)
    asked = y >= 0
    got, want = by_sequence.loss_and_gradients(x, y), by_step.loss_and_gradients(x[asked], y[asked])
    assert got[0] == pytest.approx(want[0], rel=1e-12)
    for name, gradient in want[1].items():
        np.testing.assert_allclose(got[1][name], gradient, rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adagrad"])
def test_sampled_classes_are_those_of_single_steps(optimizer, rng):
    """All labels are asked for, so that both batches have the same steps, and both draw the same classes."""
    x, y = rng.normal(size=(6, T, C)), rng.integers(0, V, (6, T))
    layers = [fn.Dense(4, "tanh"), OUTPUTS["sampled"]()]
    by_sequence, by_step = net(layers), net(layers, (C,))
    for model, data in ((by_sequence, (x, y)), (by_step, (x.reshape(-1, C), y.reshape(-1)))):
        model.fit(*data, optimizer=optimizer, batch_size=len(data[0]), epochs=4, shuffle=False, verbose=False)
    np.testing.assert_allclose(by_sequence.history["loss"], by_step.history["loss"], rtol=1e-10)
    for name, want in by_step.parameters.items():
        np.testing.assert_allclose(by_sequence.parameters[name], want, rtol=1e-8, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("steps", [1, T])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_against_central_differences(output, steps, kind, rng):
    x, y = rng.integers(0, V, (4, steps)), labels(rng, 4, steps)
    model = text_net(output(), steps=steps, kind=kind)
    errors = fn.check_gradients(model, x, y, entries=30 if JIT else 2)
    assert max(errors.values()) <= 1e-7, errors


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_what_is_asked_at_no_step_changes_nothing(output, rng):
    """Not even a row that Adam would move: the class that stands in for no label is not looked up for it."""
    x, y = rng.integers(0, V, (6, T)), rng.integers(3, V, (6, T))
    y[:, 1:] = -1
    first, second = text_net(output()), text_net(output())
    changed = x.copy()
    changed[:, 1:] = (x[:, 1:] + 1) % V  # behind the last label
    for model, data in ((first, x), (second, changed)):
        model.fit(data, y, optimizer="adam", epochs=3, batch_size=4, verbose=False)
    for name, want in first.parameters.items():
        if not name.startswith("embedding"):  # whose other rows get gradients of 0
            np.testing.assert_array_equal(second.parameters[name], want, err_msg=name)


@jit_only
@two_threads
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_with_one_and_two_threads(output, dtype, kind, rng):
    x, y = rng.integers(0, V, (150, T)), labels(rng, 150)
    found = []
    for count in (1, 2):
        with fn.threads(count):
            model = text_net(output(), dtype, kind=kind)
            model.fit(x, y, optimizer=fn.Adam(0.01), batch_size=64, epochs=2, verbose=False)
            found.append((bits(model.parameters), model.predict(x).tobytes(), list(model.history["loss"])))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back_from_a_file_and_learns(kind, tmp_path, rng):
    x = rng.integers(0, V, (60, T))
    y = (x + 1) % V
    model = text_net(OUTPUTS["dense"](), "float32", kind=kind)
    model.fit(x, y, optimizer=fn.Adam(0.03), epochs=30 if JIT else 2, batch_size=20, verbose=False)
    assert not JIT or model.evaluate(x, y)["accuracy"] > 0.95
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(fn.load(tmp_path / "m.h5").predict(x[:3]), model.predict(x[:3]))


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.zeros((4, T + 1), int), ShapeError, rf"y has shape \(4, 6\), expected \(N, {T}\): a label for each of 5"),
        (np.zeros(4, int), ShapeError, "a label for each of 5 steps, -1 for none; for one label a sample put Fl"),
        (np.full((4, T), -2), DataError, "labels of 7 classes, or -1 for none"),
        (np.full((4, T), V), DataError, "labels of 7 classes, or -1 for none"),
        (np.full((4, T), 0.5), DataError, "labels of 7 classes, or -1 for none"),
        (np.full((4, T), -1), DataError, "y is -1 everywhere, which is no label"),
        (np.full((4, T), "a"), TypeError, "y holds words"),
    ],
    ids=["other length", "one a sample", "below", "above", "between", "none", "words"],
)
def test_labels_that_cannot_be(y, error, message):
    with pytest.raises(error, match=message):
        text_net(OUTPUTS["dense"]()).fit(np.zeros((4, T), int), y, verbose=False)


def test_networks_that_cannot_be():
    with pytest.raises(ShapeError, match=r"dense ends with samples of shape \(5, 7\), expected \(outputs,\)"):
        text_net(OUTPUTS["dense"](), loss="mse")
    with pytest.raises(
        ValueError, match="metric 'mine' compares a label a sample with its prediction, but dense has a"
    ):
        text_net(OUTPUTS["dense"](), metrics=[("mine", lambda y_true, y_pred: 0.0)])
    x = fn.Input((T, C))
    with pytest.raises(ShapeError, match="dense has a label at each of 5 steps, expected it as the only output"):
        fn.Model(x, {"a": fn.Dense(V)(x), "b": fn.Dense(2)(fn.Flatten()(x))})
    with pytest.raises(ShapeError, match=r"SampledSoftmax got samples of shape \(5, 3, 2\), expected \(inputs,\), or"):
        net([fn.SampledSoftmax(V, samples=2)], (T, C, 2))
    with pytest.raises(ValueError, match="class_weight"):
        text_net(OUTPUTS["dense"]()).fit(np.zeros((4, T), int), np.zeros((4, T), int), class_weight={0: 2.0})
