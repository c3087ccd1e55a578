"""The operations of an optimizer's step: bounds on all gradients, then the update of each parameter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Listed, Slice, Whole
from fastnn.engine.parameters import NamedArrays, ParameterView
from fastnn.nn.optimizers import state as state_storage
from fastnn_kernels._jit import Kernel
from fastnn_kernels._lanes.sums import chunks


def emit_clipping(build: Builder, gradients: NamedArrays, clip_norm: float | None, clip_value: float | None) -> None:
    """Emit the bounds on gradients, over all of them at once; None: no bound."""
    if clip_value is not None:
        build.emit(k.clip_by_value, gradients.flat, build.constant([clip_value]))
    if clip_norm is not None:
        norm2 = build.array("norm2", (1,), np.float64)
        partial = build.array("partial sums", (chunks(gradients.flat.size),), np.float64)
        build.emit(k.sum_of_squares, norm2, partial, gradients.flat)
        build.emit(k.clip_by_global_norm, gradients.flat, norm2, build.constant([clip_norm]))


@dataclass(frozen=True)
class Kernels:
    """The kernels of an optimizer, by what there is of a gradient.

    whole   takes all of it
    rows    the same for some rows of a table; None: a gradient of 0 changes something, so all rows are needed
    outer   takes the two rows of which a weight's gradient is the outer product; None: there is none
    rounds  whether there is state that is kept in bfloat16
    """

    whole: Kernel
    rows: Kernel | None
    outer: Kernel | None
    rounds: bool

    def stored(self, kernel: Kernel) -> Kernel:
        """The kernel, or its version for the dtype of the state."""
        return state_storage.rounding(kernel) if self.rounds else kernel

    def listed(self, lazy: bool) -> Kernel | None:
        """The kernel that updates listed rows alone, if the layer of the rows asks for it or nothing else changes."""
        may = lazy or self.rows is not None
        return getattr(k, f"{self.whole.name}_listed", None) if may and not self.rounds else None


@dataclass(frozen=True)
class Update:
    """Emits the updates of a model's parameters.

    states : a block of each kind of state, in the order of the kernel's operands
    """

    kernels: Kernels
    states: Sequence[NamedArrays]

    def emit(self, build: Builder, parameters: NamedArrays, gradients: NamedArrays, scalars: Buffer) -> None:
        """Emit the update of each parameter that is not frozen; of gradients that are one array, a single one."""
        blocks = (parameters, *self.states, gradients)
        if build.gradients_are_flat and not self.kernels.rounds:  # rounding draws by a parameter's name
            build.emit(self.kernels.whole, *(block.flat for block in blocks), scalars)
            return
        for name in (one for one in parameters if one not in build.frozen):
            self._emit_one(build, parameters.view(name), [block.buffers[name] for block in blocks], scalars)

    def _emit_one(self, build: Builder, w: ParameterView, arrays: Sequence[np.ndarray], scalars: Buffer) -> None:
        """Emit the update of one parameter, by the cheapest of what there is of its gradient.

        arrays : the parameter, its state, its gradient
        """
        kernels = self.kernels
        if w.name in build.outer_gradients:
            self._emit_outer(build, w, scalars)
        elif w.name in build.row_lists and (listed := kernels.listed(build.row_lists[w.name].lazy)) is not None:
            _emit_listed(build, listed, w.name, arrays[:-1], scalars)
        elif kernels.rows is not None and w.name in build.sparse_gradients:
            starts = build.sparse_gradients[w.name]
            build.emit(kernels.stored(kernels.rows), *arrays, starts, scalars, *self._noise(build, w))
        else:
            self._emit_whole(build, w, arrays, scalars)

    def _emit_whole(self, build: Builder, w: ParameterView, arrays: Sequence[np.ndarray], scalars: Buffer) -> None:
        """Emit the update by a whole gradient, along the axis by which that is cut, if it is."""
        kernel, noise = self.kernels.stored(self.kernels.whole), self._noise(build, w)
        end = (OFFSET,) if noise else ()
        axis = build.cut_axis(w)
        if axis is not None:
            build.emit_along(axis, kernel, *(Slice(a, flat=True) for a in arrays), scalars, *noise, *end)
        else:
            build.emit(kernel, *(a.reshape(-1) for a in arrays), scalars, *noise, *end)

    def _emit_outer(self, build: Builder, w: ParameterView, scalars: Buffer) -> None:
        """Emit the update by a gradient that is an outer product; of a blocked weight, the note of this update."""
        x, dout = build.outer_gradients[w.name]
        if w.name in build.kept_steps:
            build.emit_numbered(k.keep_steps, build.kept_steps[w.name], dout, scalars, OFFSET)
        elif w.name in build.ahead:
            scores = Whole(build.ahead[w.name])
            build.emit_numbered(k.sgd_outer_step, scores, w.array, Whole(x), dout, scalars, OFFSET)
        elif self.kernels.outer is not None:
            build.emit_along(build.axis_of(w), self.kernels.outer, Slice(w.array), x, dout, scalars, OFFSET)

    def _noise(self, build: Builder, w: ParameterView) -> tuple:
        """The operands by which a kernel rounds the state of a parameter; none if it does not round."""
        if not self.kernels.rounds:
            return ()
        width = w.array.shape[1] if w.array.ndim > 1 else 1
        return build.dropout_key, build.cursor, state_storage.stream_of(w.name), width


def _emit_listed(build: Builder, kernel: Kernel, name: str, changed: Sequence[np.ndarray], scalars: Buffer) -> None:
    """Emit the update of the rows of a parameter that occur in the batch. changed : the parameter and its state"""
    rows = build.row_lists[name]
    gradient = rows.gradients[name]
    tables = [Listed(array.reshape(-1, gradient.shape[1])) for array in changed]
    listed = Slice(rows.heads), Slice(rows.places)
    build.emit_along(rows.axis, kernel, *tables, Listed(gradient), *listed, scalars)
