"""Steps of one sample, a block of them at once: the algebra of SGD, rounded otherwise.

In float64 a block agrees with its steps to 1e-12. In float32 to 1e-5: a sum of at most 50 terms near 1 is off by some
1e-7, and 200 steps of a small learning rate make at most 2e-6 of that. (A bias, a rate or an earlier step left out
changes the fourth digit.)
"""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from tests.tiny import Weights, bits, on_each_number_of_threads, two_threads

SAMPLES = 101  # a prime: the last block is shorter
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(SAMPLES, 50)), rng.integers(0, 4, SAMPLES)
NETS = {
    "two layers": [fn.Dense(30, "sigmoid"), fn.Dense(4)],
    "one layer": [fn.Dense(4)],
    "many": [
        *(fn.Dense(37, "tanh", use_bias=False), fn.Dropout(keep=0.7), fn.LayerNorm()),
        *(fn.Dense(19, "gelu", l1=0.01, l2=0.1, max_norm=1.0), fn.Dense(4)),
    ],
}


def trained(block, net="two layers", dtype="float64", optimizer=None, epochs=2, layers=None, **keywords):
    """A model after two epochs of steps of one sample, `block` at once; the learning rate falls from step to step."""
    model = fn.Sequential(layers or NETS[net], input_shape=(50,), seed=1, dtype=dtype)
    optimizer = optimizer or fn.SGD(fn.ExponentialDecay(0.05, 0.99))
    settings = {"batch_size": 1, "verbose": False, "steps_per_block": block, "epochs": epochs} | keywords
    model.fit(X, Y, optimizer=optimizer, **settings)
    return model


def check_equal(got, want, tolerance):
    np.testing.assert_allclose(got.parameters.flat, want.parameters.flat, rtol=tolerance, atol=tolerance)
    assert len(got.history.steps["loss"]) == len(want.history.steps["loss"])  # one for each sample
    np.testing.assert_allclose(got.history.steps["loss"], want.history.steps["loss"], rtol=tolerance, atol=tolerance)
    assert [epoch["accuracy"] for epoch in got.history.epochs] == [epoch["accuracy"] for epoch in want.history.epochs]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("net", NETS)
def test_a_block_agrees_with_its_steps(net, dtype):
    want = trained(1, net, dtype)
    for block in (2, 7, 32, 1000):
        check_equal(trained(block, net, dtype), want, TOLERANCES[dtype])


def test_unshuffled_and_with_sample_weights():
    keywords = {"shuffle": False, "sample_weight": np.linspace(0, 2, SAMPLES)}
    check_equal(trained(8, **keywords), trained(1, **keywords), 1e-12)


def test_agrees_with_sgd_written_in_numpy():
    """z = x·w + b, h = sigmoid(z), s = h·v + c, softmax with cross-entropy: one sample after the other."""
    model = fn.Sequential(NETS["two layers"], input_shape=(50,), seed=1, dtype="float64")
    w, b, v, c = (model.parameters[name].copy() for name in ("dense.w", "dense.b", "dense_1.w", "dense_1.b"))
    losses, lr = [], 0.1
    for x, label in zip(X, Y, strict=True):
        h = 1 / (1 + np.exp(-(x @ w + b)))
        e = np.exp(h @ v + c)
        losses.append(np.log(e.sum()) - (h @ v + c)[label])
        ds = e / e.sum() - np.eye(4)[label]
        dz = (v @ ds) * h * (1 - h)
        for array, gradient in ((v, np.outer(h, ds)), (c, ds), (w, np.outer(x, dz)), (b, dz)):
            array -= lr * gradient
    model.fit(X, Y, optimizer=fn.SGD(lr), batch_size=1, shuffle=False, verbose=False, steps_per_block=9)
    np.testing.assert_allclose(model.history.steps["loss"], losses, rtol=1e-12)
    for name, want in (("dense.w", w), ("dense.b", b), ("dense_1.w", v), ("dense_1.b", c)):
        np.testing.assert_allclose(model.parameters[name], want, rtol=1e-11, atol=1e-12)


@two_threads
def test_the_same_bits_at_any_number_of_threads(monkeypatch):
    monkeypatch.setattr("fastnn.training.passes.runner.ThreadTuner.choose", lambda self, threads, budget: (threads, 1))
    one, two, again = on_each_number_of_threads(monkeypatch, lambda: bits(trained(16, "many", "float32").parameters))
    assert one == two == again


def test_rounding_does_not_depend_on_how_many_steps_fit_into_a_call(monkeypatch):
    found = []
    for blocks in (1, 3, 100):
        monkeypatch.setattr(
            "fastnn.training.passes.runner.ThreadTuner.choose", lambda self, threads, budget, n=blocks: (1, n)
        )
        found.append(bits(trained(6, dtype="float32").parameters))
    assert found[0] == found[1] == found[2]


def test_a_callback_between_steps_sees_the_weights_of_that_step():
    got, want = (Weights("dense.w", every=5) for _ in range(2))
    trained(1, callbacks=[want])
    trained(8, callbacks=[got])
    assert len(got.seen) == len(want.seen) == 2 * (SAMPLES // 5)
    np.testing.assert_allclose(got.seen, want.seen, rtol=1e-12, atol=1e-12)


def test_layer_outputs_are_those_of_the_last_sample_of_a_block():
    model = fn.Sequential(NETS["two layers"], input_shape=(50,), dtype="float64")
    optimizer = fn.SGD(0.0)
    runner = Runner(compile_train(model.network, model.state, 1, optimizer, fused=True, block=8))
    runner.start(checked_batch(model.network, X, Y))
    assert runner.advance(8, lambda steps: np.zeros((steps, 1))) == 8
    outputs = runner.layer_outputs()
    np.testing.assert_array_equal(outputs["input"], X[7:8])
    np.testing.assert_allclose(outputs["dense_1"], model.predict(X[7:8], logits=True), rtol=1e-12)


def test_a_training_that_diverges_goes_back_to_finite_weights():
    model = fn.Sequential([fn.Dense(8), fn.Dense(4)], input_shape=(50,), loss=fn.MSE(), seed=1)
    with pytest.raises(fn.NonFiniteError, match=r"at epoch 1, step \d+ of 101"):
        model.fit(
            X, rng.normal(size=(SAMPLES, 4)), optimizer=fn.SGD(1e3), batch_size=1, steps_per_block=8, verbose=False
        )
    assert np.isfinite(model.parameters.flat).all()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"batch_size": 2}, "a step takes 2 samples: it is for batch_size=1"),
        ({"optimizer": fn.SGD(0.1, momentum=0.9)}, "it is for SGD without momentum"),
        ({"optimizer": fn.Adam()}, "it is for SGD without momentum"),
        ({"optimizer": fn.SGD(0.1, clip_norm=1.0)}, "it is for SGD without momentum, clip_norm and clip_value"),
        ({"layers": [fn.LayerNorm(), fn.Dense(4)]}, "the first layer is layer_norm: it is for a network that begins"),
        ({"layers": [fn.Dense(4, l2=0.1)]}, "dense.w has a penalty l1 or l2"),
        ({"layers": [fn.Dense(4, max_norm=1.0)]}, "dense.w has a max_norm"),
        ({"callbacks": [fn.GradientNorms(2)]}, "a callback reads gradients"),
        ({"steps_per_block": 5000}, "it may be at most 4096"),
        ({"steps_per_block": 0}, "steps_per_block is 0"),
    ],
)
def test_what_a_block_cannot_do_is_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        trained(8, **keywords)


def test_a_block_of_one_step_is_the_default_and_allows_everything():
    assert bits(trained(1, optimizer=fn.Adam()).parameters) == bits(trained(1, optimizer=fn.Adam()).parameters)
