"""How the values of a network lie in memory in PyTorch: channels come first, where fastnn has them last."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastnn.nn.graph import Call
from fastnn.nn.layers import (
    Activation,
    Add,
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
)
from fastnn.nn.network import Network

ALONG_SEQUENCES = (Conv1D, MaxPool1D, AveragePool1D)
WINDOWS = (*ALONG_SEQUENCES, Conv2D, MaxPool2D, AveragePool2D)


class Layout(NamedTuple):
    """How a value lies in PyTorch.

    first  whether its channels are the first axis of a sample, not the last one
    order  of a sample with one axis: number i in PyTorch is number order[i] in fastnn; None: the same one
    """

    first: bool = False
    order: np.ndarray | None = None


SAME = Layout()


def layouts(network: Network) -> dict[str, Layout]:
    """The layout of each value of a network, by name.

    Pictures, and sequences over which a window slides, come with channels first, and stay so up to a Flatten, which
    lines them up in that order. What other layers make lies as in fastnn.
    """
    found = {}
    for name, shape in network.graph.inputs.items():
        slid = any(isinstance(call.layer, ALONG_SEQUENCES) and name in call.inputs for call in network.calls)
        found[name] = Layout(first=len(shape) == 3 or slid)
    for call in network.calls:
        found[call.name] = _made(call, [found[name] for name in call.inputs])
    return found


def wanted(call: Call, given: Sequence[Layout], first_use: Sequence[Layout]) -> list[Layout]:
    """The layouts in which a layer takes its inputs in PyTorch.

    given     : those that the inputs have
    first_use : those that they had where the layer was used first: its parameters have that order
    """
    layer, axes = call.layer, len(call.input_shapes[0])
    if isinstance(layer, WINDOWS) or (isinstance(layer, BatchNorm) and axes > 1):
        return [Layout(first=True)]
    if isinstance(layer, Dense | BatchNorm | LayerNorm):
        return [Layout(order=_order_of(layer, first_use[0]))]
    if isinstance(layer, Add) or (isinstance(layer, Concatenate) and axes > 1):
        return [given[0]] * len(given)
    if isinstance(layer, Activation | Dropout | Flatten | Concatenate):
        return list(given)
    return [SAME]


def _order_of(layer: Dense | BatchNorm | LayerNorm, given: Layout) -> np.ndarray | None:
    """The order in which a layer's parameters meet its inputs. A borrowed weight has no order of its own."""
    return None if isinstance(layer, Dense) and layer.tied_to is not None else given.order


def _made(call: Call, given: Sequence[Layout]) -> Layout:
    """The layout of what a layer makes."""
    layer, axes = call.layer, len(call.input_shapes[0])
    if isinstance(layer, WINDOWS) or (isinstance(layer, BatchNorm) and axes > 1):
        return Layout(first=True)
    if isinstance(layer, Flatten):
        return Layout(order=_channels_first(call.input_shapes[0])) if given[0].first else given[0]
    if isinstance(layer, Concatenate) and axes == 1:
        return Layout(order=_one_after_the_other(call, given))
    if isinstance(layer, LayerNorm) and axes > 1:
        return SAME
    if isinstance(layer, Activation | Dropout | BatchNorm | LayerNorm | Add | Concatenate):
        return given[0]
    return SAME


def _channels_first(shape: tuple[int, ...]) -> np.ndarray | None:
    """Where the numbers of a sample (…, C) are that is read as (C, …); None where that changes nothing."""
    order = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), -1, 0).reshape(-1)
    return None if np.array_equal(order, np.arange(order.size)) else order


def _one_after_the_other(call: Call, given: Sequence[Layout]) -> np.ndarray | None:
    if all(one.order is None for one in given):
        return None
    widths = [shape[0] for shape in call.input_shapes]
    orders = [np.arange(w) if one.order is None else one.order for w, one in zip(widths, given, strict=True)]
    begins = np.cumsum([0, *widths[:-1]])
    return np.concatenate([order + begin for order, begin in zip(orders, begins, strict=True)])
