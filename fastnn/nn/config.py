"""A network as plain data, and back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastnn.nn import layers, losses
from fastnn.nn.graph import Graph, Input, chain, graph_of
from fastnn.nn.layers.base import Node
from fastnn.nn.losses import Loss
from fastnn.nn.network import Network


def config_of(network: Network) -> dict[str, Any]:
    """The description of a network as plain data. Layers in a row are a list; of other networks calls are listed."""
    common = {"l1": network.l1, "l2": network.l2}
    if network.graph.is_chain:
        stack = [layer.config() for layer in network.layers]
        return {"layers": stack, "input_shape": list(network.input_shape), "loss": network.loss.config()} | common
    named = {call.owner: replace(call.layer, name=call.owner).config() for call in network.calls}
    return {
        "inputs": {name: list(shape) for name, shape in network.graph.inputs.items()},
        "layers": named,
        "calls": [[call.owner, list(call.inputs)] for call in network.calls],
        "outputs": network.graph.outputs,
        "losses": {output.name: output.loss.config() for output in network.outputs},
        "loss_weights": {output.name: output.weight for output in network.outputs},
    } | common


def network_of(config: Mapping[str, Any], loss: Loss | Mapping[str, Loss] | None = None) -> Network:
    """The network that `config` described; `loss` instead of the one it had."""
    if "calls" in config:
        graph = _graph(config)
        given = loss or {name: losses.from_config(item) for name, item in config["losses"].items()}
        return Network(graph, given, config["l1"], config["l2"], config["loss_weights"])
    stack = [layers.from_config(item) for item in config["layers"]]
    graph = chain(stack, tuple(config["input_shape"]))
    return Network(graph, loss or losses.from_config(config["loss"]), config["l1"], config["l2"])


def _graph(config: Mapping[str, Any]) -> Graph:
    inputs: dict[str, Node] = {name: Input(tuple(shape)) for name, shape in config["inputs"].items()}
    named = {name: layers.from_config(item) for name, item in config["layers"].items()}
    values: dict[str, Node] = dict(inputs)
    for owner, sources in config["calls"]:
        uses = sum(name.partition("@")[0] == owner for name in values)
        values[f"{owner}@{uses + 1}" if uses else owner] = named[owner](*(values[name] for name in sources))
    return graph_of(inputs, {name: values[value] for name, value in config["outputs"].items()})
