"""From a network to a compiled step: the operations of a prediction, an evaluation and a training step.

The order of the samples, the gathering of a batch and the record of its loss are operations like those of the layers:
so the compiled loop runs many steps without coming back to Python.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder, Lanes, Value
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Slice
from fastnn.engine.parameters import Block
from fastnn.engine.program import Program
from fastnn.nn import emission, narrow
from fastnn.nn.layers.blocked import emit_block_update
from fastnn.nn.losses import Loss
from fastnn.nn.network import Network, Output, State
from fastnn.nn.optimizers import Optimizer
from fastnn.training.step import BOUND, Inputs, Step
from fastnn_kernels._jit import Kernel
from fastnn_kernels._sums import chunks
from fastnn_kernels.batch import ROUNDS

STEPS_PER_CALL = 1024  # at most: the rows of the table of scalars

PENALTIES = (k.penalty_l1, k.penalty_l2)
PENALTY_GRADIENTS = (k.add_l1, k.add_l2)


def compile_predict(network: Network, state: State, batch: int, logits: bool) -> Step:
    """A step that computes scores, or what the loss calls a prediction."""
    build, inputs = _begin(network, state, batch)
    _emit_order(build, inputs)
    xs = _gather_x(build, inputs, network)
    scores, _ = emission.forward(build, network, xs, state)
    if not logits:
        scores = [one.loss.emit_predictions(build, x) for one, x in zip(network.outputs, scores, strict=True)]
    build.emit(k.advance_cursor, inputs.cursor, inputs.indices)
    program, values = Program(build, inputs.bound), _values(build, network, xs)
    return Step(program, inputs, batch, network.loss, outputs=tuple(scores), values=values)


def compile_evaluate(network: Network, state: State, batch: int, *, weighted=False, training=False) -> Step:
    """A step that records loss and accuracy. With `training`, layers behave as in training."""
    build, inputs = _begin(network, state, batch, training)
    _emit_order(build, inputs)
    xs = _gather_x(build, inputs, network)
    scores, _ = emission.forward(build, network, xs, state)
    inputs = _emit_weights(build, inputs, network.loss, weighted)
    loss, correct, _ = _emit_loss(build, inputs, network, scores)
    _emit_penalties(build, inputs, network, state.parameters, None)
    _emit_record(build, inputs, loss, correct)
    program = Program(build, inputs.bound)
    values = _values(build, network, xs)
    return Step(program, inputs, batch, network.loss, training, weighted=weighted, values=values)


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
    build, inputs = _begin(network, state, batch * block, training=True)
    _emit_order(build, inputs, shuffle, whole)
    fits = block == 1 and not layered and narrow.is_narrow(network)
    plan = narrow.plan_of(network, state.parameters) if fits else None
    xs = _gather_x(build, inputs, network, whole, plan)
    if plan is None:
        scores, backward = emission.forward(build, network.blocked() if block > 1 else network, xs, state)
    else:
        scores, backward = narrow.forward(build, xs, inputs.indices, network, plan, state)
    inputs = _emit_weights(build, inputs, network.loss, weighted, whole)
    loss, correct, dscores = _emit_loss(build, inputs, network, scores, whole, plan)
    gradients = state.parameters.like()
    build.whole, build.frozen = network.shared.union(network.penalties()), network.frozen
    if fused and batch == 1 and optimizer is not None and optimizer.takes_outer_products:
        build.unstored = set(state.parameters) - build.whole - build.frozen
    backward(dscores, gradients)
    build.begin("update")
    _emit_penalties(build, inputs, network, state.parameters, gradients)
    if optimizer is not None:
        inputs = _emit_update(build, inputs, network, optimizer, state.parameters, gradients)
    _emit_record(build, inputs, loss, correct)
    if block > 1:
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
        block=block,
        values=_values(build, network, xs),
        gradients=gradients,
        fused=fused,
        names=_names(state.parameters) | _names(gradients, "gradient of "),
        layered=again if plan is not None else None,
    )


def _begin(network: Network, state: State, batch: int, training: bool = False) -> tuple[Builder, Inputs]:
    dtype = state.parameters.dtype
    build = Builder(batch, dtype, training)
    outside = {name: Buffer(name, (), np.dtype(dtype)) for name in BOUND}
    inputs = Inputs(
        x=tuple(Buffer(name, (), np.dtype(dtype)) for name in network.graph.inputs),
        y=tuple(Buffer(f"y of {output.name}", (), np.dtype(dtype)) for output in network.outputs),
        **outside,
        cursor=build.cursor,
        dropout_key=build.dropout_key,
        order_key=build.array("order key", (2 * ROUNDS,), np.uint64),
        indices=build.array("indices", (batch,), np.int64, batched=True),
        sample_weight=build.array("sample weight", (batch,), batched=True),
        loss_weight=build.array("loss weight", (batch,), batched=True),
    )
    return build, inputs


def _emit_order(build: Builder, inputs: Inputs, shuffle: bool = False, whole: bool = False) -> None:
    """Emit the indices of the batch's samples."""
    if whole:
        build.emit_prologue(k.sequential_indices, inputs.indices, inputs.cursor)
    elif shuffle:
        build.emit(k.permuted_indices, inputs.indices, inputs.cursor, inputs.order_key, inputs.count)
    else:
        build.emit(k.sequential_indices, inputs.indices, inputs.cursor)


def _gather(build: Builder, inputs: Inputs, kernel: Kernel, out: Buffer, source: Buffer, whole: bool) -> None:
    operands = out, source, inputs.indices
    if whole:
        build.emit_prologue(kernel, *operands)
    else:
        build.emit_along(build.samples, kernel, *operands)


def _gather_x(
    build: Builder, inputs: Inputs, network: Network, whole: bool = False, plan: narrow.Plan | None = None
) -> list[Value]:
    """Emit the gathering of a batch's inputs: word ids stay whole numbers."""
    if plan is not None:
        lanes = narrow.inputs(build, network, plan)
        _gather(build, inputs, k.gather_lanes, lanes.buffer, inputs.x[0], whole)
        return [lanes]
    xs = []
    for (name, shape), source in zip(network.graph.inputs.items(), inputs.x, strict=True):
        xs.append(build.value("x", shape, np.int32 if network.is_ids(name) else None))
        _gather(build, inputs, k.gather_rows, xs[-1].buffer, source, whole)
    return xs


def _emit_weights(build: Builder, inputs: Inputs, loss: Loss, weighted: bool, whole: bool = False) -> Inputs:
    """Emit the weights of the batch's samples, unless all count alike; the inputs, with these as loss weights."""
    build.begin("loss")
    if not weighted:
        return inputs
    _gather(build, inputs, k.gather_values, inputs.sample_weight, inputs.weights, whole)
    if loss.reduction == "sum":
        return replace(inputs, loss_weight=inputs.sample_weight)
    build.emit(k.normalise_weights, inputs.loss_weight, inputs.sample_weight)
    return inputs


def _emit_loss(
    build: Builder,
    inputs: Inputs,
    network: Network,
    scores: Sequence[Value],
    whole: bool = False,
    plan: narrow.Plan | None = None,
) -> tuple[Buffer, Buffer, list[Value]]:
    """Emit the loss of the batch: loss and correctness of each sample, and the gradients of the scores.

    The loss of several outputs is the sum of theirs by their weights; correctness is that of the first.
    """
    found = []
    for output, one, source in zip(network.outputs, scores, inputs.y, strict=True):
        target = _gather_target(build, inputs, output, one, source, whole)
        weight = _scaled(build, inputs.loss_weight, output.weight)
        if plan is not None and isinstance(one, Lanes):
            found.append(narrow.emit_loss(build, output.loss, one, plan, target, weight))
        else:
            found.append(output.loss.emit(build, one, target, weight))
    losses, correct, dscores = zip(*found, strict=True)
    return _weighted_sum(build, network, losses), correct[0], list(dscores)


def _gather_target(
    build: Builder, inputs: Inputs, output: Output, scores: Value, source: Buffer, whole: bool
) -> Buffer:
    """Emit the gathering of a batch's targets of one output: labels, or as many numbers as it has scores."""
    if output.loss.takes_labels:
        target = build.array("labels", (build.batch,), np.int32, batched=True)
        _gather(build, inputs, k.gather_values, target, source, whole)
    else:
        target = build.value("y", scores.shape).buffer
        _gather(build, inputs, k.gather_rows, target, source, whole)
    return target


def _scaled(build: Builder, values: Buffer, factor: float) -> Buffer:
    """Emit the product of a number for each sample and a constant."""
    if factor == 1:
        return values
    scaled = build.array(f"{factor:g} {values.name}", (build.batch,), batched=True)
    build.emit(k.scale_values, scaled, values, build.constant([factor]))
    return scaled


def _weighted_sum(build: Builder, network: Network, losses: Sequence[Buffer]) -> Buffer:
    """Emit the sum of the outputs' losses of each sample."""
    total = _scaled(build, losses[0], network.outputs[0].weight)
    for output, loss in zip(network.outputs[1:], losses[1:], strict=True):
        summed = build.array("loss", (build.batch,), batched=True)
        build.emit(k.add_scaled, summed, total, loss, build.constant([output.weight]))
        total = summed
    return total


def _emit_penalties(
    build: Builder, inputs: Inputs, network: Network, parameters: Block, gradients: Block | None
) -> None:
    """Emit the penalties on large weights, and their gradients where gradients are computed."""
    for name, strengths in network.penalties().items():
        w = parameters.buffers[name].reshape(-1)
        for strength, value, gradient in zip(strengths, PENALTIES, PENALTY_GRADIENTS, strict=True):
            if strength:
                scalars = build.constant([strength])
                partial = build.array("partial sums", (chunks(w.size),), np.float64)
                build.emit(value, inputs.losses, partial, inputs.cursor, w, scalars)
                if gradients is not None:
                    _emit_penalty_gradient(build, gradient, parameters, gradients, name, scalars)


def _emit_penalty_gradient(
    build: Builder, kernel: Kernel, parameters: Block, gradients: Block, name: str, scalars: np.ndarray
) -> None:
    dw, w = gradients.buffers[name], parameters.buffers[name]
    if (axis := build.cut_axis(parameters.view(name))) is not None:
        build.emit_along(axis, kernel, Slice(dw, flat=True), Slice(w, flat=True), scalars)
    else:
        build.emit(kernel, dw.reshape(-1), w.reshape(-1), scalars)


def _emit_update(
    build: Builder, inputs: Inputs, network: Network, optimizer: Optimizer, parameters: Block, gradients: Block
) -> Inputs:
    """Emit the optimizer's update and the bounds on norms; the inputs, with the table of the optimizer's scalars."""
    optimizer.attach(parameters)
    width = optimizer.scalars(np.zeros(1)).shape[1]
    table = build.array("scalars of a call", (STEPS_PER_CALL, width))
    scalars = build.array("scalars", (width,))
    build.emit(k.select_scalars, scalars, table, inputs.cursor)
    optimizer.emit(build, parameters, gradients, scalars)
    for name, bound in network.max_norms().items():
        build.emit(k.max_norm_columns, parameters.buffers[name], build.constant([bound]))
    return replace(inputs, scalars=table)


def _emit_record(build: Builder, inputs: Inputs, loss: Buffer, correct: Buffer) -> None:
    """Emit the end of a step: loss and accuracy recorded, the cursor moved on."""
    written = inputs.losses, inputs.sums, inputs.cursor
    build.emit(k.record_step, *written, loss, correct, inputs.sample_weight, inputs.loss_weight)


def _values(build: Builder, network: Network, xs: Sequence[Value]) -> dict[str, Value]:
    return {**dict(zip(network.graph.inputs, xs, strict=True)), **build.outputs}


def _names(block: Block, prefix: str = "") -> dict[int, str]:
    return {id(array): prefix + name for name, array in block.buffers.items()}
