"""Steps of one sample that multiply the first weight with the next sample have the bits of steps by themselves."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.schedules import Schedule
from fastnn.training.fit.rollback import LastGoodState
from fastnn.training.steps import blocks
from fastnn.training.steps.compile import compile_train
from tests.tiny import Weights, bits, on_each_number_of_threads, two_threads

SAMPLES = 101  # the last run is shorter
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(SAMPLES, 51)), rng.integers(0, 4, SAMPLES)
NETS = {
    "three layers": [fn.Dense(70, "sigmoid"), fn.Dense(37, "tanh", use_bias=False), fn.Dense(4)],
    "penalties behind": [fn.Dense(67, "relu", use_bias=False), fn.Dense(4, l1=0.01, l2=0.1, max_norm=1.0)],
    "one layer": [fn.Dense(40)],
}


@pytest.fixture(autouse=True)
def small_weights_too(monkeypatch):
    monkeypatch.setattr(blocks, "SMALLEST_AHEAD", 0)


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
    monkeypatch.setattr("fastnn.training.passes.runner.ThreadTuner.choose", lambda self, threads, budget: (threads, 3))
    one, two, again = on_each_number_of_threads(monkeypatch, lambda: trained("three layers")[0])
    assert one == two == again


def test_a_callback_between_steps_sees_the_weights_of_that_step(monkeypatch):
    got, want = (Weights("dense.w", every=5) for _ in range(2))
    trained("three layers", callbacks=[got])
    monkeypatch.setattr(blocks, "AHEAD", 1)
    trained("three layers", callbacks=[want])
    assert len(got.seen) == 2 * (SAMPLES // 5)
    np.testing.assert_array_equal(got.seen, want.seen)


class Sudden(Schedule):
    """A rate that makes the numbers overflow in one step."""

    name = "sudden"
    at = 0

    def __call__(self, iterations, epoch):
        return np.where(iterations == self.at, 1e30, 0.05)


def diverged(at, **keywords):
    model = fn.Sequential([fn.Dense(70, "relu"), fn.Dense(4)], input_shape=(51,), seed=1)
    schedule = type("At", (Sudden,), {"at": at})(0.05)
    settings = {"batch_size": 1, "epochs": 2, "verbose": False}
    with pytest.raises(fn.NonFiniteError) as raised:
        model.fit(X, Y, optimizer=fn.SGD(schedule), **settings | keywords)
    # What was noticed first, a loss or a parameter, is a matter of time.
    return str(raised.value).partition(": ")[2], bits(model.parameters), list(model.history.steps["loss"])


# In the middle of a run, at its ends, in the shorter run at the end of an epoch, in the second epoch.
@pytest.mark.parametrize("at", [0, 7, 14, 15, 16, 96, 99, SAMPLES - 1, SAMPLES + 20])
@pytest.mark.parametrize("validated", [False, True])  # whether epochs are trained one by one
def test_a_step_that_diverges_is_named_as_by_itself(monkeypatch, at, validated):
    held = {"validation_data": (X, Y)} if validated else {}
    got = diverged(at, **held)
    monkeypatch.setattr(blocks, "AHEAD", 1)
    assert got == diverged(at, **held)


def test_the_step_that_diverges_is_found_by_halves(monkeypatch):
    runs, run = [], LastGoodState._runs_well
    monkeypatch.setattr(
        LastGoodState, "_runs_well", lambda self, scalars: runs.append(len(scalars)) or run(self, scalars)
    )
    monkeypatch.setattr("fastnn.training.fit.rollback.COPYING_FRACTION", 1e-9)  # one copy, at the beginning
    assert "step 92 of 101" in diverged(90)[0]
    assert 1 < len(runs) < 20


def test_only_dense_layers_trained_by_plain_sgd():
    wide = [fn.Dense(70, "sigmoid"), fn.Dense(4)]
    assert is_ahead(wide)
    for optimizer in (fn.SGD(0.1, momentum=0.5), fn.SGD(0.1, clip_norm=1.0), fn.Adam(0.1)):
        assert not is_ahead(wide, optimizer)
    assert not is_ahead([fn.Dense(70, l2=0.1), fn.Dense(4)])
    assert not is_ahead([fn.Dense(70, freeze=True), fn.Dense(4)])
    assert not is_ahead([fn.Dense(70), fn.Dropout(keep=0.5), fn.Dense(4)])
    assert not is_ahead([fn.Flatten(), fn.Dense(70), fn.Dense(4)], shape=(3, 17))


def test_not_where_the_first_weight_is_small(monkeypatch):
    monkeypatch.setattr(blocks, "SMALLEST_AHEAD", 51 * 70)
    assert is_ahead([fn.Dense(70), fn.Dense(4)])
    assert not is_ahead([fn.Dense(69), fn.Dense(4)])
