"""What layers emit operations on, in the order they run."""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.engine.memory import Buffer, aligned_bytes, padded, row_length
from fastnn.engine.ops import OFFSET, Axis, Op, cut_of
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn_kernels._jit import Kernel
from fastnn_kernels._tuning import ALIGNMENT, BLOCK

DROPOUT_KEY_WORDS = 4
# Samples that one thread takes through all layers before the next ones: their activations stay in its cache.
SAMPLES_AT_ONCE = 128
# Bytes of a weight's gradient that are summed, and used, before the next ones: about the first cache, in whole tiles.
GRADIENT_BYTES = 32_768
TILE_ROWS = 48
BATCH_BYTES = 524_288  # half of a second cache


class Builder:
    """Collects the buffers and operations of one program, for batches of at most `batch` samples.

    training          whether layers that differ in training (dropout, batch normalisation) behave as they do there
    cursor            how far the data have been used, (4,) int64: samples and steps of the epoch, steps of the call,
                      samples before the arrays at hand
    dropout_key       the key of this epoch's random numbers, (4,) uint64
    owner             the name of the layer that is emitting
    data              the buffers of the network's inputs, as numbers: of data many numbers may be 0, as in pictures
    outputs           the output of each layer, by name
    whole             names of the parameters whose gradient is needed in all rows: a penalty adds to it, or another use
    frozen            names of the parameters that are not updated
    sparse_gradients  name of a parameter -> `starts` of the kernel group_by_row, for gradients that are 0 except in the
                      rows whose id occurs in the batch
    joined            names of the tables of which both uses, an output's and then an embedding's, add to one gradient
    lookups           name of an embedding's table -> the ids that it looks up
    row_lists         name of a parameter -> the list of the rows in which its gradient is not 0 (`nn.row_list`)
    may_shorten       (lazy) -> whether nobody needs the other rows of such a gradient, so that it may lack them
    unstored          names of the weights whose gradient need not be stored where it is an outer product
    outer_gradients   name of such a weight -> the two rows, x and dout, of which its gradient is the outer product
    kept_steps        name of a weight that takes a block of steps at once -> what the kernel keep_steps writes
    ahead             name of a weight that each step multiplies with the next sample -> where the products lie
    passing           arrays that one chain writes and reads, slice by slice: see `transient` of a program
    differentiates    whether the gradients of what is computed are needed
    gradients_are_flat  whether the gradients of all parameters are computed at once, as one flat array
    """

    def __init__(self, batch: int, dtype, training: bool = False):
        self.batch, self._rows = batch, 1
        self.dtype = np.dtype(dtype)
        self.training = training
        self.buffers: list[Buffer] = []
        self.ops: list[Op] = []
        self.prologue: list[Op] = []
        self.cursor = self.array("cursor", (4,), np.int64)
        self.dropout_key = self.array("dropout key", (DROPOUT_KEY_WORDS,), np.uint64)
        self.owner = "batch"
        self.data: list[Buffer] = []
        self.outputs: dict[str, Value] = {}
        self.whole: frozenset[str] = frozenset()
        self.joined: frozenset[str] = frozenset()
        self.frozen: frozenset[str] = frozenset()
        self.sparse_gradients: dict[str, Buffer] = {}
        self.lookups: dict[str, Buffer] = {}
        self.row_lists: dict[str, Any] = {}
        self.may_shorten: Callable[[bool], bool] = lambda lazy: False
        self.unstored: set[str] = set()
        self.outer_gradients: dict[str, tuple[Buffer, Buffer]] = {}
        self.kept_steps: dict[str, Buffer] = {}
        self.ahead: dict[str, Buffer] = {}
        self.passing: list[np.ndarray] = []
        self.differentiates = True
        self.gradients_are_flat = False
        self.samples = Axis(None, 1, SAMPLES_AT_ONCE)
        self._one_by_one: Axis | None = None
        self._whole_batch = batch
        self._axes: dict[str, Axis] = {}

    def emit(self, kernel: Kernel, *operands: Any) -> None:
        """Emit an operation. A kernel that treats each sample by itself runs along the samples."""
        self.emit_along(self.samples if kernel.per_sample else None, kernel, *operands)

    def emit_along(self, axis: Axis | None, kernel: Kernel, *operands: Any) -> None:
        """Emit an operation that may be cut along `axis`.

        ValueError if a slice would write more than its own part, if it would get an operand whole that the kernel
        declares as cut, or if OFFSET is missing.
        """
        if self._one_by_one is not None:
            operands = tuple(0 if one is OFFSET else one for one in operands)
            axis = self._one_by_one
        elif axis is not None:
            self._check_cut(axis, kernel, operands)
        self.ops.append(Op(kernel, operands, self.owner, axis))

    def begin_one_by_one(self) -> None:
        """From here on emit operations that take the samples of the batch one by one: each sample through all of them.

        They are those of a batch of one sample. Of batched buffers they take one row; what they declare has one row.
        """
        self._one_by_one, self.batch = Axis(None, 1, 1, serial=True), 1

    def emit_numbered(self, kernel: Kernel, *operands: Any) -> None:
        """Emit an operation on one sample of a batch: OFFSET is the sample's number there, for others it is 0."""
        self.ops.append(Op(kernel, operands, self.owner, self._one_by_one))

    def end_one_by_one(self) -> None:
        """Go on with operations on the whole batch."""
        self._one_by_one, self.batch = None, self._whole_batch

    @contextmanager
    def at_time_steps(self, steps: int) -> Iterator[None]:
        """Within it operations are emitted on the time steps of sequences: a batched buffer has `steps` rows a sample.

        They are those of a batch of as many samples as there are steps, and are cut along the samples as others are.
        """
        before, self._rows, self.batch = self.batch, steps, self.batch * steps
        try:
            yield
        finally:
            self._rows, self.batch = 1, before

    def _check_cut(self, axis: Axis, kernel: Kernel, operands: Sequence[Any]) -> None:
        for i, (name, operand) in enumerate(zip(kernel.operands, operands, strict=False)):
            if (i < kernel.outputs or name in kernel.cut) and cut_of(operand, axis) is None:
                raise ValueError(
                    f"{kernel.name} of {self.owner} is cut along an axis, but {name} is a whole array; expected a "
                    "batched buffer along the samples; Slice, Columns or Listed along another axis"
                )
        if "offset" in kernel.operands and not any(operand is OFFSET for operand in operands):
            raise ValueError(f"{kernel.name} of {self.owner} is cut along an axis; expected OFFSET as its last operand")

    def emit_prologue(self, kernel: Kernel, *operands: Any) -> None:
        """Emit an operation that runs when a pass over the data begins, not in every step."""
        self.prologue.append(Op(kernel, operands, self.owner))

    def axis_of(self, parameter: ParameterView) -> Axis:
        """The axis of a parameter's rows, or of the elements of a vector: the same one for its gradient and update."""
        if parameter.name not in self._axes:
            array = parameter.array
            line = ALIGNMENT // array.itemsize
            whole = array.ndim == 1 or parameter.name in self.unstored
            self._axes[parameter.name] = Axis(len(array), line, len(array) if whole else self._grain(array))
        return self._axes[parameter.name]

    def cut_axis(self, parameter: ParameterView) -> Axis | None:
        """The axis along which a parameter's gradient is cut; None if it is computed as a whole."""
        return self._axes.get(parameter.name)

    def cut_with(self, parameter: ParameterView, axis: Axis) -> None:
        """Say that a parameter's gradient is cut along the axis of another of the same length."""
        self._axes[parameter.name] = axis

    def _grain(self, array: np.ndarray) -> int:
        """The number of rows of a weight's gradient that are summed, and used, before the next ones.

        Few, so that they stay in the cache. But each time the whole batch is read, which must then be there too.
        """
        if self.batch * array[0].nbytes > BATCH_BYTES:
            return len(array)
        return max(GRADIENT_BYTES // (array[0].nbytes * TILE_ROWS), 1) * TILE_ROWS

    def begin(self, owner: str) -> None:
        """Say which layer emits the operations that follow."""
        self.owner = owner

    @property
    def stream_id(self) -> int:
        """The number of the emitting layer's own random stream: made from its name, so no other layer changes it."""
        return zlib.crc32(self.owner.encode())

    def value(self, name: str, shape: tuple[int, ...], dtype=None) -> Value:
        """A value of the program's dtype (or another), its rows padded to cache lines.

        A value of another dtype (word ids, labels) is stored without padding.
        """
        width = math.prod(shape)
        columns = row_length(width, self.dtype) if dtype is None else width
        return Value(self.array(name, (self.batch, columns), dtype, batched=True), shape)

    def array(self, name: str, shape: tuple[int, ...], dtype=None, batched: bool = False) -> Buffer:
        """An array of exactly `shape`; a batched one has a row for each sample or, `at_time_steps`, for each step."""
        is_batched = batched and self._one_by_one is None
        buffer = Buffer(name, shape, np.dtype(dtype or self.dtype), is_batched, rows=self._rows)
        self.buffers.append(buffer)
        return buffer

    def blocks(self, name: str, columns: int) -> Buffer:
        """An array with one row for each block of BLOCK samples. Slices of the samples must be whole blocks."""
        assert self.samples.step % BLOCK == 0
        buffer = Buffer(name, (-(-self.batch // BLOCK), columns), self.dtype, batched=True, block=BLOCK)
        self.buffers.append(buffer)
        return buffer

    def vector(self, name: str, count: int) -> Buffer:
        """A vector of `count` numbers, padded to cache lines, that lives within a step."""
        return self.array(name, (padded(count, self.dtype),))

    def scratch(self, name: str, rows: int, columns: int) -> Buffer:
        """A matrix that lives within a step, its rows padded to cache lines."""
        return self.array(name, (rows, row_length(columns, self.dtype)))

    def passing_matrix(self, rows: int, columns: int) -> np.ndarray:
        """As `scratch`, of a matrix whose rows one chain cuts, writes and reads: a worker needs those at hand alone."""
        width = row_length(columns, self.dtype)
        matrix = aligned_bytes(rows * width * self.dtype.itemsize).view(self.dtype).reshape(rows, width)
        self.passing.append(matrix)
        return matrix

    @ieee
    def constant(self, values: Sequence[float]) -> np.ndarray:
        """Numbers that never change, in the program's dtype: the operand `scalars` of a kernel."""
        return np.array(values, self.dtype)
