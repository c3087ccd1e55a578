"""The last activation against the loss: which pairs are refused, which are warned of, which are left alone."""

import math
import warnings

import numpy as np
import pytest

import fastnn as fn

LEAVE_OUT = "leave the last activation out"


def made(*layers, loss, shape=4):
    """The warnings of making a model."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fn.Sequential(layers, input_shape=shape, loss=loss)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("layers", [[fn.Dense(2, "sigmoid")], [fn.Dense(2), fn.Activation("sigmoid"), fn.Flatten()]])
def test_a_sigmoid_that_the_loss_applies_again_is_refused(layers):
    with pytest.raises(ValueError, match="sigmoid") as caught:
        made(*layers, loss="binary_cross_entropy")
    name = "dense" if len(layers) == 1 else "activation"
    assert str(caught.value) == (
        f"{name} ends with sigmoid, which binary_cross_entropy applies to the scores itself: leave the last activation "
        "out; predict gives the probabilities"
    )


def test_one_output_under_softmax_is_refused():
    with pytest.raises(ValueError, match=r"^dense has one output, whose softmax is always 1: .*binary_cross_entropy"):
        made(fn.Dense(1), loss="softmax_cross_entropy")


@pytest.mark.parametrize(
    ("activation", "loss", "outputs", "low", "high"),
    [
        ("sigmoid", "softmax_cross_entropy", 3, 0.16, 0.58),
        ("tanh", "softmax_cross_entropy", 10, 0.015, 0.45),
        ("tanh", "binary_cross_entropy", 1, 0.27, 0.73),
        ("relu", "binary_cross_entropy", 1, 0.5, 1),
    ],
)
def test_an_activation_that_keeps_probabilities_apart_is_warned_of(activation, loss, outputs, low, high):
    assert made(fn.Dense(outputs, activation), loss=loss) == [
        f"dense ends with {activation}, which keeps the probabilities of {loss} between {low} and {high}: {LEAVE_OUT}"
    ]
    score = {"sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, math.inf)}[activation]
    if loss == "softmax_cross_entropy":  # what the warning says is what softmax gives
        best = np.exp(score[1]) / (np.exp(score[1]) + (outputs - 1) * np.exp(score[0]))
        assert f"{best:.2g}" == str(high)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
def test_numbers_may_come_out_of_any_activation(activation, loss):
    assert made(fn.Dense(1, activation), loss=loss) == []


@pytest.mark.parametrize("activation", ["identity", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus"])
def test_scores_that_reach_every_probability(activation):
    assert made(fn.Dense(3, activation), fn.Dropout(0.5), loss="softmax_cross_entropy") == []


def test_each_output_of_a_branching_net_has_its_own_loss():
    x = fn.Input(4)
    hidden = fn.Dense(5, "tanh")(x)
    outputs = {"kind": fn.Dense(3)(hidden), "sure": fn.Dense(1, "sigmoid", name="last")(hidden)}
    kept = {"kind": "softmax_cross_entropy", "sure": "mse"}
    fn.Model(x, outputs, loss=kept)
    with pytest.raises(ValueError, match=r"^last ends with sigmoid, which binary_cross_entropy applies"):
        fn.Model(x, outputs, loss=kept | {"sure": "binary_cross_entropy"})
    with pytest.warns(UserWarning, match=r"^dense ends with tanh"):
        fn.Model(x, [hidden])


def test_a_file_of_such_a_net_is_still_read(tmp_path):
    """A version before this check could write one."""
    model = fn.Sequential([fn.Dense(1, "sigmoid")], input_shape=2, loss="mse")
    model.save(tmp_path / "m.h5")
    assert fn.load(tmp_path / "m.h5", loss="binary_cross_entropy").network.loss == fn.BinaryCrossEntropy()
