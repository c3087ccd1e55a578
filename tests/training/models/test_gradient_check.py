"""The check of gradients itself: it leaves the model alone, and it can fail."""

import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.engine.parameters import ParameterView
from fastnn.nn.layers import activation as activation_module
from tests.nn.test_gradients import LIMIT, X, Y, check
from tests.tiny import WORDS, jit_only, tiny_model


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


RNG = np.random.default_rng(0)
PICTURES = RNG.random((6, 8, 8, 2))
PICTURES[:, :4] = 0  # black halves: pre-activations of exactly 0, and pools whose entries are equal


def stack(dense=fn.Dense, conv=fn.Conv2D, pool=fn.MaxPool2D, norm=fn.LayerNorm):
    """Every kind of kink; a bias before it, 0 at the start, lies on it where the picture is black."""
    front = [conv(4, 3, "relu"), pool(2), conv(3, 3, "leaky_relu"), fn.Flatten()]
    return fn.Sequential([*front, dense(6, "relu"), norm(), fn.Dense(3)], input_shape=(8, 8, 2))


def picture_errors(model):
    return fn.check_gradients(model, PICTURES, np.arange(6) % 3, entries=40)


@jit_only
def test_kinks_are_no_false_alarm():
    assert max(picture_errors(stack()).values()) <= LIMIT


@jit_only
@pytest.mark.parametrize("l2", [0.0, 3.14])
def test_relu_nets_of_many_seeds_are_no_false_alarm(l2):
    """The net of the course's sheet: with a step of 1e-3 alone, errors up to .24."""
    x, y = RNG.normal(size=(2, 15)), np.array([3, 9])
    normal = fn.initializers.Normal(0.05)
    layers = [fn.Dense(20, "relu", normal), fn.Dense(30, "relu", normal), fn.Dense(10, initializer=normal)]
    for seed in range(4):
        model = fn.Sequential(layers, input_shape=(15,), seed=seed, l2=l2)
        assert max(fn.check_gradients(model, x, y, entries=40).values()) <= LIMIT


def stale(kind):
    """A layer that gives its predecessor zeros in place of the gradient of its input."""

    class Stale(kind):
        def forward(self, build, x, p):
            out, backward = super().forward(build, x, p)

            def broken(dout, grads, wanted):
                right = backward(dout, grads, wanted)
                return right and build.value("zeros", x.shape)

            return out, broken

    return Stale


@jit_only
@pytest.mark.parametrize(
    "layer", [{"dense": fn.Dense}, {"pool": fn.MaxPool2D}, {"norm": fn.LayerNorm}], ids=lambda one: next(iter(one))
)
def test_a_wrong_gradient_is_caught_beside_kinks(layer):
    ((name, kind),) = layer.items()
    assert picture_errors(stack(**{name: stale(kind)}))["conv2d.w"] > 1e-3


@jit_only
@pytest.mark.parametrize(("name", "slope"), [("relu", "leaky_relu"), ("leaky_relu", "relu"), ("relu", "tanh")])
def test_a_wrong_slope_at_a_kink_is_caught(monkeypatch, name, slope):
    """One side of the kink is wrong by .01; on the other the two agree."""
    wrong = getattr(k, f"{name}_forward"), getattr(k, f"{slope}_backward")
    monkeypatch.setitem(activation_module.KERNELS, name, wrong)
    assert max(picture_errors(stack()).values()) > 1e-3
