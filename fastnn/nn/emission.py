"""From a network to operations: each layer emits those of its use, forward and, in reverse order, backward."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import fastnn_kernels as k
from fastnn.common.hints.assignment import is_ours
from fastnn.engine.builder import Builder
from fastnn.engine.ops import Slice
from fastnn.engine.parameters import NamedArrays, ParameterView
from fastnn.engine.values import Value
from fastnn.nn import time_steps
from fastnn.nn.graph import Call
from fastnn.nn.layers import Dense, Join, Layer
from fastnn.nn.layers.base import as_kind
from fastnn.nn.layers.tied import TiedDense
from fastnn.nn.network import Network, State

# The gradients of the outputs, and the block to fill with those of the parameters.
EmitBackward = Callable[[Sequence[Value], NamedArrays], None]


def forward(
    build: Builder, network: Network, inputs: Sequence[Value], state: State
) -> tuple[list[Value], EmitBackward]:
    """Emit all layers. Returns the scores of each output, and a function that emits the backward operations."""
    values = dict(zip(network.graph.inputs, inputs, strict=True))
    backwards: dict[str, Callable] = {}
    for call in network.calls:
        build.begin(call.name)
        parameters = _views(state.parameters, network.uses_of(call))
        buffers = _views(state.buffers, {name.rpartition(".")[2]: name for name in network.buffers_of(call)})
        xs = [values[name] for name in call.inputs]
        values[call.name], backwards[call.name] = _forward(build, call, xs, parameters | buffers)
        build.outputs[call.name] = values[call.name]

    def backward(dscores: Sequence[Value], gradients: NamedArrays) -> None:
        _Backward(build, network, backwards, gradients).emit(dscores)

    return [values[output.value] for output in network.outputs], backward


def _views(block: NamedArrays, names: Mapping[str, str]) -> dict[str, ParameterView]:
    return {short: block.view(name) for short, name in names.items()}


def _forward(build: Builder, call: Call, xs: list[Value], p: Mapping[str, ParameterView]) -> tuple[Value, Callable]:
    """Emit one layer. The backward function takes and returns lists: an item for each input."""
    if isinstance(call.layer, Join):
        return _checked(call.layer, "join", call.layer.join(build, xs, p))
    layer = as_kind(TiedDense, call.layer) if isinstance(call.layer, Dense) and call.layer.tied_to else call.layer
    forward = partial(time_steps.forward, layer) if layer.per_time_step and len(xs[0].shape) == 2 else layer.forward
    out, backward = _checked(layer, "forward", forward(build, xs[0], p))
    return out, lambda dout, grads, wanted: [backward(dout, grads, wanted[0])]


def _checked(layer: Layer, method: str, made: Any) -> tuple[Value, Callable]:
    """What a method of a layer returned; TypeError where that of a user's own class is not as the base says."""
    if is_ours(type(layer)):
        return made
    own = f"{type(layer).__name__}.{method}"
    if not isinstance(made, tuple) or len(made) != 2 or not callable(made[1]):
        raise TypeError(f"{own} returned {type(made).__name__}, expected the output and a function backward")
    try:
        inspect.signature(made[1]).bind(None, None, None)
    except TypeError:
        raise TypeError(
            f"{own} returned a function backward{inspect.signature(made[1])}, expected backward(dout, grads, wanted)"
        ) from None
    return made


class _Backward:
    """The backward operations of one network: gradients flow from the outputs to all that training changes."""

    def __init__(self, build: Builder, network: Network, backwards: Mapping[str, Any], gradients: NamedArrays):
        self.build, self.network, self.backwards, self.gradients = build, network, backwards, gradients
        self.flowing: dict[str, Value] = {}  # value -> the sum of the gradients that its readers have sent so far
        self.filled: set[str] = set()  # parameters whose gradient has been written
        self.needed: set[str] = set()
        for call in network.calls:
            trained = set(network.uses_of(call).values()) - network.frozen
            if trained or self.needed.intersection(call.inputs):
                self.needed.add(call.name)

    def emit(self, dscores: Sequence[Value]) -> None:
        for output, dout in zip(self.network.outputs, dscores, strict=True):
            self._send(output.value, dout)
        for call in reversed(self.network.calls):
            if call.name in self.needed:
                self._emit_call(call)

    def _emit_call(self, call: Call) -> None:
        self.build.begin(call.name)
        uses = self.network.uses_of(call)
        grads = {short: self._place(name) for short, name in uses.items()}
        wanted = [name in self.needed for name in call.inputs]
        sent = self.backwards[call.name](self.flowing.pop(call.name), grads, wanted)
        for short, name in uses.items():
            self._note(name, grads[short])
        for name, dx in zip(call.inputs, sent, strict=True):
            if dx is not None and name in self.needed:
                self._send(name, dx)

    def _send(self, name: str, gradient: Value) -> None:
        """Add a gradient to those that the readers of a value have sent: one order for the sum, that of the calls."""
        if name in self.flowing:
            earlier, total = self.flowing[name], self.build.value("sum of gradients", gradient.shape)
            self.build.emit(k.add_rows, total.buffer, earlier.buffer, gradient.buffer, gradient.width)
            gradient = total
        self.flowing[name] = gradient

    def _place(self, name: str) -> ParameterView:
        """The array into which a use of a parameter writes its gradient.

        The first use writes into the block of gradients, each later one into an array of its own, which is added.
        Joined uses all add to the block. The gradient of a frozen parameter goes into an array that nobody reads.
        """
        if name in self.build.joined:
            return self.gradients.view(name)
        if name not in self.filled and name not in self.network.frozen:
            return self.gradients.view(name)
        beside = NamedArrays({name: self.gradients.shapes[name]}, self.gradients.dtype)
        return beside.view(name)

    def _note(self, name: str, written: ParameterView) -> None:
        """Note that a use has written its gradient; add it to those of earlier uses."""
        if name in self.build.joined:
            self.filled.add(name)
        elif name in self.filled:
            total = self.gradients.view(name)
            if (axis := self.build.cut_axis(total)) is not None:
                slices = Slice(total.array, flat=True), Slice(written.array, flat=True)
                self.build.emit_along(axis, k.accumulate, *slices)
            else:
                self.build.emit(k.accumulate, total.array.reshape(-1), written.array.reshape(-1))
        elif name not in self.network.frozen:
            self.filled.add(name)
