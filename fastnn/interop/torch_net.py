"""A network as a PyTorch module. PyTorch is imported here: `to_torch_module` imports this file when it is called."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fastnn.common.text import plural
from fastnn.interop import torch_layers
from fastnn.interop.packages import applied_by, no_equivalent
from fastnn.interop.torch_layout import SAME, Layout, layouts, wanted
from fastnn.nn.graph import Call
from fastnn.nn.layers import Concatenate, Dense
from fastnn.nn.network import Network

LINKS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda scores: functional.softmax(scores, dim=-1),
    "sigmoid": torch.sigmoid,
    "exp": torch.exp,
    "": lambda scores: scores,
}


class Move(NamedTuple):
    """From one layout to another: which axis goes where, or which numbers in which order."""

    axes: tuple[int, int] | None
    order: list[int] | None

    def __call__(self, x: Tensor) -> Tensor:
        x = x if self.axes is None else x.movedim(*self.axes)
        return x if self.order is None else x[:, self.order]


class Use(NamedTuple):
    """One use of a layer: its module's name, the values it takes with their moves, and the value that it makes.

    tied  the module whose weight it uses; axis  along which it puts its inputs side by side
    """

    owner: str
    inputs: tuple[str, ...]
    moves: tuple[Move, ...]
    value: str
    tied: str | None
    axis: int | None


class Net(nn.Module):
    """The network of a fastnn model: its keys are those of `to_torch`.

    It takes the inputs in order or as one dict, pictures and sequences with channels first, and gives scores, a dict of
    them by name if there are several outputs. `predict` gives what the model's `predict` gives.
    """

    def __init__(self, network: Network):
        super().__init__()
        found = layouts(network)
        first = {call.owner: [found[name] for name in call.inputs] for call in reversed(network.calls)}
        for call in network.calls:
            if call.name == call.owner:
                self._add(call)
        self.input_names = list(network.graph.inputs)
        self.uses = [_use(call, found, first[call.owner]) for call in network.calls]
        self.ends = {output.name: (output.value, _move(found[output.value], SAME)) for output in network.outputs}
        self.links = {output.name: applied_by(output, "PyTorch") for output in network.outputs}
        self.orders = {  # of weights to which others are tied: they are used in fastnn's own order
            name: None if one[0].order is None else np.argsort(one[0].order).tolist() for name, one in first.items()
        }

    def _add(self, call: Call) -> None:
        make = torch_layers.MAKERS.get(type(call.layer))
        if make is None:
            raise no_equivalent(call, "PyTorch")
        if hasattr(self, call.owner):
            raise ValueError(f"the name of the layer {call.owner!r} means something else in PyTorch, expected another")
        self.add_module(call.owner, make(call.layer, call.input_shapes[0]))

    def _by_name(self, inputs: tuple[Any, ...]) -> dict[str, Tensor]:
        """The inputs, which are given in order or as one dict."""
        names = self.input_names
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            if inputs[0].keys() == set(names):
                return dict(inputs[0])
            got = f"a dict of {', '.join(map(str, inputs[0])) or 'nothing'}"
        elif len(inputs) == len(names):
            return dict(zip(names, inputs, strict=True))
        else:
            got = plural(len(inputs), "input")
        raise TypeError(f"got {got}, expected {', '.join(names)}: in this order, or a dict of them")

    def forward(self, *inputs: Any) -> Any:
        values = self._by_name(inputs)
        for use in self.uses:
            xs = [move(values[name]) for name, move in zip(use.inputs, use.moves, strict=True)]
            more: list[Any] = [] if use.tied is None else [self._weight_of(use.tied)]
            more += [] if use.axis is None else [use.axis]
            values[use.value] = self.get_submodule(use.owner)(*xs, *more)
        scores = {name: move(values[value]) for name, (value, move) in self.ends.items()}
        return scores if len(scores) > 1 else next(iter(scores.values()))

    def predict(self, *inputs: Any) -> Any:
        """What the model's `predict` gives, such as probabilities: without gradients."""
        with torch.no_grad():
            found = self(*inputs)
        if isinstance(found, dict):
            return {name: LINKS[self.links[name]](scores) for name, scores in found.items()}
        return LINKS[next(iter(self.links.values()))](found)

    def _weight_of(self, owner: str) -> Tensor:
        """The weight of a layer to which another is tied, (outputs, inputs) of that one."""
        module = self.get_submodule(owner)
        weight: Any = module.weight
        if not isinstance(module, torch_layers.Linear):
            return weight
        order = self.orders[owner]
        return (weight if order is None else weight[:, order]).T


def _use(call: Call, found: Mapping[str, Layout], first_use: list[Layout]) -> Use:
    given = [found[name] for name in call.inputs]
    moves = [_move(have, want) for have, want in zip(given, wanted(call, given, first_use), strict=True)]
    tied = call.layer.tied_to if isinstance(call.layer, Dense) else None
    axis = (1 if given[0].first else -1) if isinstance(call.layer, Concatenate) else None
    return Use(call.owner, call.inputs, tuple(moves), call.name, tied, axis)


def _move(have: Layout, want: Layout) -> Move:
    axes = None if have.first == want.first else (1, -1) if have.first else (-1, 1)
    if have.order is None and want.order is None:
        return Move(axes, None)
    size = next(one.order.size for one in (have, want) if one.order is not None)
    here = np.arange(size) if have.order is None else np.argsort(have.order)
    order = here if want.order is None else here[want.order]
    return Move(axes, None if np.array_equal(order, np.arange(size)) else order.tolist())
