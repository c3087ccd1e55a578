"""The outputs of a network: the loss by which each is trained, its weight, and what is measured of it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fastnn.common.errors import ShapeError
from fastnn.common.names import near
from fastnn.common.validation import not_negative
from fastnn.nn.graph import Graph
from fastnn.nn.losses import Loss
from fastnn.nn.metrics import Given, Metric, WholeMetric, fitting, for_outputs


class Output(NamedTuple):
    """An output of a network.

    name     public; value: the name of the value that it is
    width    the number of its scores, at each step if there are several
    steps    0, or how many steps of a sequence it has, each with scores and a target of its own
    loss     by which it is trained, and its weight in the sum of all losses
    metrics  what is measured of it beside the loss that is trained
    """

    name: str
    value: str
    width: int
    loss: Loss
    weight: float
    metrics: tuple[Metric, ...] = ()
    steps: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample's scores."""
        return (self.steps, self.width) if self.steps else (self.width,)


Losses = Loss | Mapping[str, Loss]
Metrics = Iterable[Given] | Mapping[str, Iterable[Given]]


def outputs_of(graph: Graph, loss: Losses, weights: Mapping[str, float], metrics: Metrics) -> tuple[Output, ...]:
    """The outputs of a graph. ValueError for a name that none has, or a loss that is missing; ShapeError, TypeError."""
    if not isinstance(weights, Mapping):
        raise TypeError(
            f"loss_weights is {weights!r}, expected a dict by output, such as {dict.fromkeys(graph.outputs, 1)}"
        )
    losses = dict(loss) if isinstance(loss, Mapping) else dict.fromkeys(graph.outputs, loss)
    for what, given in (("loss", losses), ("loss_weights", weights)):
        if unknown := next((name for name in given if name not in graph.outputs), None):
            raise ValueError(f"{what} names the output {unknown!r}; {near(unknown, graph.outputs)}")
    if missing := next((name for name in graph.outputs if name not in losses), None):
        raise ValueError(f"the output {missing!r} has no loss")
    if len({one.reduction for one in losses.values()}) > 1:
        raise ValueError("losses have different reductions, expected all 'mean' or all 'sum'")
    found = []
    for name, value in graph.outputs.items():
        weight = not_negative(f"loss_weights[{name!r}]", weights.get(name, 1.0))
        *steps, width = _shape(graph, value, losses[name])
        found.append(Output(name, value, width, losses[name], weight, steps=math.prod(steps) if steps else 0))
    return with_metrics(found, metrics)


def with_metrics(outputs: Iterable[Output], given: Metrics) -> tuple[Output, ...]:
    """The same outputs, with these metrics beside what their losses measure. Errors as of `for_outputs`."""
    by_name = {output.name: output for output in outputs}
    metrics = for_outputs(given, {name: (output.loss, output.width) for name, output in by_name.items()})
    for name, output in by_name.items():
        _check_metrics(output, metrics[name])
    return tuple(output._replace(metrics=metrics[name]) for name, output in by_name.items())


def with_saved_metrics(outputs: Iterable[Output], saved: Mapping[str, Iterable[Any]]) -> tuple[Output, ...]:
    """The same outputs, with those of the saved metrics that say something of predictions of their losses."""
    outputs = tuple(outputs)
    kept = {output.name: fitting(saved.get(output.name, ()), output.loss, output.width) for output in outputs}
    return with_metrics(outputs, kept)


def _shape(graph: Graph, value: str, loss: Loss) -> tuple[int, ...]:
    """The shape of a sample of scores: (outputs,), or (steps, outputs) where each step of a sequence has a label."""
    shape = (graph.inputs | {call.name: call.shape for call in graph.calls})[value]
    if len(shape) == 2 and loss.takes_labels:
        if len(graph.outputs) > 1:
            raise ShapeError(f"{value} has a label at each of {shape[0]} steps, expected it as the only output")
        return shape
    if len(shape) != 1:
        at_steps = ", or behind it for numbers at each step" if len(shape) == 2 else ""
        hint = f"put Flatten() before it{at_steps}"
        raise ShapeError(f"{value} ends with samples of shape {shape}, expected (outputs,): {hint}")
    return shape


def _check_metrics(output: Output, metrics: Iterable[Metric]) -> None:
    """ValueError for a metric that needs all predictions at once, of an output with a label at each step."""
    if output.steps and (whole := next((one for one in metrics if isinstance(one, WholeMetric)), None)):
        raise ValueError(
            f"metric {whole.name!r} compares a label a sample with its prediction, but {output.value} has a label at "
            f"each of {output.steps} steps; use 'accuracy', 'top_5', 'perplexity'"
        )
