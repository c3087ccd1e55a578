"""From a network to a compiled step: the operations of a prediction, an evaluation and a training step.

The order of the samples, the gathering of a batch and the record of its loss are operations like those of the layers:
so the compiled loop runs many steps without coming back to Python.
"""

from collections.abc import Sequence
from functools import partial

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import take_small_pages
from fastnn.engine.parameters import Block
from fastnn.engine.program import Program
from fastnn.engine.values import Value
from fastnn.nn import emission, narrow, narrow_sgd, steps
from fastnn.nn.layers.blocked import emit_block_update
from fastnn.nn.metrics import WholeMetric
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer
from fastnn.training import batch as batches
from fastnn.training import blocks, scoring
from fastnn.training.sample_steps import compile_sample_steps
from fastnn.training.scalars import table_of_scalars
from fastnn.training.step import Inputs, Step


def compile_predict(network: Network, state: State, batch: int, logits: bool) -> Step:
    """A step that computes scores, or what the loss calls a prediction."""
    build, inputs = batches.begin(network, state, batch)
    batches.emit_order(build, inputs)
    xs = batches.gather_inputs(build, inputs, network)
    scores, _ = emission.forward(build, network, xs, state)
    if not logits:
        scores = [steps.predictions(build, one, x) for one, x in zip(network.outputs, scores, strict=True)]
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
    whole = any(isinstance(metric, WholeMetric) for metric in network.metrics)
    outputs = tuple(one.predictions for one in judged.of_outputs) if whole else ()
    scoring.emit_penalties(build, inputs, network, state.parameters, None)
    scoring.emit_record(build, inputs, judged, measured)
    read = {*inputs.written, *inputs.wrong.values(), *(one.buffer for one in outputs)}
    program = Program(build, inputs.bound, unread=[one for one in build.buffers if one not in read])
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
    whole: bool = False,
    block: int = 1,
    layered: bool = False,
) -> Step:
    """A step that computes gradients and, with an optimizer, updates all parameters by them.

    fused   : use gradients where they arise, slice by slice, and never store them whole; the bits are the same
    whole   : each step takes all samples
    block   : how many steps the first layer's weight takes at once; above 1 only where `blocks.check` allows it
    layered : emit layer by layer also where a net's layers are so narrow that one kernel can take them all
    """
    settings = {"shuffle": shuffle, "weighted": weighted, "fused": fused, "whole": whole}
    again = partial(compile_train, network, state, batch, optimizer, **settings, layered=True)
    one_by_one = batch == block == 1 and fused and not (layered or weighted or whole)
    if one_by_one and optimizer is not None and narrow_sgd.fits(network, optimizer):
        return compile_sample_steps(network, state, optimizer, shuffle, again)
    ahead = blocks.steps_ahead(network, optimizer) if one_by_one else 1
    at_once = max(block, ahead)
    build, inputs = batches.begin(network, state, batch * at_once, training=True)
    batches.emit_order(build, inputs, shuffle, whole)
    fits = at_once == 1 and not layered and narrow.is_narrow(network)
    plan = narrow.plan_of(network, state.parameters) if fits else None
    xs = batches.gather_inputs(build, inputs, network, whole, plan)
    if plan is None:
        runs = network.blocked() if block > 1 else network.ahead() if ahead > 1 else network
        scores, backward = emission.forward(build, runs, xs, state)
    else:
        scores, backward = narrow.forward(build, xs, inputs.indices, network, plan, state)
    inputs = scoring.emit_weights(build, inputs, network, weighted, whole)
    judged = scoring.emit_loss(build, inputs, network, scores, whole, plan)
    measured = judged.measure(network)
    gradients = state.parameters.like()
    if fused and not network.penalties():  # but for those of weights that are used twice, none is stored whole
        take_small_pages(gradients.flat)
    build.frozen, build.joined = network.frozen, network.joined - network.frozen - set(network.penalties())
    build.whole = (network.shared - build.joined).union(network.penalties())
    if fused and optimizer is not None:
        build.may_shorten = optimizer.reads_lists_alone
    if fused and batch == 1 and optimizer is not None and optimizer.takes_outer_products:
        build.unstored = set(state.parameters) - build.whole - build.frozen
    backward(judged.dscores, gradients)
    build.begin("update")
    scoring.emit_penalties(build, inputs, network, state.parameters, gradients)
    if optimizer is not None:
        inputs = emit_update(build, inputs, network, optimizer, state.parameters, gradients)
    scoring.emit_record(build, inputs, judged, measured)
    if at_once > 1:
        build.end_one_by_one()
        for name in build.kept_steps:
            emit_block_update(build, state.parameters.view(name))
    return Step(
        Program(build, inputs.bound, list(gradients.buffers.values()) if fused else ()),
        inputs,
        batch,
        network.loss,
        trains=True,
        shuffles=shuffle,
        weighted=weighted,
        whole=whole,
        block=at_once,
        divisible=ahead > 1,
        values=values_of(build, network, xs),
        gradients=gradients,
        fused=fused,
        figures=measured,
        names=names_of(state.parameters, gradients),
        layered=again if plan is not None or ahead > 1 else None,
    )


def emit_update(
    build: Builder, inputs: Inputs, network: Network, optimizer: Optimizer, parameters: Block, gradients: Block
) -> Inputs:
    """Emit the optimizer's update and the bounds on norms; the inputs, with the table of the optimizer's scalars."""
    table = table_of_scalars(build, optimizer, parameters)
    scalars = build.array("scalars", table.shape[1:])
    build.emit(k.select_scalars, scalars, table, inputs.cursor)
    optimizer.emit(build, parameters, gradients, scalars)
    for name, bound in network.max_norms().items():
        build.emit(k.max_norm_columns, parameters.buffers[name], build.constant([bound]))
    return inputs.with_scalars(table)


def values_of(build: Builder, network: Network, xs: Sequence[Value]) -> dict[str, Value]:
    """The inputs and the output of each layer, by name."""
    return {**dict(zip(network.graph.inputs, xs, strict=True)), **build.outputs}


def names_of(parameters: Block, gradients: Block) -> dict[int, str]:
    """The names of both in messages, by the id of the array."""
    named = (("", parameters), ("gradient of ", gradients))
    return {id(array): prefix + name for prefix, block in named for name, array in block.buffers.items()}
