"""Outputs with a label at every time step of a sequence: layers, losses and predictions take its steps as samples."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import TimeSteps, Value
from fastnn.nn.layers import Layer
from fastnn.nn.layers.labelled import AwaitsTargets
from fastnn.nn.network import Network
from fastnn.nn.outputs import Output


def forward(layer: Layer, build: Builder, x: Value, p: Mapping[str, ParameterView]) -> tuple[Value, Callable]:
    """As `forward` of the layer, for sequences x (N, T, C) of a layer that takes samples (C,)."""
    steps, rows = x.shape[0], steps_of(build, x)
    with build.at_time_steps(steps):
        out, layer_backward = layer.forward(build, rows, p)

    def backward(dout, grads, wanted):
        with build.at_time_steps(steps):
            dx = layer_backward(dout, grads, wanted)
        return None if dx is None else sequences_of(build, dx, steps)

    if isinstance(out, AwaitsTargets):  # it has the numbers of x, in whatever rows these are
        return replace(out, buffer=x.buffer, shape=x.shape), backward
    return TimeSteps(out.buffer, (steps, *out.shape)), backward


def steps_of(build: Builder, x: Value) -> Value:
    """The steps of sequences x (N, T, C) as samples (C,), `at_time_steps`; emits a copy unless they are that."""
    steps, width = x.shape
    if isinstance(x, TimeSteps):
        return Value(x.buffer, (width,))
    with build.at_time_steps(steps):
        rows = build.value("rows of steps", (width,))
    build.emit(k.sequences_to_steps, rows.buffer, x.buffer, steps, width)
    return rows


def sequences_of(build: Builder, rows: Value, steps: int) -> Value:
    """Emit the sequences (N, T, C) of which `rows` are the steps."""
    out = build.value("steps of rows", (steps, rows.width))
    build.emit(k.steps_to_sequences, out.buffer, rows.buffer, steps, rows.width)
    return out


def predictions(build: Builder, output: Output, scores: Value) -> Value:
    """Emit what the loss of an output calls predictions: of each step, if it is judged there."""
    if not output.steps:
        return output.loss.emit_predictions(build, scores)
    rows = steps_of(build, scores)
    with build.at_time_steps(output.steps):
        found = output.loss.emit_predictions(build, rows)
    return TimeSteps(found.buffer, scores.shape)


def tokens_of_samples(network: Network) -> int:
    """How many tokens a sample is, where samples are rows of ids with a label at each; 0 where they are not."""
    is_of_ids = any(map(network.is_ids, network.graph.inputs))
    return network.outputs[0].steps if is_of_ids else 0
