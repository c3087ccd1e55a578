"""The softmax over a sample of classes, and updates of the rows that occur alone."""

import gc
import zlib

import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.data.source import checked_batch
from fastnn.engine.builder import Builder
from fastnn.engine.program import Program
from fastnn.training.passes import kinds
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from tests.tiny import bits, jit_only, on_each_number_of_threads, two_threads

WORDS = 23
NORMAL = fn.initializers.Normal(0.5)
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, WORDS, (41, 3)), RNG.integers(0, WORDS, 41)
BOTH = {"initializer": NORMAL, "bias_initializer": NORMAL}


def model_of(output, words=WORDS, width=3, hidden=5, sparse=True, **keywords):
    layers = [fn.Embedding(words, width, NORMAL, sparse=sparse), fn.Flatten(), fn.Dense(hidden, "tanh", NORMAL), output]
    return fn.Sequential(layers, input_shape=(3,), **keywords)


def sampled(samples=8, **keywords):
    return model_of(fn.SampledSoftmax(WORDS, samples=samples, **BOTH, **keywords), dtype="float64")


def full_like(model):
    """The same net with a softmax over all classes."""
    other = model_of(fn.Dense(WORDS), dtype="float64")
    for name, array in model.parameters.items():
        other.parameters[name.replace("sampled_softmax", "dense_1")] = array.T if name == "sampled_softmax.w" else array
    return other


@pytest.mark.parametrize(("samples", "count"), [(1, 1), (9, 5)])
def test_gradients_against_central_differences(samples, count):
    assert max(fn.check_gradients(sampled(samples), X[:count], Y[:count]).values()) <= 1e-7


@jit_only
@pytest.mark.parametrize("penalty", [{"l1": 0.01}, {"l2": 0.1}])
def test_gradients_with_a_penalty_on_all_rows(penalty):
    assert max(fn.check_gradients(sampled(**penalty), X[:5], Y[:5]).values()) <= 1e-7


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_predicted_and_evaluated_is_exact(dtype):
    few = sampled()
    full = full_like(few)
    np.testing.assert_allclose(few.predict(X), full.predict(X), rtol=1e-12)
    np.testing.assert_allclose(few.predict(X, logits=True), full.predict(X, logits=True), rtol=1e-10, atol=1e-12)
    want = full.evaluate(X, Y)
    for name, got in few.evaluate(X, Y).items():
        np.testing.assert_allclose(got, want[name], rtol=1e-12)


CHOICES = [
    {"distribution": "log_uniform"},
    {"distribution": "unigram", "counts": (np.arange(WORDS) - 3) ** 2, "power": 0.75},
    {"distribution": "unigram", "counts": np.ones(WORDS), "power": 0.0},
]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_estimate_of_the_sum_over_all_classes_is_unbiased(choice):
    """exp(ℓ) = Ẑ / exp(s_y) for one sample: its mean over draws is that of the full softmax, whatever S is.

    The target is the likeliest class: one that is drawn, and not left out, would then count for much.
    """
    model = sampled(12, **choice)
    y = model.predict(X[:1]).argmax(axis=1)
    want = np.exp(full_like(model).loss_and_gradients(X[:1], y)[0])
    got = np.exp([model.loss_and_gradients(X[:1], y, draw=i)[0] for i in range(400)])
    error = got.std() / np.sqrt(len(got))
    assert 4 * error < 0.5, "too few draws to tell"
    assert abs(got.mean() - want) < 4 * error


def drawn_first(model, samples, key):
    """The classes that the first step with this key draws, each as often as it is drawn."""
    thresholds, (aliases, pending) = np.empty(WORDS), np.empty((2, WORDS), np.int32)
    k.alias_table.serial(thresholds, aliases, pending, np.array(model.buffers["sampled_softmax.q"]))
    ids, stream = np.empty(samples, np.int32), zlib.crc32(b"sampled_softmax")
    k.draw_classes.serial(ids, thresholds, aliases, key, np.zeros(4, np.int64), stream)
    return ids


def test_a_class_that_is_drawn_several_times_counts_as_often():
    """The formula of the docstring, one draw after the other: here each class is drawn about three times."""
    model, samples, key = sampled(60), 60, np.arange(4, dtype=np.uint64)
    runner = Runner(compile_train(model.network, model.state, len(X), fn.SGD(0.1)))
    runner.start(checked_batch(model.network, X, Y), dropout_key=key)
    ids, s = drawn_first(model, samples, key), model.predict(X, logits=True)
    assert len(set(ids.tolist())) < samples / 2
    own = s[np.arange(len(Y)), Y]
    terms = np.exp(s[:, ids]) / (samples * model.buffers["sampled_softmax.q"][ids])
    want = np.log(np.exp(own) + np.where(ids == Y[:, None], 0, terms).sum(axis=1)) - own
    runner.advance(1, lambda steps: fn.SGD(0.1).scalars(np.arange(steps)))
    assert runner.losses[0] == pytest.approx(want.mean(), rel=1e-12)


def mean_gradient(model, draws):
    """Of the output's rows, over some draws."""
    return np.mean([model.loss_and_gradients(X, Y, draw=i)[1]["sampled_softmax.w"] for i in range(draws)], axis=0)


@jit_only
@pytest.mark.parametrize("choice", CHOICES)
def test_the_gradient_s_mean_tends_to_the_full_gradient(choice):
    """The gradient divides by Ẑ, so its mean is biased, by O(1/S): 16 times the classes, a small part of the bias."""
    errors = []
    for samples in (32, 512):
        model = sampled(samples, **choice)
        want = full_like(model).loss_and_gradients(X, Y)[1]["dense_1.w"].T
        errors.append(np.linalg.norm(mean_gradient(model, 1500) - want) / np.linalg.norm(want))
    assert 0.02 < errors[0] < 0.2
    assert errors[1] < 0.025
    assert errors[1] < errors[0] / 4


LAZY = {
    "sgd": lambda: fn.SGD(0.1),
    "momentum": lambda: fn.SGD(0.1, momentum=0.9),
    "nesterov": lambda: fn.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: fn.RMSProp(0.01),
    "adagrad": lambda: fn.AdaGrad(0.1),
    "adam": lambda: fn.Adam(0.01),
    "adamw": lambda: fn.AdamW(0.01, weight_decay=0.1),
}


def expected(name, w, state, g, step):
    """The parameter and its state after a step of those rows, as the formulas of the optimizers' docstrings say."""
    if name in ("sgd", "momentum", "nesterov"):
        old = state.get("velocity", 0)
        v = 0.9 * old - 0.1 * g if state else -0.1 * g
        return w + (0.9 * v - 0.1 * g if name == "nesterov" else v), [v] if state else []
    if name == "rmsprop":
        c = 0.99 * state["mean_square"] + 0.01 * g**2
        return w - 0.01 * g / (np.sqrt(c) + 1e-8), [c]
    if name == "adagrad":
        c = state["sum_square"] + g**2
        return w - 0.1 * g / (np.sqrt(c) + 1e-8), [c]
    m, v = 0.9 * state["m"] + 0.1 * g, 0.999 * state["v"] + 0.001 * g**2
    change = 0.01 * m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return w - change - (0.01 * 0.1 * w if name == "adamw" else 0), [m, v]


@pytest.mark.parametrize("name", LAZY)
@pytest.mark.parametrize("table", ["embedding.w", "sampled_softmax.w", "sampled_softmax.b"])
def test_rows_that_do_not_occur_keep_weights_and_state(name, table):
    model, optimizer = sampled(4), LAZY[name]()
    chunk = checked_batch(model.network, X, Y)
    runner = Runner(compile_train(model.network, model.state, 3, optimizer))
    runner.start(chunk, dropout_key=np.arange(4, dtype=np.uint64))
    for step in range(1, 7):
        before = model.parameters[table].copy()
        state = {part: array.copy() for part, array in optimizer.state[table].items()}
        runner.advance(1, lambda steps, done=step - 1: optimizer.scalars(done + np.arange(steps)))
        g = runner.gradients[table]
        rows = g != 0 if g.ndim == 1 else (g != 0).any(1)
        assert 0 < rows.sum() < WORDS
        w, parts = expected(name, before[rows], {part: array[rows] for part, array in state.items()}, g[rows], step)
        np.testing.assert_allclose(model.parameters[table][rows], w, rtol=1e-10, atol=1e-14)
        np.testing.assert_array_equal(model.parameters[table][~rows], before[~rows])
        for (part, array), want in zip(optimizer.state[table].items(), parts, strict=True):
            np.testing.assert_allclose(array[rows], want, rtol=1e-10, atol=1e-14)
            np.testing.assert_array_equal(array[~rows], state[part][~rows])


def fitted(dtype="float32", words=WORDS, samples=8, batch=7, optimizer="adam", **keywords):
    model = model_of(fn.SampledSoftmax(words, samples=samples), words, dtype=dtype, **keywords)
    x = np.random.default_rng(1).integers(0, words, (3 * batch + 2, 4))
    model.fit(x[:, :3], x[:, 3], optimizer=LAZY[optimizer](), batch_size=batch, epochs=2, verbose=False)
    return model


@two_threads
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("words", "samples", "batch", "width", "hidden"),
    [(23, 8, 7, 3, 5), (2, 1, 1, 1, 1), pytest.param(5003, 130, 150, 17, 129, marks=jit_only)],
)
def test_the_same_bits_at_any_number_of_threads(dtype, words, samples, batch, width, hidden, monkeypatch):
    def ends():
        model = fitted(dtype, words, samples, batch, width=width, hidden=hidden)
        return bits(model.parameters), model.history["loss"]

    one, two, again = on_each_number_of_threads(monkeypatch, ends)
    assert one == two == again


def test_each_step_each_epoch_and_each_seed_draws_other_classes():
    one, other = fitted(), fitted()
    assert bits(one.parameters) == bits(other.parameters)
    assert bits(fitted(seed=1).parameters) != bits(one.parameters)
    model = sampled()
    losses = [model.loss_and_gradients(X, Y, draw=i)[0] for i in range(3)]
    assert len(set(losses)) == 3


@pytest.mark.parametrize("rows", [20, 5000])
def test_rows_as_a_list_have_the_bits_of_all_rows_where_nothing_differs(rows, monkeypatch):
    """SGD: whether the ids of a batch are sorted, or counted, says nothing."""
    ends = []
    for limit in (1, 10**9):
        monkeypatch.setattr("fastnn.nn.layers.embedding.LISTED_FROM", limit)
        model = fn.Sequential([fn.Embedding(rows, 3), fn.Flatten(), fn.Dense(4)], input_shape=(3,))
        model.fit(X % rows, Y % 4, optimizer=fn.AdaGrad(0.1), batch_size=8, epochs=2, verbose=False)
        ends.append(bits(model.parameters))
    assert ends[0] == ends[1]


class ReadsGradients(fn.Callback):
    reads_gradients = True


class Gradients(fn.Callback):
    """Keeps how many bytes the gradients of a training take."""

    def on_train_begin(self, run):
        self.nbytes = run.memory.gradients


@pytest.mark.parametrize("name", LAZY)
@pytest.mark.parametrize("change", [{}, {"l2": 0.01}, {"tied_to": "embedding"}, {"clip": 0.1}])
def test_gradients_as_long_as_the_list_have_the_bits_of_those_as_long_as_the_table(name, change):
    change, ends = dict(change), []
    clip = change.pop("clip", None)
    for callbacks in ([], [ReadsGradients()]):
        model, optimizer = model_of(fn.SampledSoftmax(WORDS, 8, **change), hidden=3), LAZY[name]()
        optimizer.clip_norm = clip
        model.fit(X, Y, optimizer=optimizer, batch_size=8, epochs=2, callbacks=callbacks, verbose=False)
        ends.append(bits(model.parameters))
    assert ends[0] == ends[1]


def test_gradients_take_no_more_memory_than_the_list():
    words, sizes = 5_000, []
    for callbacks in ([], [ReadsGradients()]):
        model, watch = model_of(fn.SampledSoftmax(words, 8), words), Gradients()
        model.fit(X, Y, optimizer=fn.Adam(), batch_size=8, callbacks=[watch, *callbacks], verbose=False)
        sizes.append(watch.nbytes)
    assert sizes[0] < model.parameters.nbytes / 10
    assert sizes[1] >= model.parameters.nbytes


@pytest.mark.parametrize("layer", [fn.SampledSoftmax, fn.AdaptiveSoftmax])
def test_nothing_of_a_training_waits_for_the_collector_of_circles(layer):
    model = model_of(layer(WORDS))
    model.fit(X, Y, verbose=False)
    gc.collect()
    gc.disable()
    try:
        model.fit(X, Y, verbose=False)
        left = [one for one in gc.get_objects() if type(one) in (Builder, Program)]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.parametrize("choice", CHOICES[1:2])
def test_saved_and_loaded(choice, tmp_path):
    model = model_of(fn.SampledSoftmax(WORDS, 8, **choice))
    model.save(tmp_path / "m.h5")
    again = fn.load(tmp_path / "m.h5")
    for one in (model, again):
        one.fit(X, Y, optimizer=fn.SGD(0.1), batch_size=8, verbose=False)
    assert bits(again.buffers) == bits(model.buffers)
    assert bits(again.parameters) == bits(model.parameters)


@jit_only
def test_it_learns():
    x = np.random.default_rng(0).integers(0, WORDS, (600, 3))
    model = model_of(fn.SampledSoftmax(WORDS, 12), hidden=32, width=16)
    model.fit(x, x[:, 2], optimizer=fn.Adam(0.01), batch_size=20, epochs=15, verbose=False)
    assert model.evaluate(x, x[:, 2])["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: fn.SampledSoftmax(0), ValueError, "units is 0"),
        (lambda: fn.SampledSoftmax(5, 0), ValueError, "samples is 0"),
        (lambda: fn.SampledSoftmax(5, distribution="zipf"), ValueError, "distribution"),
        (lambda: fn.SampledSoftmax(5, distribution="unigram"), ValueError, "no counts with"),
        (lambda: fn.SampledSoftmax(5, counts=[1] * 5), ValueError, "counts with distribution='log_uniform'"),
        (
            lambda: fn.SampledSoftmax(5, distribution="unigram", counts=[1]),
            fn.ShapeError,
            r"\(1,\), expected \(5,\)",
        ),
        (lambda: fn.SampledSoftmax(2, distribution="unigram", counts=[1, -2]), ValueError, "-2"),
        (lambda: fn.SampledSoftmax(2, distribution="unigram", counts=[1, np.nan]), fn.DataError, "nan"),
        (lambda: fn.SampledSoftmax(5, max_norm=1.0), ValueError, "max_norm"),
        (lambda: model_of(fn.SampledSoftmax(5), loss="mse"), ValueError, "has the loss"),
        (
            lambda: model_of(fn.SampledSoftmax(5), loss=fn.SoftmaxCrossEntropy(label_smoothing=0.1)),
            ValueError,
            "smooth",
        ),
        (
            lambda: fn.Sequential([fn.SampledSoftmax(5), fn.Dense(3)], input_shape=(4,)),
            ValueError,
            "sampled_softmax is no output",
        ),
        (lambda: fn.Sequential([fn.SampledSoftmax(5)], input_shape=(3, 4, 2)), fn.ShapeError, "Flatten"),
    ],
)
def test_what_it_cannot_be(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_evaluation_holds_the_scores_of_a_block_of_samples():
    model = model_of(fn.SampledSoftmax(100_000))
    batch, _ = kinds.compiler(model.network, model.state, "evaluate")
    assert 1 <= batch * 100_000 * model.dtype.itemsize <= kinds.EVALUATION_BYTES


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["evaluate", "evaluate weighted", "logits"])
def test_a_pass_without_training_holds_the_scores_once(kind, smoothing):
    """Neither their gradient nor the transposed product that they are made of."""
    layer = fn.Dense(3_000) if smoothing else fn.SampledSoftmax(3_000)  # which has no smoothing
    model = model_of(layer, loss=fn.SoftmaxCrossEntropy(label_smoothing=smoothing))
    batch, compiled = kinds.compiler(model.network, model.state, kind)
    scores = batch * 3_000 * model.dtype.itemsize
    assert scores <= compiled(batch).program.arena.nbytes < 1.5 * scores
