"""From a network to a compiled step: the operations of a prediction, an evaluation and a training step.

The order of the samples, the gathering of a batch and the record of its loss are operations like those of the layers:
so the compiled loop runs many steps without coming back to Python.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.program import Program
from fastnn.engine.values import Value
from fastnn.nn import emission, time_steps
from fastnn.nn.metrics import WholeMetric
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer
from fastnn.training.steps import batch as batches
from fastnn.training.steps import scoring
from fastnn.training.steps.differentiate import Differentiated, differentiate
from fastnn.training.steps.sample_steps import compile_sample_steps
from fastnn.training.steps.step import Inputs, Step, values_of
from fastnn.training.steps.update import emit_penalties, emit_update
from fastnn.training.steps.ways import Request, way_of


def compile_predict(network: Network, state: State, batch: int, logits: bool) -> Step:
    """A step that computes scores, or what the loss calls a prediction."""
    build, inputs = batches.begin(network, state, batch)
    batches.emit_order(build, inputs)
    xs = batches.gather_inputs(build, inputs, network)
    scores, _ = emission.forward(build, network, xs, state)
    if not logits:
        scores = [time_steps.predictions(build, one, x) for one, x in zip(network.outputs, scores, strict=True)]
    build.emit(k.advance_cursor, inputs.cursor, inputs.indices)
    program, values = Program(build, inputs.bound), values_of(build, network, xs)
    return Step(program, inputs, batch, network.loss, outputs=tuple(scores), values=values)


def compile_evaluate(network: Network, state: State, batch: int, *, weighted=False, training=False) -> Step:
    """A step that records loss and metrics. With `training`, layers behave as in training.

    Its outputs are the predictions, if a metric needs them all at once.
    """
    build, inputs = batches.begin(network, state, batch, training)
    build.differentiates = False
    batches.emit_order(build, inputs)
    xs = batches.gather_inputs(build, inputs, network)
    scores, _ = emission.forward(build, network, xs, state)
    inputs = scoring.emit_weights(build, inputs, network, weighted)
    judged = scoring.emit_loss(build, inputs, network, scores)
    measured = judged.measure(network)
    needs_all = any(isinstance(metric, WholeMetric) for metric in network.metrics)
    outputs = tuple(one.predictions for one in judged.of_outputs) if needs_all else ()
    emit_penalties(build, inputs, network, state.parameters, None)
    scoring.emit_record(build, inputs, judged, measured)
    program = Program(build, inputs.bound, unread=_unread(build, inputs, outputs))
    return Step(program, inputs, batch, network.loss, training, weighted=weighted, outputs=outputs, figures=measured)


def compile_train(
    network: Network,
    state: State,
    batch: int,
    optimizer: Optimizer | None = None,
    *,
    shuffle: bool = False,
    weighted: bool = False,
    fused: bool = False,
    full_batch: bool = False,
    block: int = 1,
    layered: bool = False,
) -> Step:
    """A step that computes gradients and, with an optimizer, updates all parameters by them.

    batch   : how many samples a step takes; the last one of a pass may take fewer
    fused   : use gradients where they arise, slice by slice, and never store them whole; the bits are the same
    full_batch: each step takes all samples
    block   : how many steps the first layer's weight takes at once; above 1 only where `blocks.check` allows it
    layered : emit layer by layer also where a net's layers are so narrow that one kernel can take them all
    """
    request = Request(network, state, batch, optimizer, shuffle, weighted, fused, full_batch, block, layered)
    return _compile_train(request)


def _compile_train(request: Request) -> Step:
    again = partial(_compile_train, replace(request, layered=True))
    if request.is_one_kernel and request.optimizer is not None:
        return compile_sample_steps(request.network, request.state, request.optimizer, request.shuffle, again)
    way = way_of(request)
    begun = differentiate(request, way, request.batch * way.steps)
    inputs = _emit_update(begun)
    begun.emit_record()
    way.end(begun.build, request.state.parameters)
    transient = list(begun.gradients.buffers.values()) if request.fused else ()
    values = values_of(begun.build, request.network, begun.xs).values()
    return begun.step(
        Program(begun.build, inputs.bound, transient, unread=_unread(begun.build, inputs, values)),
        inputs,
        block=way.steps,
        divisible=way.divisible,
        fused=request.fused,
        layered=again if way.hides_layers else None,
    )


def _unread(build: Builder, inputs: Inputs, values: Iterable[Value]) -> list[Buffer]:
    """The buffers that nobody reads after a step, and the runner does not write. values : those that are read"""
    read = {*inputs.written, *inputs.wrong.values(), *(one.buffer for one in values)}
    return [one for one in build.buffers if one not in read]


def _emit_update(begun: Differentiated) -> Inputs:
    """Emit penalties and, with an optimizer, the update; the inputs, with the table of its scalars."""
    request, inputs = begun.request, begun.inputs
    begun.build.begin("update")
    emit_penalties(begun.build, inputs, request.network, request.state.parameters, begun.gradients)
    return inputs if request.optimizer is None else emit_update(begun, request.optimizer)
