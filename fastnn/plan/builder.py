"""What layers write on: values that flow between them, and rows of kernels in the order they run."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastnn.plan.arena import Buffer, padded, row_length
from fastnn_kernels._jit import Kernel
from fastnn_kernels._tuning import ALIGNMENT

NOISE_WORDS = 4
# Samples that one thread takes through all layers before the next ones: their activations stay in its cache.
SAMPLES_AT_ONCE = 128
# Bytes of a weight's gradient that are summed, and used, before the next ones: about the first cache, in whole tiles.
GRADIENT_BYTES = 32_768
TILE_ROWS = 48
BATCH_BYTES = 524_288  # half of a second cache


@dataclass(frozen=True, eq=False)
class Axis:
    """What threads may share: samples, or the rows of a parameter.

    size   its extent; None: of the batch that runs
    step   shares begin at multiples of it: whole tiles, whole cache lines
    grain  how much of it is taken at once
    """

    size: int | None
    step: int
    grain: int


@dataclass(frozen=True, eq=False)
class Rows:
    """An operand of which a share of an axis takes its own rows; `flat`: as one vector."""

    array: np.ndarray | Buffer
    flat: bool = False


class First:
    """An operand: the number of the share's first element."""


FIRST = First()


class Row(NamedTuple):
    """One kernel and its operands: buffers of the plan, arrays bound from outside, whole numbers.

    Along an axis it can be cut: a share takes its own part of batched buffers (along the samples) or of `Rows`.
    """

    kernel: Kernel
    operands: tuple[Any, ...]
    owner: str  # the layer that wrote it, or what else it is for
    axis: Axis | None = None

    def arrays(self) -> list[Any]:
        """The buffers and arrays among the operands."""
        return [_array(one) for one in self.operands if isinstance(one, Buffer | np.ndarray | Rows)]

    def written(self) -> list[Any]:
        """Those that the kernel writes."""
        return [_array(one) for one in self.operands[: self.kernel.outputs]]


def _array(operand: Any) -> Any:
    return operand.array if isinstance(operand, Rows) else operand


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
    """Collects the buffers and rows of one plan for batches of at most `batch` samples.

    training  whether layers that differ (dropout, batch normalisation) behave as in training
    cursor    where the walk through the data is: (samples, steps of the epoch, steps of the call, samples
              before the arrays at hand)
    noise     the key of this epoch's random numbers, uint64
    owner     the name of the layer that is writing
    outputs   what came out of each layer, by name
    penalised parameters whose every gradient a penalty changes
    axes      of parameters whose gradients and updates threads may share, by name
    touched   parameters whose gradients are 0 but for the rows that hold a place, and `starts` of `group_by_row`
    """

    def __init__(self, batch: int, dtype, training: bool = False):
        self.batch = batch
        self.dtype = np.dtype(dtype)
        self.training = training
        self.buffers: list[Buffer] = []
        self.rows: list[Row] = []
        self.first_rows: list[Row] = []
        self.cursor = self.array("cursor", (4,), np.int64)
        self.noise = self.array("noise", (NOISE_WORDS,), np.uint64)
        self.owner = "batch"
        self.outputs: dict[str, Value] = {}
        self.penalised: set[str] = set()
        self.touched: dict[str, Buffer] = {}
        self.samples = Axis(None, 1, SAMPLES_AT_ONCE)
        self.axes: dict[str, Axis] = {}

    def emit(self, kernel: Kernel, *operands: Any) -> None:
        """Write a row; one that treats each sample by itself runs along the samples."""
        self.rows.append(Row(kernel, operands, self.owner, self.samples if kernel.per_sample else None))

    def emit_once(self, kernel: Kernel, *operands: Any) -> None:
        """Write a row that runs when a walk through the data starts, not in every step."""
        self.first_rows.append(Row(kernel, operands, self.owner))

    def emit_along(self, axis: Axis, kernel: Kernel, *operands: Any) -> None:
        """Write a row that can be cut along `axis`."""
        self.rows.append(Row(kernel, operands, self.owner, axis))

    def axis_of(self, name: str, buffer: np.ndarray) -> Axis:
        """The axis of the rows of a parameter, of its elements if it is a vector: one for all that is done to it."""
        if name not in self.axes:
            line = ALIGNMENT // buffer.itemsize
            self.axes[name] = Axis(len(buffer), line, self._rows_at_once(buffer) if buffer.ndim > 1 else len(buffer))
        return self.axes[name]

    def _rows_at_once(self, buffer: np.ndarray) -> int:
        """How many rows of a weight's gradient are summed, and used, before the next ones.

        Few, so that they stay in the cache; but each time all of the batch is read, which must then be there too.
        """
        if self.batch * buffer[0].nbytes > BATCH_BYTES:
            return len(buffer)
        return max(GRADIENT_BYTES // (buffer[0].nbytes * TILE_ROWS), 1) * TILE_ROWS

    @property
    def draws_noise(self) -> bool:
        """Whether a row draws random numbers, which are other ones in every epoch."""
        return any(one is self.noise for row in self.rows for one in row.operands)

    def begin(self, owner: str) -> None:
        """Say which layer writes the rows that follow."""
        self.owner = owner

    @property
    def stream(self) -> int:
        """The number of this layer's own random stream: of its name, so that other layers do not change it."""
        return zlib.crc32(self.owner.encode())

    def value(self, name: str, shape: tuple[int, ...], dtype=None) -> Value:
        """A value of the plan's dtype (or another), its rows padded to cache lines.

        A value of another dtype (word ids, labels) is stored without padding.
        """
        width = math.prod(shape)
        columns = row_length(width, self.dtype) if dtype is None else width
        return Value(self.array(name, (self.batch, columns), dtype, batched=True), shape)

    def array(self, name: str, shape: tuple[int, ...], dtype=None, batched: bool = False) -> Buffer:
        """An array of exactly `shape`; a batched one has a sample a row."""
        buffer = Buffer(name, shape, np.dtype(dtype or self.dtype), batched)
        self.buffers.append(buffer)
        return buffer

    def vector(self, name: str, count: int) -> Buffer:
        """A vector of `count` numbers, padded to cache lines, that lives within a step."""
        return self.array(name, (padded(count, self.dtype),))

    def constant(self, values: Sequence[float]) -> np.ndarray:
        """Numbers that never change, in the plan's dtype: what a kernel takes as `rates`."""
        return np.array(values, self.dtype)

    def scratch(self, name: str, rows: int, columns: int) -> Buffer:
        """A matrix that lives within a step, its rows padded to cache lines."""
        return self.array(name, (rows, row_length(columns, self.dtype)))
