"""A training step of the trigram net (D 32, P 256, B 200, float32) beside PyTorch eager, same threads, one run."""

import sys

import numba
import numpy as np
import pytest

import fastnn as fn
from bench.interleave import compare
from fastnn.compiler import compile_train
from fastnn.data import generate_trigrams
from fastnn.initializers import Normal

LR, MOMENTUM, BATCH = 0.15, 0.85, 200
CHECKED_STEPS = 200
pytestmark = pytest.mark.usefixtures("whole_machine")


@pytest.fixture(scope="module")
def corpus():
    return generate_trigrams().train


def model_and_plan(corpus):
    start = Normal(0.01)
    layers = [fn.Embedding(250, 32, start), fn.Flatten(), fn.Dense(256, "sigmoid", start, start)]
    model = fn.Sequential([*layers, fn.Dense(250, "identity", start, start)], input_shape=(3,), seed=0)
    optimizer = fn.SGD(LR, momentum=MOMENTUM)
    plan = compile_train(model.network, model.state, BATCH, optimizer)
    plan.start(corpus.x, corpus.y)
    return model, plan, optimizer


def runner(plan, optimizer, corpus):
    """Runs a number of steps, from the start of the data again when it ends."""

    def run(steps):
        while steps:
            done = plan.advance(steps, lambda n: optimizer.rates(np.arange(n)))
            if done == 0 or plan.done + BATCH > len(corpus.x):
                plan.start(corpus.x, corpus.y)
            steps -= done

    return run


@pytest.mark.benchmark(group="trigram step")
def test_fastnn_step(benchmark, corpus):
    _, plan, optimizer = model_and_plan(corpus)
    benchmark.pedantic(runner(plan, optimizer, corpus), args=(50,), rounds=20, warmup_rounds=2)
    benchmark.extra_info |= {"steps a round": 50, "threads": numba.get_num_threads()}


@pytest.mark.benchmark(group="trigram step")
def test_beside_pytorch_eager(benchmark, corpus):
    torch = pytest.importorskip("torch")
    from bench.torch_peer import Trainer, Trigram

    torch.set_num_threads(numba.get_num_threads())
    model, plan, optimizer = model_and_plan(corpus)
    peer = Trainer(Trigram(250, 32, 256), dict(model.parameters), corpus.x, corpus.y, BATCH, LR, MOMENTUM)
    run = runner(plan, optimizer, corpus)
    run(CHECKED_STEPS)
    want = peer.run(CHECKED_STEPS)
    np.testing.assert_allclose(plan.losses[:CHECKED_STEPS], want, rtol=1e-3)  # the same work, before it is timed
    result = benchmark.pedantic(compare, args=(run, peer.run, 50), rounds=1)
    figures = {"fastnn ms": 1e3 * result.ours, "PyTorch ms": 1e3 * result.theirs, "PyTorch / fastnn": result.ratio}
    benchmark.extra_info |= figures | {"threads": numba.get_num_threads(), "torch": torch.__version__}
    sys.stderr.write("\n" + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()) + "\n")
