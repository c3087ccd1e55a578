"""A network as a description: names, shapes, and errors that name the layer."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn import layers, losses
from fastnn.nn.config import config_of, network_of
from fastnn.nn.graph import chain
from fastnn.nn.network import Network

LOSS = losses.get("softmax_cross_entropy")


def network(*stack, input_shape=(3,)):
    return Network(chain(stack, input_shape), LOSS)


def test_names_count_up_by_kind():
    stack = (fn.Embedding(5, 2), fn.Flatten(), fn.Dense(4), fn.Activation("tanh"), fn.Dense(4), fn.Dense(3))
    net = network(*stack)
    assert net.names == ["embedding", "flatten", "dense", "activation", "dense_1", "dense_2"]
    assert net.shapes == [(3,), (3, 2), (6,), (4,), (4,), (4,), (3,)]
    assert list(net.initial_state("float32", 0).parameters) == [
        "embedding.w", "dense.w", "dense.b", "dense_1.w", "dense_1.b", "dense_2.w", "dense_2.b",
    ]  # fmt: skip


def test_one_description_twice_makes_two_layers():
    dense = fn.Dense(3)
    assert network(dense, dense).names == ["dense", "dense_1"]


def test_shapes_of_parameters():
    net = network(fn.Embedding(5, 2), fn.Sum(), fn.Dense(4, use_bias=False))
    parameters = net.initial_state("float64", 0).parameters
    assert {name: array.shape for name, array in parameters.items()} == {"embedding.w": (5, 2), "dense.w": (2, 4)}
    assert parameters["dense.w"].dtype == np.float64


def test_embedding_takes_samples_of_any_shape():
    assert network(fn.Embedding(5, 2), fn.Flatten(), input_shape=(2, 3)).shapes == [(2, 3), (2, 3, 2), (12,)]
    assert network(fn.Embedding(5, 2), input_shape=()).shapes == [(), (2,)]


@pytest.mark.parametrize(
    ("stack", "shape", "message"),
    [
        ([fn.Embedding(5, 2), fn.Conv2D(4)], (3,), r"conv2d \(layer 2\).*\(3, 2\).*images"),
        ([fn.Embedding(5, 2), fn.Dense(4)], (3, 2), r"dense ends with samples of shape \(3, 2, 4\)"),
        ([fn.Dense(4), fn.Add()], (3,), r"add \(layer 2\): Add got 1 input"),
        ([fn.Dense(4), fn.Dense(4), fn.Sum()], (3,), r"sum \(layer 3\).*\(4,\).*two axes"),
        ([fn.Embedding(5, 2)], (3, 2), r"embedding ends with samples of shape \(3, 2, 2\), expected \(outputs,\)"),
        ([fn.Dense(4)], 3.5, "input_shape is 3.5"),
        ([fn.Dense(4)], True, "input_shape is True"),
        ([fn.Dense(4)], (0,), r"input_shape is \(0,\)"),
        ([fn.Dense(4)], (2.5,), "input_shape is"),
    ],
)
def test_shapes_that_do_not_fit_name_the_layer(stack, shape, message):
    with pytest.raises(fn.ShapeError, match=message):
        Network(chain(stack, shape), LOSS)


def test_word_ids_go_into_the_first_layer_only():
    with pytest.raises(ValueError, match=r"embedding takes word ids.*not number 2"):
        network(fn.Flatten(), fn.Embedding(5, 2))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: network(), ValueError, "at least one layer"),
        (lambda: network("dense"), TypeError, "layers holds 'dense'"),
        (lambda: network(fn.Dense), TypeError, "expected layers such as"),
        (lambda: fn.Dense(0), ValueError, "Dense: units is 0"),
        (lambda: fn.Dense(2.0), TypeError, "Dense: units is 2.0"),
        (lambda: fn.Dense(True), TypeError, "Dense: units is True"),
        (lambda: fn.Embedding(-1, 2), ValueError, "Embedding: rows is -1"),
        (lambda: fn.Dense(2, activation="sigmoidd"), ValueError, "did you mean sigmoid"),
        (lambda: fn.Dense(2, activation=None), TypeError, "activation: got None"),
        (lambda: fn.Activation("swoosh"), ValueError, "unknown activation 'swoosh'"),
        (lambda: fn.Dense(2, initializer="glorot"), ValueError, "did you mean glorot"),
        (lambda: losses.get("cross_entropy"), ValueError, "softmax_cross_entropy"),
        (lambda: fn.SoftmaxCrossEntropy(reduction="avg"), ValueError, "known: mean, sum"),
        (lambda: layers.from_config({"kind": "dens"}), ValueError, "did you mean dense"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_config_makes_an_equal_network():
    stack = (
        fn.Embedding(5, 2, initializer=fn.initializers.Normal(0.3)),
        fn.Flatten(),
        fn.Dense(4, "relu"),
        fn.Dense(3),
    )
    net = Network(chain(stack, (3,)), fn.SoftmaxCrossEntropy(reduction="sum"))
    again = network_of(config_of(net))
    assert again.layers == net.layers
    assert again.loss == net.loss
    assert again.shapes == net.shapes
