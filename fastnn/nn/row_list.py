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
    places     in which row of a gradient that of each listed row is: itself, or 0, 1, 2, … where gradients are short
    gradients  name of a parameter -> its gradient: as long as the table, and 0 in all rows that are no place, or short:
               as long as the list
    """

    axis: Axis
    heads: Buffer
    ids: Buffer
    positions: Buffer
    lazy: bool
    places: Buffer | np.ndarray
    gradients: dict[str, np.ndarray | Buffer] = field(default_factory=dict)

    @classmethod
    def of(cls, build: Builder, size: int, lazy: bool, *gradients: ParameterView) -> "RowList":
        """A list with room for `size` ids. These gradients are short, if all of them may be."""
        heads, ids, positions = (build.array(name, (size,), np.int32) for name in ("heads", "sorted ids", "positions"))
        whole = build.whole | build.joined
        is_short = bool(gradients) and build.may_shorten(lazy) and not any(one.name in whole for one in gradients)
        return cls(
            Axis(size, LINE, size), heads, ids, positions, lazy, np.arange(size, dtype=np.int32) if is_short else heads
        )

    @property
    def is_short(self) -> bool:
        """Whether gradients are as long as the list: then the kernel that adds to a row clears it, while it is near."""
        return self.places is not self.heads

    def with_lookups(self, build: Builder, gradient: ParameterView) -> "RowList":
        """A list with room for the ids that an embedding of the same table looks up, too; this list if there is none.

        Its ids are those of this list, of which the last ones may be the number of rows, and those of the embedding.
        """
        if gradient.name not in build.joined:
            return self
        return RowList.of(build, math.prod(self.ids.shape) + math.prod(build.lookups[gradient.name].shape), self.lazy)

    def emit_cleared(self, build: Builder, gradient: ParameterView) -> np.ndarray | Buffer:
        """Emit that a gradient becomes 0; returns it as (rows, columns).

        It is called before `emit` makes the list of this step, because the rows to clear are those of the step before.
        A short gradient has listed rows only, so nothing is cleared. Where a penalty adds to all rows, all are cleared
        and updated.
        """
        whole = gradient.array if gradient.array.ndim == 2 else gradient.array.reshape(-1, 1)
        if gradient.name in build.whole:
            build.emit(k.zero, gradient.array.reshape(-1))
            return whole
        array = self._short(build, gradient.name, whole.shape[1]) if self.is_short else whole
        if not self.is_short:
            build.emit_along(self.axis, k.clear_listed, Listed(array), Slice(self.places))
        self.gradients[gradient.name] = array
        build.row_lists[gradient.name] = self
        return array

    def _short(self, build: Builder, name: str, columns: int) -> Buffer:
        """A gradient with a row for each id of the list."""
        return build.array(f"gradient of {name}", (*self.heads.shape, columns))

    def emit(self, build: Builder, first: Buffer, second: Buffer, rows: int) -> None:
        """Emit the list of the ids in both, of a table of `rows` rows."""
        size = self.heads.shape
        scratch = [build.array(name, size, np.int32) for name in ("keys", "places")]
        counts = build.array("counts", (1 << DIGIT,), np.int64)
        ids = Slice(first, flat=True), Slice(second, flat=True)
        build.emit(k.list_rows, self.heads, self.ids, self.positions, *scratch, counts, *ids, rows)
