"""What recurrent layers have in common: all but the steps themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.errors import ShapeError, not_defined
from fastnn.common.validation import truth, whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Columns, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName, Zeros
from fastnn.nn.layers.base import Layer, Parameter, expect_sequences
from fastnn.nn.layers.convolution import Conv2D, Window, forward_as_images
from fastnn.nn.layers.penalties import Penalised

# (gradient of the output, the transpose of u) -> the gradients of x·w + b and of h·u + c, both (N, T, gates·units)
StepsBackward = Callable[[Value, Buffer], tuple[Value, Value]]


@dataclass(frozen=True)
class Recurrent(Penalised, Layer):
    """Base of layers that read sequences x (N, T, C) step by step: the state h of a step is made of that before it.

    The gates of a step are functions of x·w + b and of h·u + c: w (C, gates·units), u (units, gates·units), b and c
    (gates·units,). A subclass says how many gates there are and emits the steps.

    Args:
        units: How many numbers the state has.
        return_sequences: Whether the output is the state of every step.
        initializer: Of w.
        recurrent_initializer: Of u.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.

    Attributes:
        gates: How many gates a unit has.
    """

    units: int
    return_sequences: bool = False
    initializer: InitializerName | Initializer = "glorot_uniform"
    recurrent_initializer: InitializerName | Initializer = "glorot_uniform"
    gates: ClassVar[int]
    weights: ClassVar[tuple[str, ...]] = ("w", "u")

    def __post_init__(self):
        name = type(self).__name__
        self.check_penalties(name)
        object.__setattr__(self, "units", whole_number(f"{name}: units", self.units))
        object.__setattr__(self, "return_sequences", truth(f"{name}: return_sequences", self.return_sequences))
        for initializer in (self.initializer, self.recurrent_initializer):
            initializers.get(initializer)

    def output_shape(self, shape):
        name = type(self).__name__
        expect_sequences(name, shape, "(T, C)")
        if not shape[0]:
            raise ShapeError(f"{name} got samples of shape {shape}, expected sequences (T, C) of at least one step")
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def parameters(self, shape):
        columns = self.gates * self.units
        return {
            "w": Parameter((shape[1], columns), initializers.get(self.initializer)),
            "u": Parameter((self.units, columns), initializers.get(self.recurrent_initializer)),
            "b": Parameter((columns,), self.initial_bias()),
            "c": Parameter((columns,), Zeros()),
        }

    def initial_bias(self) -> Initializer:
        """What draws b."""
        return Zeros()

    def forward(self, build, x, p):
        steps, columns = x.shape[0], self.gates * self.units
        # x·w + b of all steps at once: the convolution of a line of steps with a window of one of them.
        window, line = Conv2D(columns, 1), (1, *x.shape)
        a, inputs_backward = forward_as_images(window, build, x, p, line, (steps, columns))
        state, h = build.value("state", (self.units,)), build.value("states", (steps, self.units))
        steps_backward = self.emit_steps(build, state, h, a, build.value("h·u", (columns,)), p)

        def backward(dout, grads, wanted):
            da, dv = steps_backward(dout, self._emit_transposed(build, p["u"]))
            self._emit_recurrent_gradients(build, p, grads, h, dv)
            return inputs_backward(da, grads, wanted)

        return h if self.return_sequences else state, backward

    def emit_steps(
        self, build: Builder, state: Value, h: Value, a: Value, v: Value, p: Mapping[str, ParameterView]
    ) -> StepsBackward:
        """Emit the steps forward.

        Args:
            build: What collects the operations.
            state: To be filled with the last state, (N, units).
            h: To be filled with the states of all steps, (N, T, units).
            a: x·w + b of all steps, (N, T, gates·units), which may be written over.
            v: For h·u of a step, (N, gates·units).
            p: The layer's parameters by short name.

        Returns:
            A function that emits the way back through the steps.
        """
        raise not_defined(self, "emit_steps")

    def _emit_transposed(self, build: Builder, u: ParameterView) -> Buffer:
        ut = build.scratch("uᵀ", self.gates * self.units, self.units)
        build.emit_along(build.axis_of(u), k.transpose, Columns(ut), Slice(u.array), OFFSET)
        return ut

    def _emit_recurrent_gradients(self, build, p, grads, h, dv):
        """du = Σ h[t−1]ᵀ · dv[t], a convolution whose window sees the step before; dc = Σ dv."""
        steps, columns = dv.shape
        geometry = Window((1, 1), (1, 1), "valid").geometry((1, *h.shape), (1, steps, columns))
        geometry[8] = 1  # one step of padding before the first one, whose state before is 0
        du, dc = Slice(grads["u"].array), Slice(grads["c"].array)
        along_u, along_c = build.axis_of(p["u"]), build.axis_of(p["c"])
        build.emit_along(along_u, k.conv2d_backward_w, du, h.buffer, dv.buffer, geometry, OFFSET)
        build.emit_along(along_c, k.channel_bias_backward, dc, dv.buffer, steps, columns, OFFSET)
