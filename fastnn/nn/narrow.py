"""Nets of narrow dense layers only: their operations are one kernel for all layers forward, and one backward.

A row of a few units leaves most of a vector register empty, and an operation for each product, bias and activation
costs more than its arithmetic. `fastnn_kernels._narrow.layout` says how samples and gradients are stored.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Axis
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.values import Lanes, Value
from fastnn.nn.emission import EmitBackward
from fastnn.nn.layers import Dense, Flatten
from fastnn.nn.losses import MAE, MSE, BinaryCrossEntropy, Huber, Loss, Poisson, SoftmaxCrossEntropy
from fastnn.nn.losses.base import of_samples
from fastnn.nn.network import Network, State
from fastnn_kernels._jit import Kernel
from fastnn_kernels._narrow.layout import FIELDS, DenseLayout, laid_out
from fastnn_kernels._tuning import BLOCK, NARROW

WIDEST = 32  # inputs and units of a layer: from here on its rows fill vector registers
KERNELS = {
    SoftmaxCrossEntropy: k.narrow_cross_entropy,
    BinaryCrossEntropy: k.narrow_binary_cross_entropy,
    MSE: k.narrow_mse,
    MAE: k.narrow_mae,
    Huber: k.narrow_huber,
    Poisson: k.narrow_poisson,
}
SAMPLES = Axis(None, BLOCK, BLOCK)  # slices of whole blocks, each small enough for the first cache


class Layout(NamedTuple):
    """Where everything of a narrow net lies.

    geometry   (layers, fields), for the kernels
    outputs    name of a layer -> the row of its outputs
    rows       rows of a block of values
    gradients  rows of a block of gradients
    """

    geometry: np.ndarray
    outputs: dict[str, int]
    rows: int
    gradients: int


def is_narrow(network: Network) -> bool:
    """Whether all layers are dense ones of at most WIDEST inputs and units, but for `Flatten`, which does nothing.

    A dense layer at each of several positions is none, nor one that is tied or frozen.
    """
    if not network.graph.is_chain or network.frozen:
        return False
    dense = [call for call in network.calls if type(call.layer) is Dense]
    others = any(type(layer) not in (Dense, Flatten) for layer in network.layers)
    flat = all(len(call.input_shapes[0]) == 1 and not network.borrowed_by(call) for call in dense)
    widths = [int(np.prod(shape)) for shape in network.shapes]
    return bool(dense) and flat and not others and max(widths) <= WIDEST


def layout_of(network: Network, parameters: NamedArrays) -> Layout:
    """The layout of a net that is narrow."""
    dense = {name: layer for name, layer in zip(network.names, network.layers, strict=True) if isinstance(layer, Dense)}
    geometry, rows, gradients = laid_out([_laid_out(parameters, *item) for item in dense.items()])
    numbers = {name: i for i, name in enumerate(dense)}
    outputs, at = {}, 0
    for name in network.names:
        at = int(geometry[numbers[name], FIELDS.y]) if name in dense else at
        outputs[name] = at
    return Layout(geometry, outputs, rows, gradients)


def _laid_out(parameters: NamedArrays, name: str, layer: Dense) -> DenseLayout:
    """Where a layer's weights lie in the flat parameters."""
    w = parameters.buffers[f"{name}.w"]
    begin, inputs = _begin_of(parameters, f"{name}.w"), len(w)
    if layer.use_bias:
        assert _begin_of(parameters, f"{name}.b") == begin + w.size, "the bias must lie behind the weights"
    return DenseLayout(inputs, layer.units, int(layer.use_bias), begin, w.shape[1], layer.activation)


def _begin_of(parameters: NamedArrays, name: str) -> int:
    """The number of an array's first element in the flat parameters."""
    return (parameters.buffers[name].ctypes.data - parameters.flat.ctypes.data) // parameters.flat.itemsize


def emit_in_blocks(build: Builder, kernel: Kernel, *operands: Any) -> None:
    """Emit an operation along the samples, in whole blocks."""
    build.emit_along(build.samples, kernel, *operands)


def inputs(build: Builder, network: Network, layout: Layout) -> Lanes:
    """A place for the inputs of a batch, for `gather_lanes`; from now on samples are cut into whole blocks."""
    build.samples = SAMPLES
    return Lanes(build.blocks("values", layout.rows * BLOCK), network.input_shape, 0)


def forward(
    build: Builder, inputs: Sequence[Value], indices: Buffer, network: Network, layout: Layout, state: State
) -> tuple[list[Value], EmitBackward]:
    """Emit all layers: as `emission.forward`, which gives the outputs the same bits."""
    build.begin("layers")
    parameters, (x,) = state.parameters.flat, inputs
    emit_in_blocks(build, k.narrow_forward, x.buffer, indices, parameters, layout.geometry)
    for name, shape in zip(network.names, network.shapes[1:], strict=True):
        build.outputs[name] = Lanes(x.buffer, shape, layout.outputs[name])

    def backward(dscores: Sequence[Value], gradients: NamedArrays) -> None:
        build.begin("layers")
        (dout,) = dscores
        partial = build.blocks("gradients of blocks", gradients.flat.size)
        operands = partial, dout.buffer, x.buffer, indices, parameters, layout.geometry
        emit_in_blocks(build, k.narrow_backward, *operands)
        build.emit(k.bias_backward, gradients.flat, partial, 0)
        build.gradients_are_flat = True

    return [build.outputs[network.names[-1]]], backward


def _kernel_of(loss: Loss, n: int) -> Kernel | None:
    """The kernel of the loss of n scores that takes samples side by side, if there is one."""
    is_smooth = isinstance(loss, SoftmaxCrossEntropy) and loss.label_smoothing
    return None if is_smooth or n >= NARROW else KERNELS.get(type(loss))


def takes_lanes(loss: Loss, scores: Value) -> bool:
    """Whether the loss of these scores takes targets in lanes, too, as `gather_lanes` writes them.

    Of rows, which leave most of each line unused, the loss read one number at a time: that of 4-32-16-4 took 32 µs,
    now 20 (Zen 5, AVX-512, one thread).
    """
    return isinstance(scores, Lanes) and not loss.takes_labels and _kernel_of(loss, scores.width) is not None


def targets(build: Builder, scores: Value) -> Buffer:
    """A place for the targets of a batch: a row for each score, and the one that `gather_lanes` fills with ones."""
    return build.blocks("y", (scores.width + 1) * BLOCK)


def emit_loss(
    build: Builder, loss: Loss, scores: Lanes, layout: Layout, target: Buffer, weight: Buffer
) -> tuple[Buffer, Buffer, Value]:
    """Emit the loss, as `Loss.emit`; the gradient of the scores is in blocks, targets are where `takes_lanes`."""
    gradients = build.blocks("gradients of values", layout.gradients * BLOCK)
    dscores = Lanes(gradients, scores.shape, 0)
    n = scores.width
    if (kernel := _kernel_of(loss, n)) is not None:
        each, correct = of_samples(build)
        settings = [build.constant([number]) for number in loss.settings()]
        operands = each, correct, gradients, scores.buffer, target, weight, *settings, scores.at, n
        emit_in_blocks(build, kernel, *operands)
        return each, correct, dscores
    each, correct, dout = loss.emit(build, emit_rows(build, scores), target, weight)
    emit_in_blocks(build, k.rows_to_lanes, gradients, dout.buffer, n)
    return each, correct, dscores


def emit_rows(build: Builder, lanes: Lanes, name: str = "scores") -> Value:
    """Emit the numbers as rows, for kernels that take no blocks."""
    rows = build.value(name, lanes.shape)
    emit_in_blocks(build, k.lanes_to_rows, rows.buffer, lanes.buffer, lanes.at, lanes.width)
    return rows
