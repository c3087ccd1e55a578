"""First dense layers in a step of a block of samples: see `fastnn_kernels.outer_product`."""

from dataclasses import dataclass

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn.layers.dense import Dense


@dataclass(frozen=True)
class BlockedDense(Dense):
    """A `Dense` in a step of a block of samples, which all that follows takes one by one.

    The products of the block's samples with w and with each other are computed at once. Then each sample's scores
    follow from them and from the steps that the samples before it have taken.
    """

    def forward_at_positions(self, build, x, p):
        raise ValueError(f"steps_per_block takes samples of one axis, not of shape {x.shape}: put Flatten() first")

    def emit_product(self, build: Builder, x: Value, w: ParameterView) -> Value:
        samples = build.batch
        scores = super().emit_product(build, x, w)
        x_t = build.scratch("xᵀ", x.width, samples)
        gram = build.value("x·xᵀ", (samples,))
        build.emit(k.transpose, x_t, x.buffer, 0)
        build.emit(k.matmul, gram.buffer, x.buffer, x_t)
        kept = build.kept_steps[w.name] = build.scratch("steps", samples, self.units)
        build.begin_one_by_one()
        build.emit_numbered(k.add_earlier_steps, scores.buffer, gram.buffer, kept, OFFSET)
        return scores


@dataclass(frozen=True)
class AheadDense(BlockedDense):
    """A `Dense` whose weight takes the step of each sample in the pass that multiplies it with the next one.

    So it is read and written once a step. The bits are those of steps by themselves.
    """

    def emit_product(self, build: Builder, x: Value, w: ParameterView) -> Value:
        scores = build.value("scores", (self.units,))
        build.emit(k.first_matmul, scores.buffer, x.buffer, w.array)
        build.ahead[w.name] = scores.buffer
        build.begin_one_by_one()
        return scores


def emit_block_update(build: Builder, w: ParameterView) -> None:
    """Emit the end of a block: the steps that the weight has not taken yet, by one product."""
    x, _ = build.outer_gradients[w.name]
    build.emit_along(build.axis_of(w), k.add_matmul_xt, Slice(w.array), x, build.kept_steps[w.name], OFFSET)
