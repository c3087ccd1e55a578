"""Where the numbers of narrow layers lie: blocks of samples that stand side by side, and the geometry of the layers.

A row of a narrow layer leaves most of a vector register empty. So the samples are cut into blocks of BLOCK, and each
block is stored with a row for each unit, a column for each sample:

    block : a (rows, width) matrix at the start of row b of an array (blocks, rows · BLOCK), where width is the number
            of the block's samples, BLOCK or fewer in the last one, rounded up to a multiple of COLUMNS

Columns behind the last sample repeat that sample, and have a gradient of 0. Behind the rows of an input and of each
layer's output is a row of ones: the bias is the weight of this input, and lies behind the weights in memory.

`geometry` is (layers, len(FIELDS)) int64, a line for each layer: see FIELDS.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastnn_kernels._jit import always_inline, view
from fastnn_kernels._memory.view import matrix
from fastnn_kernels._tuning import BLOCK
from fastnn_kernels.activation import ACTIVATIONS


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


class DenseLayout(NamedTuple):
    """A layer as `laid_out` takes it: its fields are those of `Geometry`, but for the name of the activation."""

    inputs: int
    units: int
    bias: int
    weights: int
    stride: int
    activation: str


def _needs_sums(activation: str) -> bool:
    """Whether the slope of an activation is no function of its output, so that the sums must be kept."""
    return activation in ACTIVATIONS and ACTIVATIONS[activation].reads_x


def laid_out(layers: Sequence[DenseLayout]) -> tuple[np.ndarray, int, int]:
    """The geometry of dense layers in a row, (layers, fields); the rows of a block of values, and of gradients."""
    lines, x, most = [], 0, max(max(layer.inputs, layer.units) for layer in layers)
    free = layers[0].inputs + 1
    for number, layer in enumerate(layers):
        z = free
        y = z + layer.units if _needs_sums(layer.activation) else z
        own, others = (0, most) if (len(layers) - number) % 2 else (most, 0)  # gradients change places
        lines.append(Geometry(*layer[:5], CODES[layer.activation], x, z, y, own, others))
        x, free = y, y + layer.units + 1
    return np.array(lines, np.int64), free, max(2 * most, layers[-1].units + 2)


def in_chains(samples: int, chains: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples in the order in which `lane_products` adds them up: their numbers, and where each chain begins and ends.

    A block has as many chains as a line has numbers: chain c of the block that begins at b has the samples b + c,
    b + c + chains, …
    """
    rows = [range(b + c, min(b + BLOCK, samples), chains) for b in range(0, samples, BLOCK) for c in range(chains)]
    return np.array([*itertools.chain(*rows)], np.int64), np.cumsum([0, *map(len, rows)])


@always_inline
def _width(b, samples):
    """The number of columns of block b."""
    return (min(BLOCK, samples - b * BLOCK) + COLUMNS - 1) // COLUMNS * COLUMNS


@view
def block_of(blocks, b, samples):
    """Block b as (rows, width)."""
    return matrix(blocks[b], 0, blocks.shape[1] // BLOCK, _width(b, samples))


@always_inline
def fill(row, first, value):
    """row[first:] = value"""
    for s in range(first, row.shape[0]):
        row[s] = value
