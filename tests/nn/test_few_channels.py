"""Which convolutions compute their input's gradient by col2im: those of few channels, whatever else the network is."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.steps.compile import compile_train

COL2IM = "conv2d_col2im_backward_x"


def network(channels, *convolution, dtype="float32", size=(9, 10, 1), kind=fn.Conv2D, **options):
    """A convolution behind one of 1 × 1 taps that makes its channels."""
    layers = [kind(channels, 1, "tanh"), kind(*convolution, **options), fn.Flatten(), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=size, loss="softmax_cross_entropy", dtype=dtype, seed=2)


def uses_col2im(model):
    program = compile_train(model.network, model.state, 4, fn.SGD(0.1)).program
    return COL2IM in {op.kernel.name for op in program.ops}


@pytest.mark.parametrize(
    ("channels", "window", "stride", "dtype", "expected"),
    [
        (6, 5, 1, "float32", True),
        (1, 3, 1, "float32", True),
        (31, 3, 1, "float32", True),
        (32, 3, 1, "float32", False),
        (33, 3, 1, "float32", False),
        (16, 3, 1, "float32", False),  # a whole line
        (16, 3, 2, "float32", True),
        (16, 3, (1, 2), "float32", True),
        (8, 3, 1, "float64", False),
        (6, 3, 1, "float64", True),
        (15, 3, 2, "float64", True),
        (16, 3, 2, "float64", False),
        (6, (3, 2), 1, "float32", False),
        (6, (1, 3), 1, "float32", True),
    ],
)
def test_the_shape_decides(channels, window, stride, dtype, expected):
    assert uses_col2im(network(channels, 5, window, stride=stride, dtype=dtype)) == expected


@pytest.mark.parametrize(("window", "expected"), [(16, True), (17, False)])
def test_a_window_that_the_panel_cannot_hold_several_times_is_computed_as_before(window, expected):
    assert uses_col2im(network(7, 5, window, size=(40, 1), kind=fn.Conv1D)) == expected


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, (1, 3), (4, 1)])
def test_gradients_are_central_differences(stride, padding):
    model = network(2, 2, 3, stride=stride, padding=padding, size=(4, 5, 1))
    assert uses_col2im(model)
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 1))
    assert max(fn.check_gradients(model, x, np.array([0, 2])).values()) < 1e-7


def test_lists_are_made_where_channels_fill_lines():
    """The two ways do not compete: a listed number is a factor of whole cache lines."""
    model = network(32, 32, 3)
    names = {op.kernel.name for op in compile_train(model.network, model.state, 4, fn.SGD(0.1)).program.ops}
    assert "conv2d_sparse_backward_x" in names
    assert COL2IM not in names
