"""Steps of one sample that multiply the first weight with the next sample have the bits of steps by themselves."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.training import blocks
from fastnn.training.compile import compile_train
from tests.tiny import bits, two_threads

SAMPLES = 101  # the last run is shorter
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(SAMPLES, 51)), rng.integers(0, 4, SAMPLES)
NETS = {
    "three layers": [fn.Dense(70, "sigmoid"), fn.Dense(37, "tanh", use_bias=False), fn.Dense(4)],
    "penalties behind": [fn.Dense(67, "relu", use_bias=False), fn.Dense(4, l1=0.01, l2=0.1, max_norm=1.0)],
    "one layer": [fn.Dense(40)],
}


def trained(net, dtype="float32", **keywords):
    model = fn.Sequential(NETS[net], input_shape=(51,), seed=1, dtype=dtype)
    settings = {"batch_size": 1, "verbose": False, "epochs": 2} | keywords
    model.fit(X, Y, optimizer=fn.SGD(fn.ExponentialDecay(0.05, 0.99)), **settings)
    return bits(model.parameters), model.history.steps["loss"]


def is_ahead(layers, optimizer=None, shape=(51,)):
    model = fn.Sequential(layers, input_shape=shape)
    step = compile_train(model.network, model.state, 1, optimizer or fn.SGD(0.1), fused=True)
    assert step.divisible == (step.block > 1)
    return step.block == blocks.AHEAD


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("shuffle", [True, False])
def test_the_bits_of_steps_by_themselves(monkeypatch, net, dtype, shuffle):
    assert is_ahead(NETS[net])
    got = trained(net, dtype, shuffle=shuffle)
    monkeypatch.setattr(blocks, "AHEAD", 1)
    want = trained(net, dtype, shuffle=shuffle)
    assert got[0] == want[0]
    np.testing.assert_array_equal(got[1], want[1])


@two_threads
def test_the_same_bits_at_any_number_of_threads(monkeypatch):
    monkeypatch.setattr("fastnn.engine.program.PARALLEL_FROM", 0.0)  # use threads even where it does not pay
    monkeypatch.setattr("fastnn.training.runner.ThreadTuner.choose", lambda self, threads, budget: (threads, 3))
    found = []
    for count in (1, 2):
        with fn.threads(count):
            found.append(trained("three layers")[0])
    assert found[0] == found[1]


def test_a_callback_between_steps_sees_the_weights_of_that_step(monkeypatch):
    class Watch(fn.Callback):
        every = 5

        def __init__(self):
            self.seen = []

        def on_batch_end(self, run):
            self.seen.append(run.model.parameters["dense.w"].copy())

    got, want = Watch(), Watch()
    trained("three layers", callbacks=[got])
    monkeypatch.setattr(blocks, "AHEAD", 1)
    trained("three layers", callbacks=[want])
    assert len(got.seen) == 2 * (SAMPLES // 5)
    np.testing.assert_array_equal(got.seen, want.seen)


def test_only_dense_layers_trained_by_plain_sgd():
    wide = [fn.Dense(70, "sigmoid"), fn.Dense(4)]
    assert is_ahead(wide)
    for optimizer in (fn.SGD(0.1, momentum=0.5), fn.SGD(0.1, clip_norm=1.0), fn.Adam(0.1)):
        assert not is_ahead(wide, optimizer)
    assert not is_ahead([fn.Dense(70, l2=0.1), fn.Dense(4)])
    assert not is_ahead([fn.Dense(70, freeze=True), fn.Dense(4)])
    assert not is_ahead([fn.Dense(70), fn.Dropout(keep=0.5), fn.Dense(4)])
    assert not is_ahead([fn.Flatten(), fn.Dense(70), fn.Dense(4)], shape=(3, 17))
