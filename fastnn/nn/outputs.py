"""The outputs of a network: the loss by which each is trained, its weight, and what is measured of it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fastnn.common import validation
from fastnn.common.errors import ShapeError
from fastnn.common.names import near
from fastnn.nn.graph import Graph
from fastnn.nn.losses import Loss
from fastnn.nn.metrics import Given, Metric, OutputLoss, fitting, resolve
from fastnn.nn.metrics import config as config_of_metrics


class Output(NamedTuple):
    """An output of a network.

    name     public; value: the name of the value that it is
    width    the number of its scores
    loss     by which it is trained, and its weight in the sum of all losses
    metrics  what is measured beside the loss: what it measures itself, then those that were given
    prefix   of the names of its figures: empty if the network has no other output
    """

    name: str
    value: str
    width: int
    loss: Loss
    weight: float
    metrics: tuple[Metric, ...]
    prefix: str

    def with_metrics(self, given: Any) -> "Output":
        """The same output with other metrics beside what the loss measures."""
        found = resolve(given, self.loss, self.width, self.prefix)
        own = (OutputLoss(f"{self.prefix}loss", self.loss, self.width),) if self.prefix else ()
        return self._replace(metrics=(*own, *found))

    def with_saved_metrics(self, had: Iterable[Any]) -> "Output":
        """The same output with those metrics that say something of predictions of its loss."""
        return self.with_metrics(fitting(had, self.loss, self.width))

    def saved_metrics(self) -> list[Any]:
        """The metrics that a file can name, beside what the loss measures."""
        return config_of_metrics(self.metrics, self.prefix)


Losses = Loss | Mapping[str, Loss]
Metrics = Iterable[Given] | Mapping[str, Iterable[Given]]


def outputs_of(graph: Graph, loss: Losses, weights: Mapping[str, float], metrics: Metrics) -> tuple[Output, ...]:
    """The outputs of a graph. ValueError for a name that none has, or a loss that is missing; ShapeError, TypeError."""
    losses = dict(loss) if isinstance(loss, Mapping) else dict.fromkeys(graph.outputs, loss)
    measured = dict(metrics) if isinstance(metrics, Mapping) else dict.fromkeys(graph.outputs, metrics)
    for what, given in (("loss", losses), ("loss_weights", weights), ("metrics", measured)):
        if unknown := next((name for name in given if name not in graph.outputs), None):
            raise ValueError(f"{what} names the output {unknown!r}; {near(unknown, graph.outputs)}")
    if missing := next((name for name in graph.outputs if name not in losses), None):
        raise ValueError(f"the output {missing!r} has no loss")
    if len({one.reduction for one in losses.values()}) > 1:
        raise ValueError("losses have different reductions, expected all 'mean' or all 'sum'")
    several = len(graph.outputs) > 1
    found = []
    for name, value in graph.outputs.items():
        prefix = f"{name}_" if several else ""
        width, weight = _width(graph, value), _weight(name, weights.get(name, 1.0))
        output = Output(name, value, width, losses[name], weight, (), prefix)
        found.append(output.with_metrics(measured.get(name, ())))
    return tuple(found)


def _width(graph: Graph, value: str) -> int:
    shape = (graph.inputs | {call.name: call.shape for call in graph.calls})[value]
    if len(shape) != 1:
        raise ShapeError(f"{value} ends with samples of shape {shape}, expected (outputs,): put Flatten() before")
    return math.prod(shape)


def _weight(name: str, given: Any) -> float:
    weight = validation.real_number(f"loss_weights[{name!r}]", given)
    if not 0 <= weight < math.inf:
        raise ValueError(f"loss_weights[{name!r}] is {weight}, expected a finite number ≥ 0")
    return weight
