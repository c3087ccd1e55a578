"""The last activation against the loss: one that the loss applies again, or that keeps scores from being any number."""

import math

from fastnn.common.habits import warn
from fastnn.nn.layers import Dropout, Flatten, Reshape
from fastnn.nn.losses import Loss
from fastnn.nn.network import Network

PASSING = (Dropout, Flatten, Reshape)  # layers that leave the activation before them what it is

# What comes out of an activation: from, to. Others reach every number.
RANGES = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "elu": (-1.0, math.inf),
    "gelu": (-0.17, math.inf),
    "silu": (-0.28, math.inf),
}


def check_outputs(network: Network) -> None:
    """`check_scores` for each output, with the layer that makes its scores but for a change of shape."""
    calls = {call.name: call for call in network.calls}
    for output in network.outputs:
        call = calls.get(output.value)
        while call is not None and isinstance(call.layer, PASSING):
            call = calls.get(call.inputs[0])
        if call is not None:
            check_scores(call.name, getattr(call.layer, "activation", "identity"), output.loss, output.width)


def check_scores(name: str, activation: str, loss: Loss, outputs: int) -> None:
    """ValueError if the loss cannot learn from the scores that the layer `name` gives, UserWarning if not all.

    activation : what that layer ends with
    outputs    : how many scores a sample has
    """
    if loss.applies == "softmax" and outputs == 1:
        raise ValueError(
            f"{name} has one output, whose softmax is always 1: {loss.name} learns nothing from it; "
            'two classes are Dense(2), or Dense(1) with loss="binary_cross_entropy"; numbers take loss="mse"'
        )
    if loss.applies and activation == loss.applies:
        raise ValueError(
            f"{name} ends with {activation}, which {loss.name} applies to the scores itself: leave the last "
            "activation out; predict gives the probabilities"
        )
    low, high = _probabilities(loss, *RANGES.get(activation, (-math.inf, math.inf)), outputs)
    if low > 0 or high < 1:
        warn(
            f"{name} ends with {activation}, which keeps the probabilities of {loss.name} between {low:.2g} and "
            f"{high:.2g}: leave the last activation out"
        )


def _probabilities(loss: Loss, low: float, high: float, outputs: int) -> tuple[float, float]:
    """The smallest and the largest probability that the loss makes of scores from low to high."""
    if loss.applies == "sigmoid":
        return _sigmoid(low), _sigmoid(high)
    if loss.applies == "softmax":  # one score at one end, all others at the other
        return _sigmoid(low - high - math.log(outputs - 1)), _sigmoid(high - low - math.log(outputs - 1))
    return 0.0, 1.0


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score)) if score > -700 else 0.0
