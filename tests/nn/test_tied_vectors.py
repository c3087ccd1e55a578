"""A sampled softmax whose weight is the table of an embedding."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from tests.nn.test_sampled_softmax import LAZY, expected
from tests.tiny import bits, jit_only, on_each_number_of_threads, two_threads

WORDS = 29
NORMAL = fn.initializers.Normal(0.5)
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, WORDS, (41, 3)), RNG.integers(0, WORDS, 41)


def tied(sparse=True, words=WORDS, samples=4, width=5, table=None, **keywords):
    output = fn.SampledSoftmax(words, samples=samples, tied_to="table", bias_initializer=NORMAL)
    layers = [
        fn.Embedding(words, width, NORMAL, sparse=sparse, name="table", **(table or {})),
        *(fn.Flatten(), fn.Dense(width, "tanh", NORMAL), output),
    ]
    return fn.Sequential(layers, input_shape=(3,), **{"dtype": "float64"} | keywords)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("count", [1, 5, pytest.param(41, marks=jit_only)])
def test_gradients_against_central_differences(sparse, count):
    assert max(fn.check_gradients(tied(sparse), X[:count], Y[:count]).values()) <= 1e-7


@jit_only
@pytest.mark.parametrize("penalty", [{"l1": 0.01}, {"l2": 0.1}])
def test_gradients_with_a_penalty_on_the_table(penalty):
    assert max(fn.check_gradients(tied(table=penalty), X[:5], Y[:5]).values()) <= 1e-7


def test_there_is_one_table():
    model = tied()
    assert set(model.parameters) == {"table.w", "dense.w", "dense.b", "sampled_softmax.b"}
    h = np.tanh(model.parameters["table.w"][X].reshape(41, -1) @ model.parameters["dense.w"])
    want = h @ model.parameters["table.w"].T + model.parameters["sampled_softmax.b"]
    np.testing.assert_allclose(model.predict(X, logits=True), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", LAZY)
def test_rows_that_no_use_touches_keep_weights_and_state(name):
    model, optimizer, table = tied(), LAZY[name](), "table.w"
    chunk = checked_batch(model.network, X, Y)
    runner = Runner(compile_train(model.network, model.state, 3, optimizer))
    runner.start(chunk, dropout_key=np.arange(4, dtype=np.uint64))
    for step in range(1, 7):
        before, used = model.parameters[table].copy(), X[3 * step - 3 : 3 * step]
        state = {part: array.copy() for part, array in optimizer.state[table].items()}
        runner.advance(1, lambda steps, done=step - 1: optimizer.scalars(done + np.arange(steps)))
        g = runner.gradients[table]
        rows = (g != 0).any(1)
        assert rows[used].all()
        assert rows[Y[3 * step - 3 : 3 * step]].all()
        assert rows.sum() <= 9 + 3 + 4
        w, parts = expected(name, before[rows], {part: array[rows] for part, array in state.items()}, g[rows], step)
        np.testing.assert_allclose(model.parameters[table][rows], w, rtol=1e-10, atol=1e-14)
        np.testing.assert_array_equal(model.parameters[table][~rows], before[~rows])
        for (part, array), want in zip(optimizer.state[table].items(), parts, strict=True):
            np.testing.assert_allclose(array[rows], want, rtol=1e-10, atol=1e-14)
            np.testing.assert_array_equal(array[~rows], state[part][~rows])


def fitted(sparse=True, optimizer="adam", dtype="float32", words=WORDS, batch=7, **keywords):
    model = tied(sparse, words, dtype=dtype, **keywords)
    x = np.random.default_rng(1).integers(0, words, (3 * batch + 2, 4))
    model.fit(x[:, :3], x[:, 3], optimizer=LAZY[optimizer](), batch_size=batch, epochs=2, verbose=False)
    return model


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_where_nothing_is_lazy_rows_alone_do_what_all_rows_do(optimizer):
    one, other = (fitted(sparse, optimizer, "float64") for sparse in (True, False))
    for name, array in one.parameters.items():
        np.testing.assert_allclose(array, other.parameters[name], rtol=1e-9, atol=1e-12)


@two_threads
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("words", "samples", "batch", "width"),
    [(29, 4, 7, 5), (2, 1, 1, 1), pytest.param(5003, 130, 150, 33, marks=jit_only)],
)
def test_the_same_bits_at_any_number_of_threads(dtype, words, samples, batch, width, monkeypatch):
    def ends():
        model = fitted(dtype=dtype, words=words, samples=samples, batch=batch, width=width)
        return bits(model.parameters), model.history["loss"]

    one, two, again = on_each_number_of_threads(monkeypatch, ends)
    assert one == two == again


def test_saved_and_loaded(tmp_path):
    model = tied()
    model.save(tmp_path / "m.h5")
    again = fn.load(tmp_path / "m.h5")
    for one in (model, again):
        one.fit(X, Y, optimizer=fn.Adam(0.01), batch_size=8, verbose=False)
    assert bits(again.parameters) == bits(model.parameters)


@pytest.mark.parametrize("freeze", ["table", "sampled_softmax"])
def test_frozen_layers(freeze):
    model = tied()
    model.freeze(freeze)
    before = {name: array.copy() for name, array in model.parameters.items()}
    model.fit(X, Y, optimizer=fn.Adam(0.01), batch_size=8, verbose=False)
    for name, array in model.parameters.items():
        assert np.array_equal(array, before[name]) == name.startswith(freeze), name


def test_a_table_that_a_later_layer_looks_up_is_updated_in_all_rows():
    """The softmax is then emitted before the ids of the other use are known."""
    table = fn.Embedding(WORDS, 5, NORMAL, sparse=True, name="table")
    a, b = fn.Input((5,), name="a"), fn.Input((3,), name="b")
    word = fn.SampledSoftmax(WORDS, 4, tied_to="table")(fn.Dense(5, "tanh")(a))
    number = fn.Dense(1)(fn.Flatten()(table(b)))
    losses = {"word": "softmax_cross_entropy", "number": "mse"}
    model = fn.Model([a, b], {"word": word, "number": number}, loss=losses, dtype="float64")
    assert not model.network.joined
    data = {"a": RNG.normal(size=(7, 5)), "b": X[:7]}
    assert max(fn.check_gradients(model, data, {"word": Y[:7], "number": np.ones(7)}).values()) <= 1e-7


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (
            lambda: fn.SampledSoftmax(5, tied_to=fn.Embedding(5, 3)),
            TypeError,
            "tied_to is Embedding, expected the name",
        ),
        (lambda: fn.SampledSoftmax(5, tied_to="table", l2=0.1), ValueError, "beside tied_to='table'"),
        (
            lambda: fn.Sequential(
                [fn.Embedding(9, 4, name="table"), fn.Flatten(), fn.SampledSoftmax(9, tied_to="table")], input_shape=3
            ),
            fn.ShapeError,
            r"tied to table.w, which has shape \(9, 4\), expected \(9, 12\)",
        ),
        (
            lambda: fn.Sequential(
                [fn.Embedding(9, 4), fn.Flatten(), fn.SampledSoftmax(9, tied_to="embed")], input_shape=1
            ),
            ValueError,
            "tied to 'embed', did you mean",
        ),
    ],
)
def test_what_it_cannot_be(make, error, says):
    with pytest.raises(error, match=says):
        make()
