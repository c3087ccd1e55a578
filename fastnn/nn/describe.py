"""The table that describes a model to a person."""

import math

from fastnn.engine.parameters import Block
from fastnn.nn.network import Network


def table(network: Network, parameters: Block) -> str:
    """One line a layer: name, output shape, parameters; then totals and exact memory."""
    lines = [("layer", "output", "parameters", "count")]
    for i, name in enumerate(network.names):
        specs = network.parameters_of(i)
        arrays = ", ".join(f"{key.rpartition('.')[2]} {spec.shape}" for key, spec in specs.items())
        count = sum(math.prod(spec.shape) for spec in specs.values())
        lines.append((network.layers[i].title(name), _shape(network.shapes[i + 1]), arrays, f"{count:,}"))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    text = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}" for a, b, c, d in lines]
    total = sum(array.size for array in parameters.values())
    ending = f"{total:,} parameters, {parameters.dtype}, {parameters.flat.nbytes:,} bytes with padding"
    return "\n".join([f"input {_shape(network.input_shape)}", *text, ending])


def _shape(shape: tuple[int, ...]) -> str:
    return f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
