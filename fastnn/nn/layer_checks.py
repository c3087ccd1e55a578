"""Layers against their place in a network: what they read, where they end, whose parameters they borrow."""

from collections.abc import Iterable, Mapping

from fastnn.common.errors import ShapeError
from fastnn.common.names import near
from fastnn.nn.graph import Call, Graph
from fastnn.nn.layers import Parameter
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.outputs import Output


def check_data(graph: Graph) -> None:
    """ValueError unless a layer that takes data reads an input, and one that takes ids no numbers."""
    for number, call in enumerate(graph.calls, start=1):
        for name in call.inputs:
            if call.layer.takes_data and name not in graph.inputs:
                what = "word ids" if call.layer.takes_ids else "a table"
                raise ValueError(f"{call.name} takes {what} and so must be the first layer, not number {number}")
            others = [other.name for other in graph.calls if name in other.inputs and not other.layer.takes_ids]
            if call.layer.takes_ids and others:
                raise ValueError(f"{call.name} takes {name} as word ids, {others[0]} as numbers; expected one of them")


def check_borrowed(calls: Iterable[Call], specs: Mapping[str, Parameter]) -> None:
    """ValueError or ShapeError unless the parameters that layers borrow are there, and fit.

    specs : the parameters of all layers by their public names
    """
    for call in calls:
        for name, shape in call.layer.borrowed(call.input_shapes[0]).values():
            if name not in specs:
                owners = [other.removesuffix(".w") for other in specs if other.endswith(".w")]
                raise ValueError(f"{call.name} is tied to {name.rpartition('.')[0]!r}, {near(name, owners)}")
            if (found := specs[name].shape) != shape:
                raise ShapeError(f"{call.name} is tied to {name}, which has shape {found}, expected {shape}")


def check_labels(calls: Iterable[Call], outputs: Iterable[Output]) -> None:
    """ValueError unless a layer that needs labels in training is an output alone, with a softmax cross-entropy."""
    read = {name for call in calls for name in call.inputs}
    for call in calls:
        if not call.layer.needs_labels:
            continue
        losses = [output.loss for output in outputs if output.value == call.name]
        if not losses or call.name in read:
            raise ValueError(f"{call.name} is no output of the network; expected it at the end, nothing after it")
        if any(not isinstance(loss, SoftmaxCrossEntropy) or loss.label_smoothing for loss in losses):
            raise ValueError(
                f"{call.name} has the loss {losses[0]}, expected 'softmax_cross_entropy' without label_smoothing"
            )
