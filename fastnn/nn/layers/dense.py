"""The fully connected layer."""

from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.validation import whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Columns, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.activation import ActivationName, activate, check_activation
from fastnn.nn.layers.base import Layer, Parameter
from fastnn.nn.layers.convolution import Conv2D, forward_as_images
from fastnn.nn.layers.penalties import BiasPenalised, check_tie

# The input's gradient is dout · wᵀ or, transposed, w · doutᵀ. The second transposes the batch's outputs and inputs, in
# two more phases, instead of w. It pays where w has more than this many times as many numbers as they have.
LARGE_WEIGHT = 8
# Data may be mostly 0. To look at a weight for NaN before products with 0 are left out takes a time that pays from so
# many samples on, and a loop over what is not 0 fills its vector registers from so many units on.
SPARSE_SAMPLES, SPARSE_UNITS = 16, 64


@dataclass(frozen=True)
class Dense(BiasPenalised, Layer):
    """f(x·w + b): x (N, inputs), w (inputs, units), b (units,), output (N, units).

    Samples with more axes: the last one is that of the inputs, x (N, …, inputs), and the output is (N, …, units). The
    same w and b are used at every position.

    Args:
        units: The number of outputs.
        activation: A name: identity, relu, leaky_relu, tanh, sigmoid, softplus, elu, gelu, silu.
        initializer: Of w.
        bias_initializer: Of b.
        use_bias: Whether there is a b.
        tied_to: The name of a layer whose weight w, (units, inputs), this layer uses transposed instead of one of its
            own: an embedding's, for scores of its words, or that of the dense layer which an autoencoder undoes. For
            samples (inputs,) only. Penalties and max_norm are that layer's.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.
        penalise_bias: Let l1 and l2, the network's too, count b as well as w; usually they do not.

    Raises:
        ValueError: For an unknown name or a number out of range; for penalties beside `tied_to`.
        TypeError: For arguments of another kind.
        ShapeError: In a network: for samples that it cannot take.

    Examples:
        >>> layers = [fn.Dense(8, "relu", l2=1e-4), fn.Dense(3)]
        >>> fn.Sequential(layers, input_shape=4).predict(x).shape
        (30, 3)
    """

    units: int
    activation: ActivationName = "identity"
    initializer: InitializerName | Initializer = "glorot_uniform"
    bias_initializer: InitializerName | Initializer = "zeros"
    use_bias: bool = True
    tied_to: str | None = None
    kind: ClassVar[str] = "dense"

    def __post_init__(self):
        self.check_penalties("Dense")
        object.__setattr__(self, "units", whole_number("Dense: units", self.units))
        check_activation(self.activation)
        initializers.get(self.initializer)
        initializers.get(self.bias_initializer)
        check_tie("Dense", self.tied_to, self)

    def output_shape(self, shape):
        if not shape:
            raise ShapeError(f"Dense got samples of shape {shape}, expected (inputs,) or (…, inputs)")
        if self.tied_to is not None and len(shape) > 1:
            raise ShapeError(
                f"Dense(tied_to={self.tied_to!r}) got samples of shape {shape}, expected (inputs,): a weight is tied "
                "for one position only"
            )
        return (*shape[:-1], self.units)

    def parameters(self, shape):
        bias = {"b": Parameter((self.units,), initializers.get(self.bias_initializer))} if self.use_bias else {}
        if self.tied_to is not None:
            return bias
        return {"w": Parameter((shape[-1], self.units), initializers.get(self.initializer))} | bias

    def borrowed(self, shape):
        return {} if self.tied_to is None else {"w": (f"{self.tied_to}.w", (self.units, shape[0]))}

    def forward(self, build, x, p):
        if len(x.shape) > 1:
            return self.forward_at_positions(build, x, p)
        scores = self.emit_product(build, x, p["w"])
        if self.use_bias:
            build.emit(k.bias_forward, scores.buffer, p["b"].array)
        out, activation_backward = activate(build, scores, self.activation)

        def backward(dout, grads, wanted):
            dout = activation_backward(dout)
            self.emit_weight_gradient(build, grads["w"], x, dout, p["w"])
            if self.use_bias:
                units = build.axis_of(p["b"])
                build.emit_along(units, k.bias_backward, Slice(grads["b"].array), dout.buffer, OFFSET)
            return self.emit_input_gradient(build, x, p["w"], dout) if wanted else None

        return out, backward

    def forward_at_positions(self, build, x, p):
        """As `forward`, for x (N, …, inputs): the convolution of a line of positions with a window of one of them.

        Args:
            build (Builder): What collects the operations.
            x (Value): The input.
            p (Mapping[str, ParameterView]): The layer's parameters by short name.
        """
        line = (1, x.width // x.shape[-1], x.shape[-1])
        window = Conv2D(self.units, 1, self.activation, use_bias=self.use_bias)
        return forward_as_images(window, build, x, p, line, self.output_shape(x.shape))

    def emit_product(self, build: Builder, x: Value, w: ParameterView) -> Value:
        """Emit x·w, to which bias and activation are added.

        Args:
            build: What collects the operations.
            x: The input, (N, inputs).
            w: The weight, (inputs, units).
        """
        scores = build.value("scores", (self.units,))
        kernel = k.sparse_matmul if self._may_be_sparse(build, x) else k.matmul
        build.emit(kernel, scores.buffer, x.buffer, w.array)
        return scores

    def _may_be_sparse(self, build, x):
        """Whether to look for zeros in x: in data there may be many, and enough work is left out for each."""
        large = build.batch >= SPARSE_SAMPLES and self.units >= SPARSE_UNITS
        return large and any(x.buffer is one for one in build.data)

    def emit_weight_gradient(self, build: Builder, dw: ParameterView, x: Value, dout: Value, w: ParameterView) -> None:
        """Emit dw = xᵀ · dout, or only say of which two rows it is the outer product.

        Args:
            build: What collects the operations.
            dw: The gradient to fill, (inputs, units).
            x: The input, (N, inputs).
            dout: The gradient of the product, (N, units).
            w: The weight, which the update writes next.
        """
        rows = build.axis_of(dw)
        if dw.name in build.unstored:
            build.outer_gradients[dw.name] = x.buffer, dout.buffer
        else:
            kernel = k.sparse_matmul_xt_prefetch if self._may_be_sparse(build, x) else k.matmul_xt_prefetch
            build.emit_along(rows, kernel, Slice(dw.array), x.buffer, dout.buffer, Slice(w.array), OFFSET)

    def emit_input_gradient(self, build: Builder, x: Value, w: ParameterView, dout: Value) -> Value:
        """Emit dx = dout · wᵀ. For a large w and few samples: dxᵀ = w · doutᵀ, so that w need not be transposed.

        Args:
            build: What collects the operations.
            x: The input, (N, inputs).
            w: The weight, (inputs, units).
            dout: The gradient of the product, (N, units).
        """
        if self._reads_weight_late(build, x, w):
            return self._transposed_gradient(build, x, w, dout)
        wt = build.scratch("wᵀ", self.units, x.width)
        dx = build.value("dx", x.shape)
        build.emit_along(build.axis_of(w), k.transpose, Columns(wt), Slice(w.array), OFFSET)
        build.emit(k.matmul, dx.buffer, dout.buffer, wt)
        return dx

    def _reads_weight_late(self, build, x, w):
        """Whether the input's gradient is w · doutᵀ, which reads w when doutᵀ is complete."""
        return w.array.size > LARGE_WEIGHT * build.batch * (x.width + self.units)

    def _transposed_gradient(self, build, x, w, dout):
        rows = build.axis_of(w)
        dout_t = build.scratch("doutᵀ", self.units, build.batch)
        dx_t, dx = build.scratch("dxᵀ", x.width, build.batch), build.value("dx", x.shape)
        build.emit(k.transpose, dout_t, dout.buffer, 0)
        build.emit_along(rows, k.matmul, Slice(dx_t), Slice(w.array), dout_t)
        build.emit_along(rows, k.transpose, Columns(dx.buffer), Slice(dx_t), OFFSET)
        return dx
