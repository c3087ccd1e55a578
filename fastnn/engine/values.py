"""The values that flow between layers: batches of arrays, and how the rows of a buffer hold them."""

import math
from dataclasses import dataclass

import numpy as np

from fastnn.engine.memory import Buffer
from fastnn_kernels._narrow.layout import COLUMNS
from fastnn_kernels._tuning import BLOCK


@dataclass(frozen=True)
class Value:
    """A batch of arrays of `shape`, stored as one padded row a sample."""

    buffer: Buffer
    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        """The number of elements of a sample, without the padding."""
        return math.prod(self.shape)

    def reshaped(self, shape: tuple[int, ...]) -> "Value":
        return Value(self.buffer, shape)

    def of_batch(self, array: np.ndarray, batch: int) -> np.ndarray:
        """The numbers of the first `batch` samples, (batch, *shape), from the array of the buffer: a view."""
        rows = array[:batch, : self.width]
        return rows.reshape(len(rows), *self.shape)


@dataclass(frozen=True)
class Lanes(Value):
    """A batch of arrays of `shape`, stored in blocks of BLOCK samples that lie side by side
    (`fastnn_kernels._narrow.layout`).

    at  the row of a block in which their first numbers lie
    """

    at: int

    def of_batch(self, array: np.ndarray, batch: int) -> np.ndarray:
        """The numbers of the first `batch` samples, (batch, *shape), a copy."""
        rows = array.shape[1] // BLOCK
        out = np.empty((batch, self.width), array.dtype)
        for first in range(0, batch, BLOCK):
            own = out[first : first + BLOCK]
            width = -(-len(own) // COLUMNS) * COLUMNS
            block = array[first // BLOCK, : rows * width].reshape(rows, width)
            own[...] = block[self.at : self.at + self.width, : len(own)].T
        return out.reshape(batch, *self.shape)


@dataclass(frozen=True)
class TimeSteps(Value):
    """A batch of sequences of `shape` (T, C), stored as one padded row a step: what `Builder.at_time_steps` emits."""

    def of_batch(self, array: np.ndarray, batch: int) -> np.ndarray:
        """The numbers of the first `batch` samples, (batch, T, C), from the array of the buffer: a view."""
        rows = array[: batch * self.shape[0], : self.shape[1]]
        return rows.reshape(batch, *self.shape)
