"""The check of gradients itself: it leaves the model alone, and it can fail."""

import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.engine.parameters import ParameterView
from fastnn.nn.layers import activation as activation_module
from tests.nn.test_gradients import LIMIT, X, Y, check
from tests.tiny import WORDS, tiny_model


def test_some_entries_suffice_for_large_arrays():
    errors = fn.check_gradients(tiny_model(), X, Y, entries=3)
    assert max(errors.values()) <= LIMIT


def test_the_model_is_left_alone():
    model = tiny_model()
    before = model.parameters.flat.copy()
    fn.check_gradients(model, X, Y, entries=1)
    assert np.array_equal(model.parameters.flat, before)
    assert model.dtype == np.float32


def forgotten(gradient):
    """Another array that the layer fills in its place."""
    return ParameterView(gradient.name, np.zeros_like(gradient.array))


class ForgetsBias(fn.Dense):
    def forward(self, build, x, p):
        out, backward = super().forward(build, x, p)
        return out, lambda dout, grads, wanted: backward(dout, {**grads, "b": forgotten(grads["b"])}, wanted)


class StaleInput(fn.Dense):
    """Takes its own output's gradient for that of its input."""

    def forward(self, build, x, p):
        out, backward = super().forward(build, x, p)
        return out, lambda dout, grads, wanted: backward(dout, grads, wanted) and build.value("dx", x.shape)


@pytest.mark.parametrize(("layer", "wrong"), [(ForgetsBias, "dense.b"), (StaleInput, "embedding.w")])
def test_a_wrong_layer_is_caught(layer, wrong):
    stack = [fn.Embedding(WORDS, 3), fn.Flatten(), layer(5, "tanh"), fn.Dense(WORDS)]
    errors = fn.check_gradients(fn.Sequential(stack, input_shape=(3,)), X, Y)
    assert errors[wrong] > 1e-3
    assert errors["dense_1.w"] <= LIMIT


def test_a_wrong_slope_is_caught(monkeypatch):
    monkeypatch.setitem(activation_module.KERNELS, "sigmoid", (k.sigmoid_forward, k.tanh_backward))
    assert check(tiny_model()) > 1e-3
