"""The recurrent layer: a gated recurrent unit."""

from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
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


@dataclass(frozen=True)
class GRU(Penalised, Layer):
    """A gated recurrent unit, which reads sequences x (N, T, C) step by step. Cho et al. (2014), arXiv:1406.1078.

    From the state h of the step before, which is 0 before the first one, and the step's input x:

    - r = sigmoid(x·w_r + b_r + h·u_r + c_r)
    - z = sigmoid(x·w_z + b_z + h·u_z + c_z)
    - n = tanh(x·w_n + b_n + r · (h·u_n + c_n))
    - the new state is (1 − z) · n + z · h

    This is the form of PyTorch, and of Keras with reset_after=True. w (C, 3·units), u (units, 3·units), b and c
    (3·units,) have the gates side by side, in PyTorch's order r, z, n. Gradients are exact: they go back through all T
    steps. Longer series are cut into samples of T steps; no state goes from one sample to the next.

    The output is the last state, (N, units), or that of every step, (N, T, units): for another layer that reads
    sequences, or for scores of each step, by a Dense or a SampledSoftmax, with a label at each.

    All sequences of a model have one length; there is no masking. Before shorter ones put zeros, or an id of their own:
    the last state is then that after their last step, and training learns to pass over what is before. Where each step
    has a label, fill up at the end instead, with labels of -1: no step reads a later one.

    Penalties and max_norm apply to w and to u.

    Args:
        units: How many numbers the state has.
        return_sequences: Whether the output is the state of every step.
        initializer: Of w.
        recurrent_initializer: Of u. b and c begin at 0.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.

    Raises:
        ValueError: For an unknown name or a number out of range.
        TypeError: For arguments of another kind.
        ShapeError: In a network: for samples that are no sequences.

    Examples:
        >>> fn.GRU(32)(fn.Input((50, 3))).shape
        (32,)
        >>> layers = [fn.Embedding(250, 16), fn.GRU(32, return_sequences=True), fn.GRU(32), fn.Dense(250)]
        >>> fn.Sequential(layers, input_shape=8).predict([[4, 0, 7, 7, 249, 1, 3, 2]]).shape
        (1, 250)
        >>> layers = [fn.Embedding(250, 16), fn.GRU(32, return_sequences=True), fn.Dense(250)]
        >>> model = fn.Sequential(layers, input_shape=4)
        >>> history = model.fit([[4, 0, 7, 7]], [[0, 7, 7, -1]], verbose=False)  # a label at each step; -1: none
        >>> sequences = [np.ones((3, 2)), np.ones((5, 2))]  # of different length
        >>> np.stack([np.pad(one, ((5 - len(one), 0), (0, 0))) for one in sequences]).shape
        (2, 5, 2)
    """

    units: int
    return_sequences: bool = False
    initializer: InitializerName | Initializer = "glorot_uniform"
    recurrent_initializer: InitializerName | Initializer = "glorot_uniform"
    kind: ClassVar[str] = "gru"
    weights: ClassVar[tuple[str, ...]] = ("w", "u")

    def __post_init__(self):
        self.check_penalties("GRU")
        object.__setattr__(self, "units", whole_number("GRU: units", self.units))
        object.__setattr__(self, "return_sequences", truth("GRU: return_sequences", self.return_sequences))
        for initializer in (self.initializer, self.recurrent_initializer):
            initializers.get(initializer)

    def output_shape(self, shape):
        expect_sequences("GRU", shape, "(T, C)")
        if not shape[0]:
            raise ShapeError(f"GRU got samples of shape {shape}, expected sequences (T, C) of at least one step")
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def parameters(self, shape):
        gates, inputs, states = 3 * self.units, initializers.get(self.initializer), self.recurrent_initializer
        weights = {
            "w": Parameter((shape[1], gates), inputs),
            "u": Parameter((self.units, gates), initializers.get(states)),
        }
        return weights | {short: Parameter((gates,), Zeros()) for short in ("b", "c")}

    def forward(self, build, x, p):
        steps, units = x.shape[0], self.units
        a, inputs_backward = self._emit_products_of_inputs(build, x, p)
        state, h = build.value("state", (units,)), build.value("states", (steps, units))
        inner, v = build.value("inner", (steps, units)), build.value("h·u", (3 * units,))
        kept = (h.buffer, a.buffer, inner.buffer)
        weights = p["u"].array, p["c"].array
        build.emit(k.gru_forward, state.buffer, *kept, v.buffer, *weights, steps, units)

        def backward(dout, grads, wanted):
            da, dv = self._emit_steps_backward(build, dout, p["u"], steps, kept)
            self._emit_recurrent_gradients(build, p, grads, h, dv)
            return inputs_backward(da, grads, wanted)

        return h if self.return_sequences else state, backward

    def _emit_products_of_inputs(self, build, x, p):
        """x·w + b of all steps at once: the convolution of a line of steps with a window of one of them."""
        gates = 3 * self.units
        return forward_as_images(Conv2D(gates, 1), build, x, p, (1, *x.shape), (x.shape[0], gates))

    def _emit_steps_backward(
        self, build: Builder, dout: Value, u: ParameterView, steps: int, kept: tuple[Buffer, ...]
    ) -> tuple[Value, Value]:
        """Emit the way back through the steps; the gradients of x·w + b and of h·u + c, both (N, T, 3·units).

        kept : what `gru_forward` left
        """
        units, given = self.units, dout.width // self.units
        ut = build.scratch("uᵀ", 3 * units, units)
        build.emit_along(build.axis_of(u), k.transpose, Columns(ut), Slice(u.array), OFFSET)
        da, dv = (build.value(name, (steps, 3 * units)) for name in ("da", "dv"))
        dh, through = (build.value(name, (units,)) for name in ("dh", "dv·uᵀ"))
        written = (one.buffer for one in (da, dv, dh, through))
        build.emit(k.gru_backward, *written, dout.buffer, *kept, ut, given, steps, units)
        return da, dv

    def _emit_recurrent_gradients(self, build, p, grads, h, dv):
        """du = Σ h[t−1]ᵀ · dv[t], a convolution whose window sees the step before; dc = Σ dv."""
        steps, gates = h.shape[0], 3 * self.units
        geometry = Window((1, 1), (1, 1), "valid").geometry((1, *h.shape), (1, steps, gates))
        geometry[8] = 1  # one step of padding before the first one, whose state before is 0
        rows, columns = build.axis_of(p["u"]), build.axis_of(p["c"])
        du, dc = Slice(grads["u"].array), Slice(grads["c"].array)
        build.emit_along(rows, k.conv2d_backward_w, du, h.buffer, dv.buffer, geometry, OFFSET)
        build.emit_along(columns, k.channel_bias_backward, dc, dv.buffer, steps, gates, OFFSET)
