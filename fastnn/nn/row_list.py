"""The rows of a large table that occur in a batch, as a list: what is done with them does not grow with the table."""

import math
from dataclasses import dataclass, field

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Axis, Listed, Slice
from fastnn.engine.parameters import ParameterView
from fastnn_kernels.listed import DIGIT

LINE = 16


@dataclass(frozen=True, eq=False)
class RowList:
    """A list of the rows of a table whose ids occur in a batch, each once; gradients and updates are cut along it.

    lazy       whether optimizers leave all other rows alone even if a gradient of 0 would change them
    gradients  name of a parameter -> its gradient (rows, columns), which is 0 in all other rows
    """

    axis: Axis
    heads: Buffer
    ids: Buffer
    positions: Buffer
    lazy: bool
    gradients: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, build: Builder, size: int, lazy: bool) -> "RowList":
        """A list with room for `size` ids."""
        heads, ids, positions = (build.array(name, (size,), np.int64) for name in ("heads", "sorted ids", "positions"))
        return cls(Axis(size, LINE, size), heads, ids, positions, lazy)

    def with_lookups(self, build: Builder, gradient: ParameterView) -> "RowList":
        """A list with room for the ids that an embedding of the same table looks up, too; this list if there is none.

        Its ids are those of this list, of which the last ones may be the number of rows, and those of the embedding.
        """
        if gradient.name not in build.joined:
            return self
        return RowList.of(build, math.prod(self.ids.shape) + math.prod(build.lookups[gradient.name].shape), self.lazy)

    def emit_cleared(self, build: Builder, gradient: ParameterView) -> np.ndarray:
        """Emit that a gradient becomes 0; returns it as (rows, columns). Before `emit`: the rows that are not 0 are
        those of the step before.

        Where a gradient is needed in all rows, because a penalty adds to it, all are written, and all are updated.
        """
        array = gradient.array if gradient.array.ndim == 2 else gradient.array.reshape(-1, 1)
        if gradient.name in build.whole:
            build.emit(k.zero, gradient.array.reshape(-1))
        else:
            build.emit_along(self.axis, k.clear_listed, Listed(array), Slice(self.heads))
            self.gradients[gradient.name] = array
            build.row_lists[gradient.name] = self
        return array

    def emit(self, build: Builder, first: Buffer, second: Buffer, rows: int) -> None:
        """Emit the list of the ids in both, of a table of so many rows."""
        size = self.heads.shape
        scratch = [build.array(name, size, np.int64) for name in ("keys", "places")]
        counts = build.array("counts", (1 << DIGIT,), np.int64)
        ids = Slice(first, flat=True), Slice(second, flat=True)
        build.emit(k.list_rows, self.heads, self.ids, self.positions, *scratch, counts, *ids, rows)
