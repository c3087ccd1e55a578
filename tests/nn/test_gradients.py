"""Analytic gradients against central differences."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import WORDS, tiny_model

LIMIT = 1e-7
# Repeated ids within a sample and across samples, and ids that do not occur at all.
X = np.array([[1, 1, 4], [4, 1, 0], [WORDS - 1, 4, 4], [1, 1, 4], [7, 0, 1]])
Y = np.array([0, 3, WORDS - 1, 3, 3])


def check(model, x=X, y=Y):
    errors = fn.check_gradients(model, x, y)
    assert set(errors) == set(model.parameters)
    return max(errors.values())


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "identity"])
def test_trigram_nets(summed, activation):
    assert check(tiny_model(summed=summed, activation=activation)) <= LIMIT


@pytest.mark.parametrize(("width", "hidden", "samples"), [(1, 1, 1), (2, 7, 3), (5, 3, 5), (3, 9, 4)])
def test_odd_shapes(width, hidden, samples):
    assert check(tiny_model(width=width, hidden=hidden), X[:samples], Y[:samples]) <= LIMIT


def distance_from_kink(model):
    """The smallest |input| of the hidden activation."""
    p = model.parameters
    return np.abs(p["embedding.w"][X].reshape(len(X), -1) @ p["dense.w"] + p["dense.b"]).min()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_activations_with_a_kink_away_from_it(activation):
    models = (tiny_model(activation=activation, seed=seed, dtype="float64") for seed in range(100))
    model = next(model for model in models if distance_from_kink(model) > 0.02)
    assert check(model) <= LIMIT


def test_dense_inputs_layers_of_their_own_and_the_sum_over_samples():
    normal = fn.initializers.Normal(0.5)
    layers = [
        fn.Activation("tanh"),
        fn.Dense(6, initializer=normal, use_bias=False),
        fn.Activation("sigmoid"),
        fn.Dense(4, "tanh", initializer=normal, bias_initializer=normal),
        fn.Dense(3, initializer=normal),
    ]
    model = fn.Sequential(layers, input_shape=(5,), loss=fn.SoftmaxCrossEntropy("sum"))
    rng = np.random.default_rng(0)
    assert check(model, rng.normal(size=(7, 5)), rng.integers(0, 3, 7)) <= LIMIT


def test_through_statistics_that_are_frozen():
    """They do not depend on the batch, so the gradient of its inputs is γ · rstd · that of the outputs."""
    layers = [fn.Dense(4, "tanh"), fn.BatchNorm(freeze=True), fn.Dense(3)]
    model = fn.Sequential(layers, input_shape=5, dtype="float64", seed=1)
    rng = np.random.default_rng(0)
    model.buffers["batch_norm.mean"] = rng.normal(size=4)
    model.buffers["batch_norm.var"] = rng.uniform(0.2, 3, 4)
    model.parameters["batch_norm.gamma"] = rng.normal(size=4)
    errors = fn.check_gradients(model, rng.normal(size=(7, 5)), rng.integers(0, 3, 7))
    assert set(errors) >= {"dense.w", "dense.b", "dense_1.w", "dense_1.b"}
    assert max(errors.values()) <= LIMIT


def test_axes_before_the_first_parameters():
    normal = fn.initializers.Normal(0.5)
    model = fn.Sequential([fn.Sum(), fn.Dense(4, initializer=normal)], input_shape=(3, 2))
    assert check(model, np.random.default_rng(0).normal(size=(5, 3, 2)), Y[:5] % 4) <= LIMIT


def test_a_dense_layer_at_each_word_of_a_sentence():
    """Its input is wanted: the embedding before it has parameters."""
    normal = {"initializer": fn.initializers.Normal(0.5)}
    layers = [fn.Embedding(WORDS, 3, **normal), fn.Dense(4, "tanh", **normal), fn.GlobalAveragePool(), fn.Dense(WORDS)]
    assert check(fn.Sequential(layers, input_shape=(3,))) <= LIMIT
