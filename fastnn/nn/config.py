"""A network as plain data, and back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastnn.nn import layers, losses
from fastnn.nn.graph import Graph, Input, chain, graph_of
from fastnn.nn.layers.base import Layer, Node
from fastnn.nn.metrics import config as config_of_metrics
from fastnn.nn.network import Network
from fastnn.nn.outputs import Losses, Metrics, with_saved_metrics


def config_of(network: Network) -> dict[str, Any]:
    """The description of a network as plain data. Layers in a row are a list; of other networks calls are listed.

    Metrics that are functions are left out, as is what only says that there are no metrics.
    """
    measured = {output.name: config_of_metrics(output.metrics) for output in network.outputs}
    common: dict[str, Any] = {"l1": network.l1, "l2": network.l2}
    common |= {"metrics": measured} if any(measured.values()) else {}
    if network.graph.is_chain and network.outputs[0].weight == 1:
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


def network_of(
    config: Mapping[str, Any],
    loss: Losses | None = None,
    metrics: Metrics | None = None,
    own: Iterable[type[Layer]] = (),
) -> Network:
    """The network that `config` described; `loss` and `metrics` instead of those it had.

    loss : a dict of losses of some outputs leaves the others as they were

    own : the classes of layers that are a user's

    Of the metrics that it had, another loss keeps those that say something of its predictions. Metrics that are
    functions are in no config.
    """
    make = partial(layers.from_config, own=own)
    if "calls" in config:
        graph, weights = _graph(config, make), config["loss_weights"]
        loss = _losses(config["losses"], loss)
    else:
        graph, weights = chain([make(item) for item in config["layers"]], tuple(config["input_shape"])), None
        loss = loss or losses.from_config(config["loss"])
    network = Network(graph, loss, config["l1"], config["l2"], weights, metrics or ())
    if metrics is None:
        network.outputs = with_saved_metrics(network.outputs, config.get("metrics", {}))
    return network


def _losses(saved: Mapping[str, Any], given: Losses | None) -> Losses:
    """The losses of the outputs: a dict of some of them leaves the others as they were."""
    if given is not None and not isinstance(given, Mapping):
        return given
    others = {name: losses.from_config(item) for name, item in saved.items() if name not in (given or {})}
    return others | dict(given or {})


def _graph(config: Mapping[str, Any], make: Callable[[dict[str, Any]], Layer]) -> Graph:
    inputs: dict[str, Node] = {name: Input(tuple(shape)) for name, shape in config["inputs"].items()}
    named = {name: make(item) for name, item in config["layers"].items()}
    values: dict[str, Node] = dict(inputs)
    for owner, sources in config["calls"]:
        uses = sum(name.partition("@")[0] == owner for name in values)
        values[f"{owner}@{uses + 1}" if uses else owner] = named[owner](*(values[name] for name in sources))
    return graph_of(inputs, {name: values[value] for name, value in config["outputs"].items()})
