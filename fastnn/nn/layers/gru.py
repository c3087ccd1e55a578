"""The gated recurrent unit."""

from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.nn.layers.recurrent import Recurrent


@dataclass(frozen=True)
class GRU(Recurrent):
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

    Penalties and max_norm apply to w and to u. b and c begin at 0.

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

    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3

    def emit_steps(self, build, state, h, a, v, p):
        inner = build.value("inner", h.shape)
        kept = (h.buffer, a.buffer, inner.buffer)
        build.emit(k.gru_forward, state.buffer, *kept, v.buffer, p["u"].array, p["c"].array, *h.shape)

        def backward(dout, ut):
            da, dv = (build.value(name, a.shape) for name in ("da", "dv"))
            dh, through = (build.value(name, state.shape) for name in ("dh", "dv·uᵀ"))
            written = (one.buffer for one in (da, dv, dh, through))
            build.emit(k.gru_backward, *written, dout.buffer, *kept, ut, dout.width // self.units, *h.shape)
            return da, dv

        return backward
