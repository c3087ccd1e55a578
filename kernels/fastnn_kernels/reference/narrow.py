"""Reference of the kernels for narrow layers: one block of samples after the other, as a matrix (rows, width)."""

import numpy as np

from fastnn_kernels._tuning import BLOCK
from fastnn_kernels.reference.activation import ACTIVATIONS

__all__ = [
    "gather_lanes",
    "lanes_to_rows",
    "narrow_backward",
    "narrow_forward",
    "rows_to_lanes",
]

COLUMNS = 16
FUNCTIONS = [(lambda x: x, lambda x, y: 1), *ACTIVATIONS.values()]


def blocks_of(array, samples):
    """Each block as a matrix, and the numbers of its samples."""
    rows = array.shape[1] // BLOCK
    for b, block in enumerate(array):
        own = np.arange(b * BLOCK, min(b * BLOCK + BLOCK, samples))
        width = -(-len(own) // COLUMNS) * COLUMNS
        yield block[: rows * width].reshape(rows, width), own


def weights_of(parameters, layer):
    """w and, behind it, the bias: (inputs + bias, stride)"""
    inputs, _, bias, at, stride = layer[:5]
    return parameters[at : at + (inputs + bias) * stride].reshape(inputs + bias, stride)


def narrow_forward(values, indices, parameters, geometry):
    """y = f(x · w + b), for one layer after the other"""
    for block, _ in blocks_of(values, len(indices)):
        forward_block(block, parameters, geometry)


def forward_block(block, parameters, geometry):
    """`narrow_forward` of one block"""
    for layer in geometry:
        w, (units, code, x, z, y) = weights_of(parameters, layer), layer[[1, 5, 6, 7, 8]]
        block[z : z + units] = w[:, :units].T @ block[x : x + len(w)]
        block[y : y + units] = FUNCTIONS[code][0](block[z : z + units])
        block[y + units] = 1


def narrow_backward(partial, gradients, values, indices, parameters, geometry):
    """dz = dy · f'(z); dw = x · dz, over the samples of a block; dx = dz · wᵀ; from the last layer to the first"""
    pairs = zip(blocks_of(values, len(indices)), blocks_of(gradients, len(indices)), strict=True)
    for own, ((block, _), (dblock, _)) in zip(partial, pairs, strict=True):
        backward_block(own, dblock, block, parameters, geometry)


def backward_block(own, dblock, block, parameters, geometry):
    """`narrow_backward` of one block"""
    for number, layer in reversed(list(enumerate(geometry))):
        w, (inputs, units, code, x, z, y, dy, dx) = weights_of(parameters, layer), layer[[0, 1, 5, 6, 7, 8, 9, 10]]
        d = dblock[dy : dy + units]
        d *= FUNCTIONS[code][1](block[z : z + units], block[y : y + units])
        weights_of(own, layer)[:, :units] = block[x : x + len(w)] @ d.T
        if number:
            dblock[dx : dx + inputs] = w[:inputs, :units] @ d


def gather_lanes(values, source, indices):
    """Column s of a block = a sample's inputs and a 1; the last sample fills the columns behind it"""
    C = source.shape[1]
    for block, own in blocks_of(values, len(indices)):
        column = np.minimum(np.arange(block.shape[1]), len(own) - 1)
        block[:C] = source[indices[own[column]]].T
        block[C] = 1


def lanes_to_rows(out, values, at, n):
    """out[i, :n] = rows at to at + n of sample i's column"""
    for block, own in blocks_of(values, len(out)):
        out[own, :n] = block[at : at + n, : len(own)].T


def rows_to_lanes(gradients, dout, n):
    """Sample i's column = dout[i, :n]; 0 behind the last sample"""
    for block, own in blocks_of(gradients, len(dout)):
        block[:n] = 0
        block[:n, : len(own)] = dout[own, :n].T
