"""A convolution of whose upstream gradient lists are made trains as it does without lists, to the bit."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.engine.threads import threads
from fastnn.nn.layers import convolution_operations
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from tests.tiny import THREADS

BATCH, SAMPLES, SIZE = 3, 5, (4, 4, 1)  # the last batch of an epoch has two samples
LISTING = {"list_channels", "list_pixels", "filter_lines", "conv2d_sparse_backward_x", "conv2d_sparse_backward_w"}
BEHIND = {
    "pool": [fn.MaxPool2D(2)],  # a quarter of the gradient is not 0, at most
    "norm": [fn.BatchNorm()],  # all of it, but for the ReLU
    "pool of padded windows": [fn.MaxPool2D(3, padding="same")],
}


def network(dtype, *behind, seed=5, **options):
    """A convolution of 3 × 3 taps and 32 channels between others."""
    listed = fn.Conv2D(32, 3, "relu", name="listed", **options)
    return fn.Sequential(
        [fn.Conv2D(32, 1, "tanh"), listed, *behind, fn.Flatten(), fn.Dense(3)],
        input_shape=SIZE,
        loss="softmax_cross_entropy",
        dtype=dtype,
        seed=seed,
    )


def kernels_of(model):
    return {op.kernel.name for op in compile_train(model.network, model.state, BATCH, fn.Adam()).program.ops}


def data(samples):
    rng = np.random.default_rng(0)
    return rng.standard_normal((samples, *SIZE)), rng.integers(0, 3, samples)


def trained(model):
    """All parameters after an epoch."""
    model.fit(*data(SAMPLES), epochs=1, batch_size=BATCH, optimizer=fn.Adam(1e-2), verbose=0)
    return {name: np.array(array) for name, array in model.parameters.items()}


@pytest.fixture
def no_lists(monkeypatch):
    return lambda: monkeypatch.setattr(convolution_operations, "LISTED_LINES", 10**9)


@pytest.mark.parametrize(("behind", "dtype"), [*((name, "float32") for name in BEHIND), ("pool", "float64")])
def test_training_has_the_bits_of_a_training_without_lists(behind, dtype, no_lists):
    got = trained(network(dtype, *BEHIND[behind]))
    no_lists()
    want = trained(network(dtype, *BEHIND[behind]))
    for name in want:
        np.testing.assert_array_equal(got[name], want[name], err_msg=name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gradients_by_a_weight_that_is_not_finite_are_those_without_lists(value, no_lists):
    def gradients():
        model = network("float32", *BEHIND["pool"])
        model.parameters["listed.w"][1, 1, 5, 7] = value
        runner = Runner(compile_train(model.network, model.state, BATCH, full_batch=True))
        runner.start(checked_batch(model.network, *data(BATCH)))
        with np.errstate(all="ignore"):  # without compiled code NumPy warns
            runner.advance()
        return {name: array.copy() for name, array in runner.gradients.items()}

    got = gradients()
    assert np.isnan(got["listed.w"]).any()
    no_lists()
    for name, want in gradients().items():
        np.testing.assert_array_equal(got[name], want, err_msg=name)


@pytest.mark.skipif(THREADS < 2, reason="compares one thread with two, and this process may use one")
def test_any_number_of_threads_gives_the_same_bits():
    with threads(1):
        want = trained(network("float32", *BEHIND["pool"]))
    with threads(2):
        got = trained(network("float32", *BEHIND["pool"]))
    for name in want:
        np.testing.assert_array_equal(got[name], want[name], err_msg=name)


def test_lists_are_made_where_they_may_save_time(no_lists):
    assert kernels_of(network("float32")) >= LISTING
    assert kernels_of(network("float32", stride=2)) & LISTING == {"list_pixels", "conv2d_sparse_backward_w"}
    assert not kernels_of(fn.Sequential([fn.Conv2D(8, 3), fn.Flatten(), fn.Dense(2)], input_shape=SIZE)) & LISTING
    no_lists()
    assert not kernels_of(network("float32")) & LISTING
