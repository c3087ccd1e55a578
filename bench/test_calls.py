"""What one call of a model costs from Python on a small net: predictions of a sample, steps of a loop of one's own.

`pytest bench/test_calls.py --benchmark-only`; with `-m peers -s` beside eager PyTorch, on as many threads, in turns. A
kernel takes a few microseconds of each: the rest is Python.
"""

import numpy as np
import pytest

import fastnn as fn
from bench.interleave import compare
from fastnn.engine.threads import usable_threads

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(32, 4)).astype(np.float32), RNG.integers(0, 3, 32)

CALLS = {
    "predict, a sample": lambda model, optimizer: model.predict(X[:1]),
    "predict, a list": lambda model, optimizer: model.predict([[0.1, 0.2, 0.3, 0.4]]),
    "predict, a tuple": lambda model, optimizer: model.predict(((0.1, 0.2, 0.3, 0.4),)),  # all of it is checked
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


def of_torch(model, torch):
    """The calls that a PyTorch program would make in place of ours, with the same weights and plain SGD.

    A module that `fn.interop` makes takes longer than PyTorch's own.
    """
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    with torch.no_grad():
        for theirs, name in ((module[0], "dense"), (module[2], "dense_1")):
            theirs.weight.copy_(torch.from_numpy(model.parameters[f"{name}.w"].T.copy()))
            theirs.bias.copy_(torch.from_numpy(model.parameters[f"{name}.b"].copy()))
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01, foreach=False)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def predict():
        with torch.inference_mode():
            return torch.softmax(module(x[:1]), 1).numpy()

    return {"predict, a sample": predict, "train_on_batch, 32": train}


def repeated(call, *arguments):
    """A function that makes a call as often as it is told."""

    def run(times):
        for _ in range(times):
            call(*arguments)

    return run


@pytest.mark.peers
@pytest.mark.benchmark(group="calls")
@pytest.mark.parametrize("name", ["predict, a sample", "train_on_batch, 32"])
def test_beside_pytorch(benchmark, model, name):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(usable_threads())
    theirs, optimizer = of_torch(model, torch)[name], fn.SGD(0.01)
    first, other = CALLS[name](model, optimizer), theirs()
    np.testing.assert_allclose(first["loss"] if isinstance(first, dict) else first, other, rtol=1e-5)
    result = compare(repeated(CALLS[name], model, optimizer), repeated(theirs), 9)
    benchmark.extra_info |= {"PyTorch / fastnn": round(result.ratio, 2)}
    low, high = result.spread
    times = f"{result.ours * 1e6:.0f} µs, PyTorch {result.theirs * 1e6:.0f} µs"
    print(f"\n{name}: {times}, PyTorch / fastnn {result.ratio:.2f} ({low:.2f} to {high:.2f})")
    benchmark.pedantic(CALLS[name], args=(model, optimizer), rounds=100)
