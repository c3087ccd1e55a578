"""The softmax over frequent classes and clusters of rarer ones."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.layers.adaptive import AdaptiveSoftmax
from fastnn.training.passes import kinds
from tests.tiny import bits, jit_only, on_each_number_of_threads, two_threads

WORDS = 23
NORMAL = fn.initializers.Normal(0.5)
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, WORDS, (41, 3)), RNG.integers(0, WORDS, 41)
CUTOFFS = [[4], [4, 9], [1, 2, 22], [22], None]


def model_of(output, words=WORDS, width=3, hidden=5, **keywords):
    layers = [fn.Embedding(words, width, NORMAL), fn.Flatten(), fn.Dense(hidden, "tanh", NORMAL), output]
    return fn.Sequential(layers, input_shape=(3,), **keywords)


def adaptive(cutoffs=(4, 9), div_value=2.0, dtype="float64", **keywords):
    keywords = {"initializer": NORMAL, "bias_initializer": NORMAL} | keywords
    return model_of(fn.AdaptiveSoftmax(WORDS, cutoffs, div_value, **keywords), dtype=dtype)


def log_softmax(scores):
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def log_probabilities(model, x):
    """log p of all classes, by the formula of PyTorch's AdaptiveLogSoftmaxWithLoss: a head, then cluster by cluster."""
    p = {name: np.array(array, np.float64) for name, array in model.parameters.items()}
    own = {name.removeprefix("adaptive_softmax."): array for name, array in p.items()}
    layer = model.layers[-1]
    h = np.tanh(p["embedding.w"][x].reshape(len(x), -1) @ p["dense.w"] + p["dense.b"])
    head = log_softmax(h @ own["w"] + own.get("b", 0))
    frequent = layer.cutoffs[0]
    parts = [head[:, :frequent]]
    for c in range(len(layer.cutoffs)):
        tail = log_softmax(h @ own[f"p{c + 1}"] @ own[f"w{c + 1}"].T)
        parts.append(head[:, frequent + c : frequent + c + 1] + tail)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("cutoffs", CUTOFFS)
@pytest.mark.parametrize("use_bias", [False, True])
def test_it_is_the_formula(cutoffs, use_bias):
    model = adaptive(cutoffs, use_bias=use_bias)
    want = log_probabilities(model, X)
    np.testing.assert_allclose(model.predict(X), np.exp(want), rtol=1e-12)
    np.testing.assert_allclose(model.predict(X, logits=True), want, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1, rtol=1e-12)
    loss = -want[np.arange(len(Y)), Y].mean()
    found = model.evaluate(X, Y)
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-12)
    assert found["accuracy"] == (want.argmax(axis=1) == Y).mean()
    np.testing.assert_allclose(model.loss_and_gradients(X, Y)[0], loss, rtol=1e-12)


def test_the_widths_are_those_of_pytorch():
    """AdaptiveLogSoftmaxWithLoss(100, 50, [5, 20, 30], div_value=3): 33, 11 and 3 of 100 numbers."""
    model = fn.Sequential([fn.AdaptiveSoftmax(50, [5, 20, 30], 3)], input_shape=100)
    shapes = {name.removeprefix("adaptive_softmax."): array.shape for name, array in model.parameters.items()}
    assert shapes == {
        "w": (100, 8),
        "p1": (100, 33),
        "w1": (15, 33),
        "p2": (100, 11),
        "w2": (10, 11),
        "p3": (100, 3),
        "w3": (20, 3),
    }


@pytest.mark.parametrize("cutoffs", CUTOFFS)
@pytest.mark.parametrize("count", [1, pytest.param(41, marks=jit_only)])
def test_gradients_against_central_differences(cutoffs, count):
    assert max(fn.check_gradients(adaptive(cutoffs, use_bias=True), X[:count], Y[:count]).values()) <= 1e-7


@jit_only
@pytest.mark.parametrize("penalty", [{"l1": 0.01}, {"l2": 0.1}])
def test_gradients_with_a_penalty(penalty):
    model = adaptive(**penalty)
    assert set(model.network.penalties()) == {name for name in model.parameters if "adaptive" in name}
    assert max(fn.check_gradients(model, X[:5], Y[:5]).values()) <= 1e-7


def test_targets_all_in_the_head_or_all_in_one_cluster():
    model = adaptive([4, 9])
    for y in (np.zeros(7, int), np.full(7, 22)):
        got, gradients = model.loss_and_gradients(X[:7], y)
        np.testing.assert_allclose(got, -log_probabilities(model, X[:7])[np.arange(7), y].mean(), rtol=1e-12)
        for cluster, first in (("1", 4), ("2", 9)):
            used = first <= y[0] < (9 if cluster == "1" else 23)
            assert gradients[f"adaptive_softmax.w{cluster}"].any() == used
            assert gradients[f"adaptive_softmax.p{cluster}"].any() == used


def test_weights_of_samples():
    model, weights = adaptive(), RNG.random(41)
    want = -log_probabilities(model, X)[np.arange(41), Y] @ weights / weights.sum()
    np.testing.assert_allclose(model.evaluate(X, Y, sample_weight=weights)["loss"], want, rtol=1e-12)
    model.fit(X, Y, sample_weight=weights, batch_size=41, epochs=1, optimizer=fn.SGD(1e-9), verbose=False)
    np.testing.assert_allclose(model.history["loss"][0], want, rtol=1e-7)


def test_metrics_while_training_look_at_all_classes():
    model = model_of(fn.AdaptiveSoftmax(WORDS, [4, 9], initializer=NORMAL), metrics=["top_3", "perplexity"])
    want = model.evaluate(X, Y)
    model.fit(X, Y, batch_size=41, epochs=1, optimizer=fn.SGD(1e-9), verbose=False)
    for name in ("top_3", "perplexity"):
        np.testing.assert_allclose(model.history[name][0], want[name], rtol=1e-5)


def fitted(dtype="float32", words=WORDS, batch=7, cutoffs=None, **keywords):
    model = model_of(fn.AdaptiveSoftmax(words, cutoffs), words, dtype=dtype, **keywords)
    x = np.random.default_rng(1).integers(0, words, (3 * batch + 2, 4))
    model.fit(x[:, :3], x[:, 3], optimizer=fn.Adam(0.01), batch_size=batch, epochs=2, verbose=False)
    return model


@two_threads
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("words", "batch", "width", "hidden"),
    [(23, 7, 3, 5), (2, 1, 1, 1), pytest.param(2003, 150, 17, 129, marks=jit_only)],
)
def test_the_same_bits_at_any_number_of_threads(dtype, words, batch, width, hidden, monkeypatch):
    def ends():
        model = fitted(dtype, words, batch, width=width, hidden=hidden)
        return bits(model.parameters), model.history["loss"], model.predict(X % words).tobytes()

    one, two, again = on_each_number_of_threads(monkeypatch, ends)
    assert one == two == again


def test_saved_and_loaded(tmp_path):
    model = adaptive(None, use_bias=True)
    model.save(tmp_path / "m.h5")
    again = fn.load(tmp_path / "m.h5")
    assert again.layers[-1] == model.layers[-1]
    assert again.predict(X).tobytes() == model.predict(X).tobytes()


@jit_only
def test_it_learns():
    x = np.random.default_rng(0).integers(0, WORDS, (600, 3))
    model = model_of(fn.AdaptiveSoftmax(WORDS, [5, 11], 1), hidden=32, width=16)
    model.fit(x, x[:, 2], optimizer=fn.Adam(0.01), batch_size=20, epochs=15, verbose=False)
    assert model.evaluate(x, x[:, 2])["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("units", "cutoffs"), [(2, (1,)), (3, (2,)), (10, (5, 7)), (1000, (100, 316)), (50_000, (1357, 8238))]
)
def test_the_cutoffs_that_nobody_gave(units, cutoffs):
    assert AdaptiveSoftmax(units).cutoffs == cutoffs


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: fn.AdaptiveSoftmax(1), ValueError, "units is 1, expected at least 2"),
        (lambda: fn.AdaptiveSoftmax(5, [5]), ValueError, r"cutoffs is \[5\], expected ascending numbers from 1 to 4"),
        (lambda: fn.AdaptiveSoftmax(5, [0, 2]), ValueError, "from 1 to 4"),
        (lambda: fn.AdaptiveSoftmax(5, [3, 2]), ValueError, "ascending"),
        (lambda: fn.AdaptiveSoftmax(5, [2, 2]), ValueError, "ascending"),
        (lambda: fn.AdaptiveSoftmax(5, []), TypeError, "expected whole numbers such as"),
        (lambda: fn.AdaptiveSoftmax(5, 3), TypeError, "cutoffs is 3, expected whole numbers such as"),
        (lambda: fn.AdaptiveSoftmax(5, [1.5]), TypeError, "expected whole numbers such as"),
        (lambda: fn.AdaptiveSoftmax(5, div_value=0.5), ValueError, "div_value is 0.5"),
        (lambda: fn.AdaptiveSoftmax(5, div_value=np.inf), ValueError, "div_value is inf"),
        (lambda: fn.AdaptiveSoftmax(5, max_norm=1.0), ValueError, "max_norm"),
        (lambda: model_of(fn.AdaptiveSoftmax(5), loss="mse"), ValueError, "has the loss"),
        (
            lambda: model_of(fn.AdaptiveSoftmax(5), loss=fn.SoftmaxCrossEntropy(label_smoothing=0.1)),
            ValueError,
            "smooth",
        ),
        (
            lambda: fn.Sequential([fn.AdaptiveSoftmax(5), fn.Dense(3)], input_shape=(4,)),
            ValueError,
            "adaptive_softmax is no output",
        ),
        (lambda: fn.Sequential([fn.AdaptiveSoftmax(5)], input_shape=(4, 2)), fn.ShapeError, "Flatten"),
        (lambda: fn.AdaptiveSoftmax(n_classes=5), TypeError, "use units="),
    ],
)
def test_what_it_cannot_be(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_evaluation_holds_the_scores_of_a_block_of_samples():
    model = model_of(fn.AdaptiveSoftmax(100_000))
    batch, _ = kinds.compiler(model.network, model.state, "evaluate")
    assert 1 <= batch * 100_000 * model.dtype.itemsize <= kinds.EVALUATION_BYTES
