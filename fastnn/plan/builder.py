"""What layers write on: values that flow between them, and rows of kernels in the order they run."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastnn.plan.arena import Buffer, padded
from fastnn_kernels._jit import Kernel


class Row(NamedTuple):
    """One kernel and its operands: buffers of the plan, arrays bound from outside, whole numbers."""

    kernel: Kernel
    operands: tuple[Any, ...]


@dataclass(frozen=True)
class Value:
    """A batch of arrays of `shape`, stored as one padded row a sample."""

    buffer: Buffer
    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        return math.prod(self.shape)

    def reshaped(self, shape: tuple[int, ...]) -> "Value":
        return Value(self.buffer, shape)


class Builder:
    """Collects the buffers and rows of one plan for batches of at most `batch` samples."""

    def __init__(self, batch: int, dtype):
        self.batch = batch
        self.dtype = np.dtype(dtype)
        self.buffers: list[Buffer] = []
        self.rows: list[Row] = []

    def emit(self, kernel: Kernel, *operands: Any) -> None:
        self.rows.append(Row(kernel, operands))

    def value(self, name: str, shape: tuple[int, ...], dtype=None) -> Value:
        """A value of the plan's dtype (or another), its rows padded to cache lines.

        A value of another dtype (word ids, labels) is stored without padding.
        """
        width = math.prod(shape)
        columns = padded(width, self.dtype) if dtype is None else width
        return Value(self.array(name, (self.batch, columns), dtype, batched=True), shape)

    def array(self, name: str, shape: tuple[int, ...], dtype=None, batched: bool = False) -> Buffer:
        """An array of exactly `shape`; a batched one has a sample a row."""
        buffer = Buffer(name, shape, np.dtype(dtype or self.dtype), batched)
        self.buffers.append(buffer)
        return buffer

    def scratch(self, name: str, rows: int, columns: int) -> Buffer:
        """A matrix that lives within a step, its rows padded to cache lines."""
        return self.array(name, (rows, padded(columns, self.dtype)))
