"""Networks as graphs: values, the layers that make them of other values, and the names of both."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastnn.common.errors import ShapeError
from fastnn.common.hints.habits import hinted
from fastnn.common.names import numbered
from fastnn.common.plain import plain
from fastnn.common.validation import is_whole_number
from fastnn.nn.layers import Layer
from fastnn.nn.layers.base import Node

INPUT = "input"  # the name of an input that has none


class Call(NamedTuple):
    """One use of a layer in a network.

    name          of its output, which is the layer's name; that of a second use ends with @2
    layer, owner  the layer and its name, which its parameters bear
    inputs        the names of the values that it takes, input_shapes their shapes
    shape         of its output
    """

    name: str
    layer: Layer
    owner: str
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """The calls of a network in an order in which they can run.

    inputs   name -> shape of one sample
    outputs  name of an output -> name of the value that it is
    """

    inputs: dict[str, tuple[int, ...]]
    calls: tuple[Call, ...]
    outputs: dict[str, str]

    @property
    def is_chain(self) -> bool:
        """Whether layers stand in a row, each used once, between one input without a name and one output."""
        values = [*self.inputs, *(call.name for call in self.calls)]
        in_a_row = all(call.inputs == (before,) for before, call in zip(values, self.calls, strict=False))
        alone = list(self.inputs) == [INPUT] and list(self.outputs) == [values[-1]]
        return in_a_row and alone and all(call.name == call.owner for call in self.calls)


@hinted
def Input(shape: int | tuple[int, ...], *, name: str | None = None) -> Node:  # noqa: N802  (called like the layers)
    """An input of a network: samples of `shape`. Where a network has several, data are given by their names.

    Args:
        shape: Of one sample, without the sample axis; 3 is (3,).
        name: What data are given by.

    Returns:
        A value that layers take: `fn.Dense(4)(fn.Input(3))`.

    Raises:
        ShapeError: If `shape` is none.

    Examples:
        >>> words = fn.Input((3,), name="words")
        >>> words.shape
        (3,)
    """
    return Node(sample_shape(shape, "shape"), name=name)


def sample_shape(given: Any, argument: str = "input_shape") -> tuple[int, ...]:
    """The extents of one sample as a tuple of int; 20 is (20,). ShapeError if `given` is none."""
    given = plain(given)
    given = (given,) if is_whole_number(given) else given
    whole = isinstance(given, tuple | list) and all(map(is_whole_number, given))
    if not whole or any(extent < 1 for extent in given):
        is_open = isinstance(given, tuple | list) and None in given
        hint = "; all sequences of a model have one length, put zeros before shorter ones" if is_open else ""
        raise ShapeError(f"{argument} is {given!r}, expected the extents of one sample, such as (3,){hint}")
    return tuple(int(extent) for extent in given)


def chain(layers: Sequence[Layer], input_shape: int | Sequence[int]) -> Graph:
    """The graph of layers in a row. A description that stands there twice makes two layers."""
    if not isinstance(layers, Iterable):
        raise TypeError(f"layers is {layers!r:.60}, expected a list of layers, such as [Dense(10)]")
    layers = list(layers)
    if not layers:
        raise ValueError("Sequential needs at least one layer")
    for layer in layers:
        if not isinstance(layer, Layer):
            is_model = hasattr(layer, "layers")
            hint = "; a model's layers are [*model.layers, ...], with new parameters" if is_model else ""
            raise TypeError(f"layers holds {layer!r}, expected layers such as Dense(10){hint}")
    own = [copy.copy(layer) for layer in layers]
    node = first = Node(sample_shape(input_shape))
    for position, (name, layer) in enumerate(zip(layer_names(own, ()), own, strict=True)):
        try:
            node = layer(node)
        except ShapeError as error:
            raise ShapeError(f"{name} (layer {position + 1}): {error}") from None
    return graph_of([first], [node])


def graph_of(inputs: Any, outputs: Any) -> Graph:
    """The graph between inputs and outputs: each a value, a list of values, or a dict of them by name.

    ValueError if the outputs need an input that is not given, an input is not needed, or one stands twice; TypeError
    for a name that is no text or a `freeze` that is no bool; ShapeError if uses of a layer cannot share its parameters.
    """
    given_inputs, given_outputs = _listed(inputs, "inputs"), _listed(outputs, "outputs")
    nodes = _ancestors(node for _, node in given_outputs)
    names = _input_names(given_inputs)
    layers = list({id(node.layer): node.layer for node in nodes if node.layer is not None}.values())
    if not layers:
        raise ValueError("the outputs are inputs of the network, expected at least one layer between them")
    owners = dict(zip(map(id, layers), layer_names(layers, names.values()), strict=True))
    values: dict[Node, str] = {node: names[node] for _, node in given_inputs}
    calls: list[Call] = []
    for node in nodes:
        if node.layer is not None:
            calls.append(_call(node, owners[id(node.layer)], values, calls))
            values[node] = calls[-1].name
        elif node not in names:
            raise ValueError(f"the outputs need an input of shape {node.shape} that is not among `inputs`")
    if unused := [names[node] for _, node in given_inputs if node not in set(nodes)]:
        raise ValueError(f"no output needs the input {unused[0]!r}")
    public = {name or values[node]: values[node] for name, node in given_outputs}
    if len(public) < len(given_outputs):
        raise ValueError("a value stands twice in `outputs`, expected each once")
    return Graph({names[node]: node.shape for _, node in given_inputs}, tuple(calls), public)


def _call(node: Node, owner: str, values: Mapping[Node, str], calls: Sequence[Call]) -> Call:
    assert node.layer is not None
    uses = 1 + sum(call.owner == owner for call in calls)
    if not isinstance(node.layer.freeze, bool):
        raise TypeError(f"{owner}: freeze is {node.layer.freeze!r}, expected True or False")
    name = owner if uses == 1 else f"{owner}@{uses}"
    inputs = tuple(values[one] for one in node.inputs)
    call = Call(name, node.layer, owner, inputs, tuple(one.shape for one in node.inputs), node.shape)
    if uses > 1:
        _check_shared(next(other for other in calls if other.owner == owner), call)
    return call


def _check_shared(first: Call, other: Call) -> None:
    """ShapeError unless both uses of a layer have parameters and running statistics of the same shapes."""
    if _array_shapes(first) != _array_shapes(other):
        raise ShapeError(
            f"{first.owner} is called with samples of shapes {first.input_shapes[0]} and {other.input_shapes[0]}, but "
            "both uses share its parameters, whose shapes would differ; expected a layer for each"
        )


def _array_shapes(call: Call) -> dict[str, tuple[int, ...]]:
    shape = call.input_shapes[0]
    arrays = call.layer.parameters(shape) | call.layer.buffers(shape)
    return {short: spec.shape for short, spec in arrays.items()}


def _listed(given: Any, argument: str) -> list[tuple[str | None, Node]]:
    """The values of an argument, with the names that it gives them."""
    single = [given] if isinstance(given, Node) else given
    if not isinstance(single, Mapping | list | tuple) or not single:
        raise TypeError(f"{argument} is {given!r}, expected values of a network: one, a list, or a dict by name")
    pairs: list[tuple[str | None, Any]] = (
        list(single.items()) if isinstance(single, Mapping) else [(None, one) for one in single]
    )
    for name, node in pairs:
        if name is not None and (not isinstance(name, str) or not name):
            raise TypeError(f"{argument} has the name {name!r}, expected text")
        if not isinstance(node, Node):
            raise TypeError(f"{argument} holds {node!r}, expected values such as fn.Input((3,)) or fn.Dense(4)(x)")
    return pairs


def _ancestors(outputs: Iterable[Node]) -> list[Node]:
    """All values that the outputs need, in the order in which they were described."""
    found: dict[Node, None] = {}
    waiting = list(outputs)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting += node.inputs
    return sorted(found, key=lambda node: node.number)


def _input_names(inputs: Sequence[tuple[str | None, Node]]) -> dict[Node, str]:
    """The name of each input: as a dict gives it, its own, or input, input_1, ..."""
    for _, node in inputs:
        if node.layer is not None:
            raise ValueError("`inputs` holds what a layer makes, expected values that fn.Input made")
    if len({node for _, node in inputs}) < len(inputs):
        raise ValueError("an input stands twice in `inputs`, expected each once; layers may use it many times")
    given = [name or node.name for name, node in inputs]
    names = _unique(given, [INPUT] * len(given), "input", ())
    return dict(zip((node for _, node in inputs), names, strict=True))


def layer_names(layers: Sequence[Layer], taken: Iterable[str]) -> list[str]:
    """The name of each layer: its own, or its kind, counted up. ValueError if one stands twice or is in `taken`."""
    return _unique([layer.name for layer in layers], [_kind(layer) for layer in layers], "layer", taken)


def _kind(layer: Layer) -> str:
    """The kind of a layer; TypeError if a user's own class has none."""
    kind = getattr(type(layer), "kind", None)
    if not isinstance(kind, str):
        raise TypeError(
            f"{type(layer).__name__} has no kind, after which its parameters are named: write in the class, "
            f'say, kind = "{type(layer).__name__.lower()}"'
        )
    return kind


def _unique(given: Sequence[str | None], kinds: Sequence[str], what: str, taken: Iterable[str]) -> list[str]:
    chosen = [_checked_name(name, what) for name in given if name is not None]
    if double := next((name for name in chosen if chosen.count(name) > 1 or name in taken), None):
        raise ValueError(f"the name {double!r} stands twice, expected a name of its own for each {what}")
    others = iter(numbered((kind for name, kind in zip(given, kinds, strict=True) if name is None), {*chosen, *taken}))
    return [name if name is not None else next(others) for name in given]


def _checked_name(name: Any, what: str) -> str:
    if not isinstance(name, str) or not name or set(name) & set("./@") or not name.isprintable():
        raise ValueError(f"the name of {what} is {name!r}, expected printable text without '.', '/' and '@'")
    return name
