"""A dense layer that reads data leaves out products with 0, and trains to the same parameters."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.layers import dense
from fastnn.training.steps.compile import compile_predict, compile_train
from fastnn_kernels._jit import JIT

BATCH, PIXELS = 16, 40
SAMPLES = 5 * BATCH + 3


def model(*layers, shape=(PIXELS,)):
    return fn.Sequential([*layers, fn.Dense(10)], input_shape=shape, loss="softmax_cross_entropy", seed=3)


def kernels(net, batch=BATCH, training=True):
    """(layer, kernel) of all products."""
    compiled = compile_train if training else (lambda *args: compile_predict(*args, logits=True))
    ops = compiled(net.network, net.state, batch).program.ops
    return [(op.owner, op.kernel.name) for op in ops if "matmul" in op.kernel.name]


def sparse(*args, **keywords):
    return [pair for pair in kernels(*args, **keywords) if pair[1].startswith("sparse")]


def test_the_first_layer_alone_looks_for_zeros():
    net = model(fn.Dense(64, "relu"), fn.Dense(64, "relu"))
    assert sparse(net) == [("dense", "sparse_matmul"), ("dense", "sparse_matmul_xt_prefetch")]
    assert sparse(net, training=False) == [("dense", "sparse_matmul")]
    flat = model(fn.Flatten(), fn.Dense(64, "relu"), shape=(5, 8))
    assert [kernel for _, kernel in sparse(flat)] == ["sparse_matmul", "sparse_matmul_xt_prefetch"]


def test_few_samples_and_few_units_are_multiplied_as_before():
    assert not sparse(model(fn.Dense(63)))
    assert not sparse(model(fn.Dense(64)), batch=15)
    assert not sparse(model(fn.Embedding(9, 2), fn.Flatten(), fn.Dense(64)))


def data():
    rng = np.random.default_rng(0)
    x = rng.random((SAMPLES, PIXELS), np.float32)
    x[rng.random(x.shape) < 0.8] = 0
    x[: SAMPLES // 3] += 1  # among them samples without any 0
    return x, rng.integers(0, 10, SAMPLES)


def trained(x, y, threads):
    net = model(fn.Dense(70, "relu"))
    with fn.threads(threads):
        net.fit(x, y, epochs=2, batch_size=BATCH, optimizer=fn.SGD(0.1, momentum=0.5), verbose=0)
    return {name: array.copy() for name, array in net.parameters.items()}


@pytest.mark.parametrize("threads", [1, 2] if JIT else [1])
def test_a_training_has_the_parameters_of_one_that_leaves_nothing_out(threads, monkeypatch):
    x, y = data()
    got = trained(x, y, threads)
    monkeypatch.setattr(dense, "SPARSE_UNITS", 1_000)
    want = trained(x, y, 1)
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])
