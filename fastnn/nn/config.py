"""A network as plain data, and back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastnn.nn import layers, losses
from fastnn.nn.graph import Graph, Input, chain, graph_of
from fastnn.nn.layers.base import Node
from fastnn.nn.network import Network
from fastnn.nn.outputs import Losses, Metrics


def config_of(network: Network) -> dict[str, Any]:
    """The description of a network as plain data. Layers in a row are a list; of other networks calls are listed."""
    metrics = {output.name: saved for output in network.outputs if (saved := output.saved_metrics())}
    common: dict[str, Any] = {"l1": network.l1, "l2": network.l2}
    if network.graph.is_chain:
        stack = [layer.config() for layer in network.layers]
        return (
            {"layers": stack, "input_shape": list(network.input_shape), "loss": network.loss.config()}
            | common
            | _listed(metrics)
        )
    named = {call.owner: replace(call.layer, name=call.owner).config() for call in network.calls}
    return {
        "inputs": {name: list(shape) for name, shape in network.graph.inputs.items()},
        "layers": named,
        "calls": [[call.owner, list(call.inputs)] for call in network.calls],
        "outputs": network.graph.outputs,
        "losses": {output.name: output.loss.config() for output in network.outputs},
        "loss_weights": {output.name: output.weight for output in network.outputs},
        **({"metrics": metrics} if metrics else {}),
    } | common


def _listed(metrics: dict[str, list[Any]]) -> dict[str, Any]:
    """The metrics of a single output; nothing if there are none."""
    return {"metrics": next(iter(metrics.values()))} if metrics else {}


def network_of(config: Mapping[str, Any], loss: Losses | None = None, metrics: Metrics | None = None) -> Network:
    """The network that `config` described; `loss` and `metrics` instead of those it had.

    Of the metrics that it had, another loss keeps those that say something of its predictions. Metrics that are
    functions are in no config.
    """
    if "calls" in config:
        graph, weights = _graph(config), config["loss_weights"]
        own: Losses = {name: losses.from_config(item) for name, item in config["losses"].items()}
    else:
        stack = [layers.from_config(item) for item in config["layers"]]
        graph, weights = chain(stack, tuple(config["input_shape"])), None
        own = losses.from_config(config["loss"])
    network = Network(graph, loss or own, config["l1"], config["l2"], weights, metrics or ())
    if metrics is None:
        had = config.get("metrics", {})
        by_output = had if isinstance(had, Mapping) else dict.fromkeys(graph.outputs, had)
        network.outputs = tuple(one.with_saved_metrics(by_output.get(one.name, ())) for one in network.outputs)
    return network


def _graph(config: Mapping[str, Any]) -> Graph:
    inputs: dict[str, Node] = {name: Input(tuple(shape)) for name, shape in config["inputs"].items()}
    named = {name: layers.from_config(item) for name, item in config["layers"].items()}
    values: dict[str, Node] = dict(inputs)
    for owner, sources in config["calls"]:
        uses = sum(name.partition("@")[0] == owner for name in values)
        values[f"{owner}@{uses + 1}" if uses else owner] = named[owner](*(values[name] for name in sources))
    return graph_of(inputs, {name: values[value] for name, value in config["outputs"].items()})
