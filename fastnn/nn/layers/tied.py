"""A dense layer whose weight is that of another layer, transposed: see `Dense(tied_to=)`."""

from dataclasses import dataclass

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Columns, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn.layers.dense import Dense


@dataclass(frozen=True)
class TiedDense(Dense):
    """A `Dense` that computes x·wᵀ for a w (units, inputs) of another layer."""

    def emit_product(self, build: Builder, x: Value, w: ParameterView) -> Value:
        scores = build.value("scores", (self.units,))
        wt = build.scratch("wᵀ", x.width, self.units)
        build.emit_along(build.axis_of(w), k.transpose, Columns(wt), Slice(w.array), OFFSET)
        build.emit(k.matmul, scores.buffer, x.buffer, wt)
        return scores

    def emit_weight_gradient(self, build: Builder, dw: ParameterView, x: Value, dout: Value, w: ParameterView) -> None:
        build.emit_along(build.axis_of(dw), k.matmul_xt, Slice(dw.array), dout.buffer, x.buffer, OFFSET)

    def emit_input_gradient(self, build: Builder, x: Value, w: ParameterView, dout: Value) -> Value:
        dx = build.value("dx", x.shape)
        build.emit(k.matmul, dx.buffer, dout.buffer, w.array)
        return dx
