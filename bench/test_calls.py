"""What one call of a model costs from Python on a small net: predictions of a sample, steps of a loop of one's own.

`pytest bench/test_calls.py --benchmark-only`. A kernel takes a few microseconds of each: the rest is Python.
"""

import numpy as np
import pytest

import fastnn as fn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(32, 4)).astype(np.float32), RNG.integers(0, 3, 32)

CALLS = {
    "predict, a sample": lambda model, optimizer: model.predict(X[:1]),
    "predict, 32": lambda model, optimizer: model.predict(X),
    "evaluate, 32": lambda model, optimizer: model.evaluate(X, Y),
    "train_on_batch, 32": lambda model, optimizer: model.train_on_batch(X, Y, optimizer=optimizer),
    "loss_and_gradients, 32": lambda model, optimizer: model.loss_and_gradients(X, Y),
    "fit, an epoch of 32": lambda model, optimizer: model.fit(X, Y, optimizer=optimizer, verbose=False),
}


@pytest.fixture
def model():
    return fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4, metrics=["accuracy"])


@pytest.mark.benchmark(group="calls")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_call(benchmark, model, call):
    optimizer = fn.SGD(0.01)
    call(model, optimizer)  # compiles
    benchmark(call, model, optimizer)


@pytest.mark.benchmark(group="calls")
def test_step_of_an_optimizer(benchmark, model):
    optimizer = fn.SGD(0.01)
    _, gradients = model.loss_and_gradients(X, Y)
    optimizer.step(model.parameters, gradients)
    benchmark(optimizer.step, model.parameters, gradients)
