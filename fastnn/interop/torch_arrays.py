"""The arrays of a network in PyTorch's names and shapes: what a state dict holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastnn.common.names import near
from fastnn.interop.packages import no_equivalent
from fastnn.interop.torch_layout import Layout, layouts, wanted
from fastnn.nn.graph import Call
from fastnn.nn.layers import GRU, LSTM, BatchNorm, Columns, Conv1D, Conv2D, Dense, Embedding, Layer, LayerNorm
from fastnn.nn.network import Network


class Place(NamedTuple):
    """Where an array is in PyTorch.

    key   its name within the layer
    axes  the axes of fastnn's array in the order of PyTorch's
    axis  of PyTorch's array: the one along which inputs are counted, in their order there; None: none is
    """

    key: str
    axes: tuple[int, ...] = (0,)
    axis: int | None = None


SCALE_AND_SHIFT = {"gamma": Place("weight", axis=0), "beta": Place("bias", axis=0)}
STATISTICS = {"mean": Place("running_mean", axis=0), "var": Place("running_var", axis=0)}
RECURRENT = {"w": Place("weight_ih_l0", (1, 0)), "u": Place("weight_hh_l0", (1, 0))}
RECURRENT |= {"b": Place("bias_ih_l0"), "c": Place("bias_hh_l0")}
PLACES: dict[type[Layer], dict[str, Place]] = {
    Dense: {"w": Place("weight", (1, 0), 1), "b": Place("bias")},
    Conv1D: {"w": Place("weight", (2, 1, 0)), "b": Place("bias")},
    Conv2D: {"w": Place("weight", (3, 2, 0, 1)), "b": Place("bias")},
    GRU: RECURRENT,
    LSTM: RECURRENT,
    Embedding: {"w": Place("weight", (0, 1))},
    Columns: {"w": Place("weight", (0, 1)), "mean": Place("mean"), "std": Place("std")},
    BatchNorm: SCALE_AND_SHIFT | STATISTICS,
    LayerNorm: SCALE_AND_SHIFT,
}
COUNTED = "num_batches_tracked"  # PyTorch counts the batches that running statistics have seen; fastnn does not


@dataclass(frozen=True, eq=False)
class Entry:
    """An array of a network and its place in a state dict.

    key   in the state dict; name in `model.parameters` or, if it is a buffer, in `model.buffers`
    shape in PyTorch
    order of the inputs along the place's axis; None: that of fastnn
    """

    key: str
    name: str
    is_buffer: bool
    place: Place
    shape: tuple[int, ...]
    order: np.ndarray | None

    def there(self, array: np.ndarray) -> np.ndarray:
        """A copy of fastnn's array as PyTorch has it."""
        turned = array.transpose(self.place.axes)
        if self.order is not None:
            turned = turned.take(self.order, axis=self.place.axis)
        return np.array(turned, order="C")

    def back(self, array: np.ndarray) -> np.ndarray:
        """The inverse of `there`."""
        if self.order is not None:
            array = array.take(np.argsort(self.order), axis=self.place.axis)
        return array.transpose(np.argsort(self.place.axes))


def entries(network: Network, names: Mapping[str, str]) -> list[Entry]:
    """All arrays of a network. ValueError for a layer without an equivalent, or a name in `names` that none has.

    names : layer -> what comes before the dot of its keys, where that is not the layer's name
    """
    for name in names:
        if name not in network.owners:
            raise ValueError(f"names has the layer {name!r}; {near(name, network.owners)}")
    found = layouts(network)
    return [
        entry
        for call in network.calls
        if call.name == call.owner
        for entry in _entries_of(network, call, found, names.get(call.owner, call.owner))
    ]


def batch_norms(network: Network, names: Mapping[str, str]) -> list[str]:
    """The keys of the counters that PyTorch has beside running statistics. names : as of `entries`"""
    owners = [name for name, layer in network.owners.items() if isinstance(layer, BatchNorm)]
    return [f"{names.get(name, name)}.{COUNTED}" for name in owners]


def tied_keys(network: Network, names: Mapping[str, str]) -> dict[str, str]:
    """Key of a weight that PyTorch's users give a tied layer -> the name of the array that it is."""
    tied = {name: layer for name, layer in network.owners.items() if isinstance(layer, Dense) and layer.tied_to}
    return {f"{names.get(name, name)}.weight": f"{layer.tied_to}.w" for name, layer in tied.items()}


def _entries_of(network: Network, call: Call, found: Mapping[str, Layout], prefix: str) -> Iterator[Entry]:
    parameters, buffers = network.parameters_of(call), network.buffers_of(call)
    if type(call.layer) not in PLACES:
        if parameters or buffers:
            raise no_equivalent(call, "PyTorch")
        return
    given = [found[name] for name in call.inputs]
    order = wanted(call, given, given)[0].order
    for name, spec in (parameters | buffers).items():
        place = PLACES[type(call.layer)][name.rpartition(".")[2]]
        shape = tuple(spec.shape[axis] for axis in place.axes)
        along = None if place.axis is None else order
        yield Entry(f"{prefix}.{place.key}", name, name in buffers, place, shape, along)
