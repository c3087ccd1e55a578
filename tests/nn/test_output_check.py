"""The last activation against the loss: which pairs are refused, which are warned of, which are left alone."""

import warnings

import numpy as np
import pytest

import fastnn as fn


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


@pytest.mark.parametrize(("outputs", "highest"), [(2, 0.73), (3, 0.58), (10, 0.23)])
def test_a_sigmoid_before_softmax_is_warned_of(outputs, highest):
    assert made(fn.Dense(outputs, "sigmoid"), loss="softmax_cross_entropy") == [
        f"dense ends with sigmoid, so that softmax_cross_entropy gives no class a probability above {highest}: "
        "leave the last activation out"
    ]
    scores = np.eye(outputs)[0]
    assert round(fn.ops.softmax(scores).max(), 2) == highest


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
def test_numbers_may_come_out_of_any_activation(activation, loss):
    assert made(fn.Dense(1, activation), loss=loss) == []


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "elu", "softplus"])
def test_other_activations_before_softmax_are_the_user_s_choice(activation):
    assert made(fn.Dense(3, activation), fn.Dropout(0.5), loss="softmax_cross_entropy") == []


def test_each_output_of_a_branching_net_has_its_own_loss():
    x = fn.Input(4)
    hidden = fn.Dense(5, "tanh")(x)
    outputs = {"kind": fn.Dense(3)(hidden), "sure": fn.Dense(1, "sigmoid", name="last")(hidden)}
    kept = {"kind": "softmax_cross_entropy", "sure": "mse"}
    fn.Model(x, outputs, loss=kept)
    with pytest.raises(ValueError, match=r"^last ends with sigmoid, which binary_cross_entropy applies"):
        fn.Model(x, outputs, loss=kept | {"sure": "binary_cross_entropy"})
    with pytest.warns(UserWarning, match=r"^dense ends with sigmoid"):
        fn.Model(x, [fn.Dense(5, "sigmoid")(x)])


def test_a_file_of_such_a_net_is_still_read(tmp_path):
    """A version before this check could write one."""
    model = fn.Sequential([fn.Dense(1, "sigmoid")], input_shape=2, loss="mse")
    model.save(tmp_path / "m.h5")
    assert fn.load(tmp_path / "m.h5", loss="binary_cross_entropy").network.loss == fn.BinaryCrossEntropy()
