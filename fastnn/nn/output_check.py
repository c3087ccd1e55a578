"""The last activation against the loss: a softmax or sigmoid belongs to a cross-entropy, and is not applied twice."""

import math

from fastnn.common.hints.habits import warn
from fastnn.nn.layers import Dropout, Flatten, Reshape
from fastnn.nn.losses import Loss
from fastnn.nn.network import Network

PASSING = (Dropout, Flatten, Reshape)  # layers that leave the activation before them what it is


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
    """ValueError if the loss makes nothing, or twice the same, of the scores that the layer `name` gives.

    A sigmoid before a softmax is no error, but hardly what was meant: a UserWarning says what it does.

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
    if loss.applies == "softmax" and activation == "sigmoid":
        highest = math.e / (math.e + outputs - 1)  # one score of 1, all others 0
        warn(
            f"{name} ends with sigmoid, so that {loss.name} gives no class a probability above {highest:.2g}: "
            "leave the last activation out"
        )
