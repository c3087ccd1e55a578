"""Nets of narrow layers: one kernel forward and one backward do what the layers do one by one."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.nn import narrow
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from tests.tiny import THREADS

NETS = {
    "moons": ((2,), [fn.Dense(3, "tanh"), fn.Dense(2)], fn.SoftmaxCrossEntropy("sum")),
    "gelu": ((5,), [fn.Dense(7, "gelu"), fn.Dense(11, "sigmoid"), fn.Dense(9)], fn.SoftmaxCrossEntropy()),
    "no bias": ((3,), [fn.Dense(32, "relu", use_bias=False), fn.Dense(4, "tanh")], fn.MSE()),
    "flat": ((2, 3), [fn.Flatten(), fn.Dense(4, "silu"), fn.Dense(2)], fn.SoftmaxCrossEntropy(label_smoothing=0.1)),
}
NETS |= {f"{f} units": ((3,), [fn.Dense(5, f), fn.Dense(2)], fn.SoftmaxCrossEntropy()) for f in fn.kernels.ACTIVATIONS}


def made(net, samples, dtype="float32"):
    shape, layers, loss = NETS[net]
    metrics = [] if loss.takes_labels else ["mae"]  # of rows; the loss has targets side by side
    model = fn.Sequential(layers, input_shape=shape, loss=loss, metrics=metrics, dtype=dtype, l2=0.01, seed=3)
    rng = np.random.default_rng(samples)
    outputs = model.network.output_width
    x, numbers = rng.normal(size=(samples, *shape)), rng.normal(size=(samples, outputs))
    y = rng.integers(0, outputs, samples) if loss.takes_labels else numbers
    return model, checked_batch(model.network, x, y)


def stepped(model, batch, layered, **settings):
    runner = Runner(compile_train(model.network, model.state, len(batch), layered=layered, **settings))
    runner.start(batch)
    runner.advance()
    outputs = {name: array.copy() for name, array in runner.layer_outputs().items()}
    return runner.losses.copy(), runner.metrics(), outputs, runner.gradients.copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("samples", [1, 16, 129, 300])
@pytest.mark.parametrize("net", NETS)
def test_loss_and_outputs_have_the_bits_of_the_layers_and_gradients_are_near(net, samples, dtype):
    model, batch = made(net, samples, dtype)
    got, want = (stepped(model, batch, layered, full_batch=True) for layered in (False, True))
    np.testing.assert_array_equal(got[0], want[0])
    assert got[1] == want[1]
    assert got[2].keys() == want[2].keys()
    for name in want[2]:
        np.testing.assert_array_equal(got[2][name], want[2][name], err_msg=name)
    for name in want[3]:  # another order of the sum over the samples
        largest = np.abs(want[3][name]).max()
        np.testing.assert_allclose(got[3][name], want[3][name], atol=16 * np.finfo(dtype).eps * largest, rtol=0)


def test_which_nets_are_narrow():
    def network(*layers, inputs=4):
        return fn.Sequential(layers, input_shape=(inputs,)).network

    assert narrow.is_narrow(network(fn.Dense(32, "gelu"), fn.Dense(2)))
    assert not narrow.is_narrow(network(fn.Dense(33), fn.Dense(2)))
    assert not narrow.is_narrow(network(fn.Dense(3), fn.Dense(2), inputs=33))
    assert not narrow.is_narrow(network(fn.Dense(3), fn.Dropout(rate=0.5), fn.Dense(2)))
    assert not narrow.is_narrow(network(fn.Dense(3), fn.LayerNorm(), fn.Dense(2)))


def trained(threads, batch, **fit):
    model, data = made("moons", 700)
    with fn.threads(threads):
        model.fit(data.x[0], data.y[0], optimizer=fn.Adam(0.01), batch_size=batch, epochs=3, verbose=False, **fit)
    return model.parameters.flat.copy()


@pytest.mark.parametrize("batch", [None, 300, 1])
def test_the_same_bits_on_any_number_of_threads_and_with_gradients_kept(batch):
    want = trained(1, batch)
    for threads in range(1, min(THREADS, 2) + 1):
        np.testing.assert_array_equal(trained(threads, batch), want)
    np.testing.assert_array_equal(trained(1, batch, callbacks=[fn.GradientNorms(2)]), want)


def test_the_first_nan_is_found_in_the_layer_where_it_appears():
    model, batch = made("moons", 40)
    model.parameters["dense_1.w"][...] = 3e38
    with pytest.raises(fn.NonFiniteError, match="in dense_1: scores, written by matmul"):
        model.fit(batch.x[0], batch.y[0], optimizer=fn.SGD(0.1), batch_size=20, epochs=1, verbose=False)


def test_a_padded_column_repeats_a_sample_so_that_no_other_number_can_overflow():
    model, batch = made("moons", 17)
    model.parameters["dense.b"][...] = 0
    got = stepped(model, batch, False)
    assert all(np.isfinite(g).all() for g in got[3].values())
