"""Long short-term memory."""

from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.validation import truth
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.recurrent import Recurrent


@dataclass(frozen=True)
class LSTM(Recurrent):
    """Long short-term memory, which reads sequences x (N, T, C) step by step.

    It is that of Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins (2000).
    From the state h and the cell c' of the step before, which are 0 before the first one, and the step's input x:

    - i = sigmoid(x·w_i + b_i + h·u_i + c_i)
    - f = sigmoid(x·w_f + b_f + h·u_f + c_f)
    - g = tanh(x·w_g + b_g + h·u_g + c_g)
    - o = sigmoid(x·w_o + b_o + h·u_o + c_o)
    - the new cell is f · c' + i · g, and the new state o · tanh(new cell): both have `units` numbers

    This is the form of PyTorch and Keras, without peepholes. w (C, 4·units), u (units, 4·units), b and c (4·units,)
    have the gates side by side, in the order i, f, g, o of both. There are two biases, b and c, as PyTorch has them, so
    that its models go forth and back exactly, and train alike. A Keras layer has one bias: here it is b, beside c = 0,
    and on the way back it is b + c. The forget gate begins with a bias of 1, as in Keras: a cell is kept until training
    learns what to forget. In PyTorch it does not: `unit_forget_bias=False`.

    Gradients are exact: they go back through all T steps. Longer series are cut into samples of T steps; no state goes
    from one sample to the next.

    The output is the last state, (N, units), or that of every step, (N, T, units): for another layer that reads
    sequences, or for scores of each step, by a Dense or a SampledSoftmax, with a label at each.

    All sequences of a model have one length; there is no masking: see `fn.GRU`, whose examples hold for this layer,
    too. It has a third more weights than a GRU of the same units.

    Penalties and max_norm apply to w and to u.

    Args:
        units: How many numbers the state has.
        return_sequences: Whether the output is the state of every step.
        initializer: Of w.
        recurrent_initializer: Of u.
        bias_initializer: Of b. c begins at 0.
        unit_forget_bias: Whether b begins at 1 for the forget gate, whatever `bias_initializer` draws for the others.
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
        >>> fn.LSTM(32)(fn.Input((50, 3))).shape
        (32,)
        >>> layers = [fn.Embedding(250, 16), fn.LSTM(32, return_sequences=True), fn.LSTM(32), fn.Dense(250)]
        >>> fn.Sequential(layers, input_shape=8).predict([[4, 0, 7, 7, 249, 1, 3, 2]]).shape
        (1, 250)
        >>> model = fn.Sequential([fn.LSTM(2)], input_shape=(5, 3), loss="mse")
        >>> model.parameters["lstm.b"].tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """

    bias_initializer: InitializerName | Initializer = "zeros"
    unit_forget_bias: bool = True
    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4

    def __post_init__(self):
        super().__post_init__()
        initializers.get(self.bias_initializer)
        object.__setattr__(self, "unit_forget_bias", truth("LSTM: unit_forget_bias", self.unit_forget_bias))

    def initial_bias(self):
        bias = initializers.get(self.bias_initializer)
        return ForgetAtOne(bias) if self.unit_forget_bias else bias

    def emit_steps(self, build, state, h, a, v, p):
        steps, units = h.shape
        cells, squashed = build.value("cells", (steps + 1, units)), build.value("tanh(cells)", h.shape)
        kept = (a.buffer, cells.buffer, squashed.buffer)
        weights = p["u"].array, p["c"].array
        build.emit(k.lstm_forward, state.buffer, h.buffer, *kept, v.buffer, *weights, steps, units)

        def backward(dout, ut):
            da = build.value("da", a.shape)
            dcell, dh = (build.value(name, state.shape) for name in ("dcell", "dh"))
            written = (one.buffer for one in (da, dcell, dh))
            build.emit(k.lstm_backward, *written, dout.buffer, *kept, ut, dout.width // units, steps, units)
            return da, da  # h·u + c is added to x·w + b in each gate: it has the same gradient

        return backward


@dataclass(frozen=True)
class ForgetAtOne(Initializer):
    """1 for the forget gate of an LSTM, the second of four, and what another initialiser draws for the others.

    Args:
        others: What draws them.
    """

    others: Initializer

    def sample(self, rng, shape):
        values = self.others.sample(rng, shape)
        units = len(values) // 4
        values[units : 2 * units] = 1
        return values
