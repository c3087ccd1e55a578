"""The operations that judge a batch: the loss of each output, and the record of a step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import Lanes, TimeSteps, Value
from fastnn.nn import narrow, time_steps
from fastnn.nn.layers.labelled import AwaitsTargets
from fastnn.nn.metrics import Scored, ScoredSteps
from fastnn.nn.network import Network
from fastnn.nn.outputs import Output
from fastnn.training.history import figures
from fastnn.training.history.figures import Figures
from fastnn.training.steps.batch import gather, gather_ids
from fastnn.training.steps.step import Inputs


@dataclass(frozen=True)
class Judged:
    """A batch of which losses are known.

    of_outputs  what each output's loss makes of it
    dscores     the gradients of the scores of each output; none in an evaluation
    loss        (B,) of each sample: the sum of the outputs' losses by their weights
    weights     (B,) how much each sample counts, and the same divided as the loss asks
    """

    of_outputs: tuple[Scored, ...]
    dscores: tuple[Value, ...]
    loss: Buffer
    weights: tuple[Buffer, Buffer]

    @property
    def recorded(self) -> tuple[Buffer, Buffer]:
        """What record_step adds up: the loss, and the correctness of the first output."""
        return self.loss, self.of_outputs[0].correct

    def measure(self, network: Network) -> Figures:
        """Emit what the metrics of all outputs measure of each sample."""
        of_outputs = zip(network.outputs, self.of_outputs, strict=True)
        measured = ((metric, scored) for output, scored in of_outputs for metric in output.metrics)
        return figures.emit(measured, *self.recorded)


def emit_weights(
    build: Builder,
    inputs: Inputs,
    network: Network,
    weighted: bool,
    full_batch: bool = False,
    scale: Buffer | None = None,
) -> Inputs:
    """Emit the weights of the batch's samples, unless all count alike; the inputs, with these as loss weights.

    scale : as of `emit_loss`
    """
    build.begin("loss")
    if not weighted:
        return inputs
    gather(build, inputs, k.gather_values, inputs.sample_weight, inputs.weights, full_batch)
    if network.loss.reduction == "sum":
        return replace(inputs, loss_weight=inputs.sample_weight)
    _emit_divided(build, inputs.loss_weight, inputs.sample_weight, scale)
    return inputs


def _emit_divided(build: Builder, divided: Buffer, weights: Buffer, scale: Buffer | None) -> None:
    """Emit weights divided by the sum of those of the batch. scale : as of `emit_loss`"""
    if scale is None:
        build.emit(k.normalise_weights, divided, weights)
    else:
        build.emit(k.scale_values, divided, weights, scale)


def emit_loss(
    build: Builder,
    inputs: Inputs,
    network: Network,
    scores: Sequence[Value],
    full_batch: bool = False,
    layout: narrow.Layout | None = None,
    scale: Buffer | None = None,
) -> Judged:
    """Emit the losses of the batch and, unless the builder needs none, the gradients of the scores.

    scale : (1,) 1 / Σ weights of a batch of which this process has a part; None: it has the whole
    """
    found, weights = [], (inputs.sample_weight, inputs.loss_weight)
    for output, one, source in zip(network.outputs, scores, inputs.y, strict=True):
        target = _gather_target(build, inputs, output, one, source, full_batch)
        if output.steps:
            weights = _weights_by_steps(build, output, inputs.sample_weight, target, scale)
        weight = _scaled(build, weights[1], output.weight)
        if output.steps:
            found.append(_emit_steps(build, output, one, target, weight))
        elif isinstance(one, AwaitsTargets):
            found.append(_emit_awaited(build, output, one, target, weight))
        else:
            found.append(_emit_output(build, output, one, target, weight, layout))
    judged, dscores = zip(*found, strict=True)
    total = _weighted_sum(build, network.outputs, [one.each for one in judged])
    return Judged(judged, dscores if build.differentiates else (), total, weights)


def _gather_target(
    build: Builder, inputs: Inputs, output: Output, scores: Value, source: Buffer, full_batch: bool
) -> Buffer:
    """Emit the gathering of a batch's targets of one output: labels, or as many numbers as it has scores.

    Those of a narrow net are in lanes, if its loss takes them so.
    """
    if output.steps:
        target = build.array("labels", (build.batch, output.steps), np.int32, batched=True)
        gather_ids(build, inputs, target, source, output.width + 1, full_batch)  # the last one: no label
    elif output.loss.takes_labels:
        target = build.array("labels", (build.batch,), np.int32, batched=True)
        gather_ids(build, inputs, target, source, output.width, full_batch)
    elif narrow.takes_lanes(output.loss, scores):
        target = narrow.targets(build, scores)
        gather(build, inputs, k.gather_lanes, target, source, full_batch)
    else:
        target = build.value("y", scores.shape).buffer
        gather(build, inputs, k.gather_rows, target, source, full_batch)
    return target


def _emit_output(
    build: Builder, output: Output, scores: Value, target: Buffer, weight: Buffer, layout: narrow.Layout | None
) -> tuple[Scored, Value | None]:
    """Emit the loss of one output: what it makes of each sample, and the gradient of its scores, if one is needed."""
    loss, rows, dscores = output.loss, partial(Value, scores.buffer, scores.shape), None
    if layout is not None and isinstance(scores, Lanes):
        each, correct, dscores = narrow.emit_loss(build, loss, scores, layout, target, weight)
        rows = partial(narrow.emit_rows, build, scores)
        if output.metrics and narrow.takes_lanes(loss, scores):  # metrics take rows
            target = narrow.emit_rows(build, Lanes(target, scores.shape, 0), "y").buffer
    elif build.differentiates:
        each, correct, dscores = loss.emit(build, scores, target, weight)
    else:
        each, correct = loss.emit_value(build, scores, target, weight)
    return Scored(build, loss, rows, target, weight, each, correct), dscores


def _emit_awaited(
    build: Builder, output: Output, awaits: AwaitsTargets, labels: Buffer, weight: Buffer
) -> tuple[Scored, Value | None]:
    """As `_emit_output`, for a layer whose scores depend on the targets."""
    scores, column = awaits.against(build, labels)
    scored, dscores = _emit_output(build, output, scores, column, weight, None)
    if awaits.complete is not None:
        all_scores = awaits.complete(build, scored.each, scored.correct, weight)
        scored = replace(scored, emit_rows=all_scores, target=labels)
    return scored, dscores


def _weights_by_steps(
    build: Builder, output: Output, given: Buffer, target: Buffer, scale: Buffer | None
) -> tuple[Buffer, Buffer]:
    """Emit the weights of samples all of whose labelled steps count alike, and the same divided as the loss asks."""
    counted = build.array("weight by steps", (build.batch,), batched=True)
    build.emit(k.count_targets, counted, given, target, output.width)
    if output.loss.reduction == "sum":
        return counted, counted
    divided = build.array("loss weight by steps", (build.batch,), batched=True)
    _emit_divided(build, divided, counted, scale)
    return counted, divided


def _emit_steps(
    build: Builder, output: Output, scores: Value, target: Buffer, weight: Buffer
) -> tuple[Scored, Value | None]:
    """As `_emit_output`, for an output of which each step of a sequence has a label."""
    with build.at_time_steps(output.steps):
        labels = build.array("label of each step", (build.batch,), np.int32, batched=True)
        of_each = build.array("weight of each step", (build.batch,), batched=True)
    build.emit(k.step_labels, labels, of_each, target, weight, output.width)
    rows = scores if isinstance(scores, AwaitsTargets) else time_steps.steps_of(build, scores)
    with build.at_time_steps(output.steps):
        if isinstance(rows, AwaitsTargets):
            scored, dscores = _emit_awaited(build, output, rows, labels, of_each)
        else:
            scored, dscores = _emit_output(build, output, rows, labels, of_each, None)
    if dscores is not None and not isinstance(scores, AwaitsTargets | TimeSteps):
        dscores = time_steps.sequences_of(build, dscores, output.steps)
    return ScoredSteps.of(scored, target, output.steps, output.width), dscores


def _scaled(build: Builder, values: Buffer, factor: float) -> Buffer:
    """Emit the product of a number for each sample and a constant."""
    if factor == 1:
        return values
    scaled = build.array(f"{factor:g} {values.name}", (build.batch,), batched=True)
    build.emit(k.scale_values, scaled, values, build.constant([factor]))
    return scaled


def _weighted_sum(build: Builder, outputs: Sequence[Output], losses: Sequence[Buffer]) -> Buffer:
    """Emit the sum of the outputs' losses of each sample."""
    total = _scaled(build, losses[0], outputs[0].weight)
    for output, loss in zip(outputs[1:], losses[1:], strict=True):
        summed = build.array("loss", (build.batch,), batched=True)
        build.emit(k.add_scaled, summed, total, loss, build.constant([output.weight]))
        total = summed
    return total


def emit_record(build: Builder, inputs: Inputs, judged: Judged, measured: Figures) -> None:
    """Emit the end of a step: loss and metrics recorded, the cursor moved on."""
    figures.emit_record(build, inputs.sums, judged.weights[0], measured)
    written = inputs.losses, inputs.sums, inputs.cursor
    build.emit(k.record_step, *written, *judged.recorded, *judged.weights)
