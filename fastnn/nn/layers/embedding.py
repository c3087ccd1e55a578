"""Word ids to vectors."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common import validation
from fastnn.common.validation import truth, whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Listed, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.base import Layer, Parameter
from fastnn.nn.layers.penalties import Penalised
from fastnn.nn.row_list import RowList

# Rows of a table from which on its ids are sorted: what is made of the rows that occur then costs no look at all rows.
LISTED_FROM = 4096


@dataclass(frozen=True)
class Embedding(Penalised, Layer):
    """Row `id` of a table w (rows, width), for each id: input (N, C) whole numbers, output (N, C, width).

    Rows are gathered forward and gradients summed by row backward: nothing is one-hot.

    Args:
        rows: How many ids there are, from 0.
        width: How many numbers an id becomes.
        initializer: Of w.
        sparse: Whether a training step changes those rows alone whose id occurs in its batch, so that its time does not
            grow with `rows`. This is what SGD without momentum and AdaGrad do in any case. SGD with momentum, RMSProp,
            Adam and AdamW are *lazy* then (PyTorch's sparse=True, TensorFlow's LazyAdam): a row that does not occur
            keeps its weights and its state, so its velocity and its means neither decay nor move it, and it does not
            decay. With state_dtype="bfloat16", penalties, or a table that is used twice, all rows are updated, as by
            `optimizer.step`, which knows arrays only.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.

    Raises:
        ValueError: For numbers out of range.
        DataError: When data hold ids that are not below `rows`.

    Examples:
        >>> layers = [fn.Embedding(250, 16), fn.Flatten(), fn.Dense(250)]
        >>> model = fn.Sequential(layers, input_shape=3)
        >>> model.predict([[0, 17, 249]]).shape
        (1, 250)
    """

    rows: int
    width: int
    initializer: InitializerName | Initializer = "normal"
    sparse: bool = False
    kind: ClassVar[str] = "embedding"
    takes_data: ClassVar[bool] = True
    takes_ids: ClassVar[bool] = True

    def __post_init__(self):
        self.check_penalties("Embedding")
        object.__setattr__(self, "rows", whole_number("Embedding: rows", self.rows))
        object.__setattr__(self, "width", whole_number("Embedding: width", self.width))
        object.__setattr__(self, "sparse", truth("Embedding: sparse", self.sparse))
        initializers.get(self.initializer)

    def id_count(self):
        return self.rows

    def output_shape(self, shape):
        return (*shape, self.width)

    @property
    def has_usual_check(self):
        return type(self).checked_input is Embedding.checked_input

    def checked_input(self, x, what, owner):
        return validation.whole_numbers(x, what, self.rows, f"ids into {self.rows} rows of {owner}")

    def parameters(self, shape):
        return {"w": Parameter((self.rows, self.width), initializers.get(self.initializer))}

    def forward(self, build, x, p):
        out = build.value("embedding", self.output_shape(x.shape))
        build.emit(k.embedding_forward, out.buffer, p["w"].array, x.buffer, self.width, 0)
        build.lookups[p["w"].name] = x.buffer

        def backward(dout, grads, wanted):
            emit_table_gradient(build, grads["w"], dout, x.buffer, self.rows, self.width, sparse=self.sparse)
            # Returns no gradient of the ids, which have none: this is always the first layer.

        return out, backward


def emit_table_gradient(
    build: Builder,
    dw: ParameterView,
    dout: Value,
    ids: Buffer,
    rows: int,
    width: int,
    first: int = 0,
    sparse: bool = False,
) -> None:
    """Emit the gradient of a table (rows, width), summed by row: ids (batch, C) say which rows a sample took.

    first  : the column of dout at which the vectors begin
    sparse : whether optimizers may leave rows alone that a gradient of 0 would change
    """
    samples, count = ids.shape
    if (sparse or rows >= LISTED_FROM) and dw.name not in build.whole:
        listed = RowList.of(build, samples * count, sparse, dw)
        table = dw.array if dw.name in build.joined else listed.emit_cleared(build, dw)
        listed.emit(build, ids, build.array("no ids", (0,), np.int32), rows)
        found = Slice(listed.heads), Slice(listed.places), listed.ids, listed.positions
        operands = (Listed(table), dout.buffer, *found, count, width, first, int(listed.is_short), OFFSET)
        build.emit_along(listed.axis, k.embedding_backward_listed, *operands)
        return
    starts = build.array("starts", (rows + 1,), np.int64)
    positions = build.array("positions", (samples * count,), np.int64)
    if dw.name in build.whole:
        build.emit(k.zero, dw.array.reshape(-1))
    else:  # rows whose id does not occur in the batch cost nothing: their gradient is 0 and stays 0
        build.sparse_gradients[dw.name] = starts
        build.emit(k.clear_rows, dw.array, starts)
    build.emit(k.group_by_row, starts, positions, ids)
    build.emit(k.embedding_backward, dw.array, dout.buffer, starts, positions, count, width, first)
