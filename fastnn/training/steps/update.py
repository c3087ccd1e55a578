"""The operations behind the gradients: penalties on large weights, and the optimizer's update."""

from dataclasses import replace

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.ops import Slice
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer
from fastnn.training.steps.differentiate import Differentiated
from fastnn.training.steps.scalars import table_of_scalars
from fastnn.training.steps.step import Inputs
from fastnn_kernels._jit import Kernel
from fastnn_kernels._lanes.sums import chunks

PENALTIES = (k.penalty_l1, k.penalty_l2)
PENALTY_GRADIENTS = (k.add_l1, k.add_l2)


def emit_penalties(
    build: Builder, inputs: Inputs, network: Network, parameters: NamedArrays, gradients: NamedArrays | None
) -> None:
    """Emit the penalties on large weights, and their gradients where gradients are computed."""
    for name, strengths in network.penalties().items():
        w = parameters.buffers[name].reshape(-1)
        for strength, value, gradient in zip(strengths, PENALTIES, PENALTY_GRADIENTS, strict=True):
            if strength:
                scalars = build.constant([strength])
                partial_sums = build.array("partial sums", (chunks(w.size),), np.float64)
                build.emit(value, inputs.losses, partial_sums, inputs.cursor, w, scalars)
                if gradients is not None:
                    _emit_penalty_gradient(build, gradient, parameters, gradients, name, scalars)


def emit_penalty_gradients(build: Builder, network: Network, parameters: NamedArrays, gradients: NamedArrays) -> None:
    """Emit what penalties add to gradients, alone."""
    for name, strengths in network.penalties().items():
        for strength, kernel in zip(strengths, PENALTY_GRADIENTS, strict=True):
            if strength:
                _emit_penalty_gradient(build, kernel, parameters, gradients, name, build.constant([strength]))


def _emit_penalty_gradient(
    build: Builder, kernel: Kernel, parameters: NamedArrays, gradients: NamedArrays, name: str, scalars: np.ndarray
) -> None:
    dw, w = gradients.buffers[name], parameters.buffers[name]
    if (axis := build.cut_axis(parameters.view(name))) is not None:
        build.emit_along(axis, kernel, Slice(dw, flat=True), Slice(w, flat=True), scalars)
    else:
        build.emit(kernel, dw.reshape(-1), w.reshape(-1), scalars)


def emit_update(begun: Differentiated, optimizer: Optimizer) -> Inputs:
    """Emit the optimizer's update and the bounds on norms; the inputs, with the table of the optimizer's scalars."""
    build, parameters = begun.build, begun.request.state.parameters
    table = table_of_scalars(build, optimizer, parameters)
    scalars = build.array("scalars", table.shape[1:])
    build.emit(k.select_scalars, scalars, table, begun.inputs.cursor)
    optimizer.emit(build, parameters, begun.gradients, scalars)
    for name, bound in begun.request.network.max_norms().items():
        build.emit(k.max_norm_columns, parameters.buffers[name], build.constant([bound]))
    return replace(begun.inputs, scalars=table)
