"""The table that describes a model to a person."""

import math

from fastnn.common import notebook
from fastnn.common.text import aligned
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.graph import Call
from fastnn.nn.network import Network


class Summary(str):
    """The summary of a model: a text, which a notebook shows as a table and a prompt as it prints."""

    html: str

    @classmethod
    def of(cls, network: Network, parameters: NamedArrays, needed: str) -> "Summary":
        """The table of a model, and a line that says what memory is needed."""
        summary = cls(f"{table(network, parameters)}\n{needed}")
        summary.html = f"{html_table(network, parameters)}{notebook.line(needed)}"
        return summary

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.html


def table(network: Network, parameters: NamedArrays) -> str:
    """One line a layer: name, output shape, parameters; then totals and exact memory."""
    lines = _lines(network)
    return "\n".join([*_inputs(network), *aligned(lines, len(lines[0]) - 1), _ending(parameters)])


def html_table(network: Network, parameters: NamedArrays) -> str:
    """The same as HTML, for notebooks."""
    lines = _lines(network)
    before = "".join(notebook.line(line) for line in _inputs(network))
    return f"{before}{notebook.table(lines, len(lines[0]) - 1)}{notebook.line(_ending(parameters))}"


def _lines(network: Network) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = [("layer", "output", "parameters", "count")]
    for call in network.calls:
        lines.append((call.layer.title(call.name), _shape(call.shape), *_parameters(network, call)))
    if not network.graph.is_chain:
        sources = ["from", *(", ".join(call.inputs) for call in network.calls)]
        lines = [(layer, source, *others) for (layer, *others), source in zip(lines, sources, strict=True)]
    return lines


def _inputs(network: Network) -> list[str]:
    return [f"{name} {_shape(shape)}" for name, shape in network.graph.inputs.items()]


def _ending(parameters: NamedArrays) -> str:
    total = sum(array.size for array in parameters.values())
    return f"{total:,} parameters, {parameters.dtype}, {parameters.flat.nbytes:,} bytes with padding"


def _parameters(network: Network, call: Call) -> tuple[str, str]:
    """The parameters of a use of a layer, and their number; those of an earlier use, or of another layer, by name."""
    if call.name != call.owner:
        return f"those of {call.owner}", "0"
    specs = network.parameters_of(call)
    own = [f"{key.rpartition('.')[2]} {spec.shape}" for key, spec in specs.items()]
    borrowed = [name for name in network.uses_of(call).values() if name not in specs]
    count = sum(math.prod(spec.shape) for spec in specs.values())
    frozen = ["frozen"] if call.layer.freeze and specs else []
    return ", ".join(own + borrowed + frozen), f"{count:,}"


def _shape(shape: tuple[int, ...]) -> str:
    return f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
