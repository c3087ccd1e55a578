"""Dense layers of few units: all of them in one kernel forward, in one backward, with samples side by side.

A row of a narrow layer leaves most of a vector register empty. So the samples are cut into blocks of BLOCK, and each
block is stored with a row for each unit, a column for each sample:

    block : a (rows, width) matrix at the start of row b of an array (blocks, rows · BLOCK), where width is the number
            of the block's samples, BLOCK or fewer in the last one, rounded up to a multiple of COLUMNS

Columns behind the last sample repeat that sample, and have a gradient of 0. Behind the rows of an input and of each
layer's output is a row of ones: the bias is the weight of this input, and lies behind the weights in memory.

`geometry` is (layers, len(FIELDS)) int64, a line for each layer: see FIELDS. An output is one chain of fused
multiply-adds in ascending order of the inputs, then of the bias, as in `matmul` and `bias_forward`: with the same bits.
The gradient of a weight is summed over the samples of a block in lanes (`_lane_products.py`), then over the blocks in
ascending order. So its bits depend neither on the processor's registers nor on the number of threads.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import prange

from fastnn_kernels._jit import always_inline, kernel, rounded
from fastnn_kernels._lane_products import lane_products
from fastnn_kernels._math import exp_nonpositive, log
from fastnn_kernels._product import product, product_xt
from fastnn_kernels._tuning import BLOCK, ELEMENT, MULTIPLY_ADD, TRANSCENDENTAL
from fastnn_kernels._view import flattened, matrix
from fastnn_kernels.activation import ACTIVATIONS

__all__ = [
    "gather_lanes",
    "lanes_to_rows",
    "narrow_backward",
    "narrow_cross_entropy",
    "narrow_forward",
    "rows_to_lanes",
]


class Geometry(NamedTuple):
    """A layer of `geometry`, and the number of each field.

    inputs, units, bias  their numbers; bias: 1 or 0
    weights              where w begins in the flat parameters
    stride               numbers from one row of w to the next; the bias is the row behind the last one
    activation           its number in CODES; 0: none
    x, z, y              the first row of the inputs, of the sums, of the outputs. z = y where the slope of the
                         activation needs y only
    dy, dx               the first row of the gradient of the outputs, and of the inputs
    """

    inputs: int
    units: int
    bias: int
    weights: int
    stride: int
    activation: int
    x: int
    z: int
    y: int
    dy: int
    dx: int


FIELDS = Geometry(*range(len(Geometry._fields)))
COLUMNS = 16  # whole lines of either dtype
CODES = {"identity": 0} | {name: code for code, name in enumerate(ACTIVATIONS, 1)}
NEEDS_SUMS = ("softplus", "gelu", "silu")  # activations whose slope is no function of their output


class Dense(NamedTuple):
    """A layer as `laid_out` takes it: its fields are those of `Geometry`, but for the name of the activation."""

    inputs: int
    units: int
    bias: int
    weights: int
    stride: int
    activation: str


def laid_out(layers: Sequence[Dense]) -> tuple[np.ndarray, int, int]:
    """The geometry of dense layers in a row, (layers, fields); the rows of a block of values, and of gradients."""
    lines, x, most = [], 0, max(max(layer.inputs, layer.units) for layer in layers)
    free = layers[0].inputs + 1
    for number, layer in enumerate(layers):
        z = free
        y = z + layer.units if layer.activation in NEEDS_SUMS else z
        own, others = (0, most) if (len(layers) - number) % 2 else (most, 0)  # gradients change places
        lines.append(Geometry(*layer[:5], CODES[layer.activation], x, z, y, own, others))
        x, free = y, y + layer.units + 1
    return np.array(lines, np.int64), free, max(2 * most, layers[-1].units + 2)


@always_inline
def _width(b, samples):
    """The number of columns of block b."""
    return (min(BLOCK, samples - b * BLOCK) + COLUMNS - 1) // COLUMNS * COLUMNS


@always_inline
def _matrix(blocks, b, samples):
    """Block b as (rows, width)."""
    return matrix(blocks[b], 0, blocks.shape[1] // BLOCK, _width(b, samples))


@always_inline
def _fill(row, first, value):
    """row[first:] = value"""
    for s in range(first, row.shape[0]):
        row[s] = value


@always_inline
def _weights(parameters, layer):
    """w and, behind it, the bias: (inputs + bias, stride)"""
    rows = layer[FIELDS.inputs] + layer[FIELDS.bias]
    return matrix(parameters, layer[FIELDS.weights], rows, layer[FIELDS.stride])


def _forward_of(code, activation, otherwise):
    """A function that computes the activation `code` in place, and leaves others to `otherwise`."""
    f = activation.f

    def activate(given, y):
        if given != code:
            otherwise(given, y)
            return
        for s in range(y.shape[0]):
            y[s] = f(y[s])

    activate.__qualname__ = f"activate.{code}"
    return always_inline(activate)


def _backward_of(code, activation, otherwise):
    """A function that multiplies a gradient by the slope of the activation `code`, and leaves others to `otherwise`."""
    slope = activation.slope

    def multiply(given, d, z, y):
        if given != code:
            otherwise(given, d, z, y)
            return
        for s in range(d.shape[0]):
            d[s] *= slope(z[s], y[s])

    multiply.__qualname__ = f"multiply.{code}"
    return always_inline(multiply)


@always_inline
def _activate(given, y):
    """Nothing, for the identity."""


@always_inline
def _multiply_by_slope(given, d, z, y):
    """Nothing, for the identity."""


for _name, _activation in ACTIVATIONS.items():
    _activate = _forward_of(CODES[_name], _activation, _activate)
    _multiply_by_slope = _backward_of(CODES[_name], _activation, _multiply_by_slope)


@always_inline
def _forward_layer(values, parameters, layer):
    units, x, z, y = layer[FIELDS.units], layer[FIELDS.x], layer[FIELDS.z], layer[FIELDS.y]
    w = _weights(parameters, layer)
    product_xt(values[z : z + units], w, 0, values[x : x + w.shape[0]])
    out = flattened(values, y, units)
    if z != y:
        sums = flattened(values, z, units)
        for s in range(out.shape[0]):
            out[s] = sums[s]
    _activate(layer[FIELDS.activation], out)
    _fill(values[y + units], 0, 1)


@always_inline
def _backward_layer(partial, gradients, values, parameters, layer, wanted):
    units, x, z, y = layer[FIELDS.units], layer[FIELDS.x], layer[FIELDS.z], layer[FIELDS.y]
    w, dw = _weights(parameters, layer), _weights(partial, layer)
    d = gradients[layer[FIELDS.dy] : layer[FIELDS.dy] + units]
    dsums = flattened(gradients, layer[FIELDS.dy], units)
    _multiply_by_slope(layer[FIELDS.activation], dsums, flattened(values, z, units), flattened(values, y, units))
    lane_products(dw[:, :units], values[x : x + w.shape[0]], d)
    if wanted:
        inputs = layer[FIELDS.inputs]
        product(gradients[layer[FIELDS.dx] : layer[FIELDS.dx] + inputs], w[:inputs, :units], d)


def _cost(samples, geometry):
    """Nanoseconds of the products and activations of all layers, forward, on one core."""
    products = MULTIPLY_ADD * (geometry[:, FIELDS.inputs] * geometry[:, FIELDS.units]).sum()
    return samples * (products + TRANSCENDENTAL * geometry[:, FIELDS.units].sum())


@kernel(work=lambda values, indices, parameters, geometry: _cost(indices.size, geometry))
def narrow_forward(values, indices, parameters, geometry):
    """The outputs of all layers: y = f(x · w + b) for one after the other

    values     : (blocks, rows · BLOCK), in blocks; the rows of the first layer's inputs hold these and a row of ones
    indices    : (B,), of which only the number is used
    parameters : (P,), flat
    geometry   : (layers, fields) int64
    """
    for b in prange(values.shape[0]):
        block = _matrix(values, b, indices.shape[0])
        for layer in range(geometry.shape[0]):
            _forward_layer(block, parameters, geometry[layer])


@kernel(
    work=lambda partial, gradients, values, indices, parameters, geometry: 2 * _cost(indices.size, geometry), outputs=2
)
def narrow_backward(partial, gradients, values, indices, parameters, geometry):
    """The gradients of all weights and biases, those of each block by themselves, from that of the last outputs

    partial    : (blocks, P), laid out like the parameters; what belongs to no weight stays
    gradients  : (blocks, rows · BLOCK), in blocks; in the last layer's rows dy that of its outputs. All are overwritten
    values, indices, parameters, geometry : as `narrow_forward` left them
    """
    for b in prange(values.shape[0]):
        block, dblock = _matrix(values, b, indices.shape[0]), _matrix(gradients, b, indices.shape[0])
        for layer in range(geometry.shape[0] - 1, -1, -1):
            _backward_layer(partial[b], dblock, block, parameters, geometry[layer], layer > 0)


@kernel(work=lambda values, source, indices: 4 * ELEMENT * indices.size * source.shape[1])
def gather_lanes(values, source, indices):
    """In each block: row j of its samples = column j of source[indices]; behind these rows one of ones

    values  : (blocks, rows · BLOCK), in blocks; columns behind the last sample repeat it
    source  : (N, C), any integer or float dtype, C < rows
    indices : (B,) in [0, N)
    """
    for b in prange(values.shape[0]):
        block = _matrix(values, b, indices.shape[0])
        last = min(BLOCK, indices.shape[0] - b * BLOCK) - 1
        for s in range(block.shape[1]):
            row = source[indices[b * BLOCK + min(s, last)]]
            for j in range(row.shape[0]):
                block[j, s] = row[j]
        _fill(block[source.shape[1]], 0, 1)


@kernel(work=lambda out, values, at, n: 4 * ELEMENT * n * out.shape[0])
def lanes_to_rows(out, values, at, n):
    """out[i, j] = row at + j of sample i's column

    out : (B, ≥ n); columns from n on stay    values : (blocks, rows · BLOCK), in blocks
    """
    for b in prange(values.shape[0]):
        block = _matrix(values, b, out.shape[0])
        own = out[b * BLOCK : b * BLOCK + BLOCK]
        for s in range(own.shape[0]):
            for j in range(n):
                own[s, j] = block[at + j, s]


@kernel(work=lambda gradients, dout, n: 4 * ELEMENT * n * dout.shape[0])
def rows_to_lanes(gradients, dout, n):
    """Row j of sample i's column = dout[i, j], for j < n; 0 in columns behind the last sample

    gradients : (blocks, rows · BLOCK), in blocks; rows from n on stay    dout : (B, ≥ n)
    """
    for b in prange(gradients.shape[0]):
        block = _matrix(gradients, b, dout.shape[0])
        own = dout[b * BLOCK : b * BLOCK + BLOCK]
        for j in range(n):
            for s in range(own.shape[0]):
                block[j, s] = own[s, j]
            _fill(block[j], own.shape[0], 0)


@rounded
def _product(a, b):
    return a * b


@always_inline
def _first_row(largest, choice, own, x):
    """The start of `_next_row`."""
    for s in range(own.shape[0]):
        largest[s] = x[s]
        own[s] = x[s]
        choice[s] = 0


@always_inline
def _next_row(largest, choice, own, x, j, labels):
    """Score j: largest = the largest so far, NaN ignored; choice = its number, the first of equals; own = the label's

    NaN in the first row stays, and any other makes the sum of the exponentials NaN.
    """
    for s in range(own.shape[0]):
        larger = x[s] > largest[s]
        largest[s] = x[s] if larger else largest[s]
        choice[s] = j if larger else choice[s]
        own[s] = x[s] if labels[s] == j else own[s]


@always_inline
def _exponentials(d, total, x, largest):
    """d = exp(x − largest), total = the sum of each column"""
    for j in range(x.shape[0]):
        row, own = x[j], d[j]
        for s in range(total.shape[0]):
            own[s] = exp_nonpositive(row[s] - largest[s])
        for s in range(total.shape[0]):
            total[s] = own[s] if j == 0 else total[s] + own[s]


@always_inline
def _column_cross_entropy(loss, correct, d, x, labels, loss_weight):
    """`narrow_cross_entropy` of one block: d (≥ n + 2, width), x (n, width), the others (samples,)"""
    n, samples = x.shape[0], loss.shape[0]
    largest, total = d[n, :samples], d[n + 1, :samples]
    _first_row(largest, correct, loss, x[0])
    for j in range(1, n):
        _next_row(largest, correct, loss, x[j], j, labels)
    _exponentials(d, total, x, largest)
    for s in range(samples):
        loss[s] = log(total[s]) + (largest[s] - loss[s])
        right = correct[s] == labels[s] and total[s] == total[s]
        correct[s] = 1 if right else 0
        total[s] = loss_weight[s] / total[s]
    for j in range(n):
        own = d[j]
        for s in range(samples):
            own[s] = _product(own[s], total[s]) - (loss_weight[s] if labels[s] == j else type(own[s])(0))
        _fill(own, samples, 0)


@kernel(
    work=lambda loss, correct, gradients, values, labels, loss_weight, at, n: TRANSCENDENTAL * n * loss.size, outputs=3
)
def narrow_cross_entropy(loss, correct, gradients, values, labels, loss_weight, at, n):
    """`softmax_cross_entropy` of few scores, with samples side by side, and with its bits

    loss, correct, labels, loss_weight : (B,), as there
    gradients : (blocks, rows · BLOCK), in blocks: that of score j in row j; rows n and n + 1 are overwritten
    values    : (blocks, rows · BLOCK), in blocks: score j in row at + j
    at, n     : the row of the first score; their number, 1 ≤ n < NARROW
    """
    for b in prange(values.shape[0]):
        block, dblock = _matrix(values, b, labels.shape[0]), _matrix(gradients, b, labels.shape[0])
        own = slice(b * BLOCK, b * BLOCK + BLOCK)
        _column_cross_entropy(loss[own], correct[own], dblock, block[at : at + n], labels[own], loss_weight[own])
