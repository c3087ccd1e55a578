"""Convolution along one axis, by the operations of images of height 1."""

from dataclasses import dataclass
from typing import ClassVar, get_args

from fastnn.common.validation import whole_number
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.activation import ActivationName, check_activation
from fastnn.nn.layers.base import Layer, Parameter
from fastnn.nn.layers.convolution import Conv2D, SequencePadding, Window, check_padding, forward_as_images
from fastnn.nn.layers.penalties import BiasPenalised


@dataclass(frozen=True)
class Conv1D(BiasPenalised, Layer):
    """f(x ∗ w + b) along the second axis, a cross-correlation: out[t] = f(Σ_k x[t·stride − before + k] · w[k] + b).

    x (N, L, C), w (kernel_size, C, filters), b (filters,), output (N, L', filters).

    Args:
        filters: The number of output channels.
        kernel_size: How many positions a filter sees.
        activation: A name: identity, relu, leaky_relu, tanh, sigmoid, softplus, elu, gelu, silu.
        stride: How far apart windows are.
        padding: "same" gives L' = ⌈L / stride⌉, the larger half of an odd padding behind the sequence; "causal" gives
            as many, with all padding before it (before = kernel_size − 1), so that out[t] depends on no position after
            t·stride; "valid" pads nothing, and L' = ⌊(L − kernel_size) / stride⌋ + 1.
        initializer: Of w.
        bias_initializer: Of b.
        use_bias: Whether there is a b.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.
        penalise_bias: Let l1 and l2, the network's too, count b as well as w; usually they do not.

    Raises:
        ValueError: For an unknown name or a number out of range.
        TypeError: For arguments of another kind.
        ShapeError: In a network: for samples that are no sequences, or shorter than a window.

    Examples:
        >>> fn.Conv1D(16, 5, "relu", padding="valid")(fn.Input((100, 3))).shape
        (96, 16)
        >>> fn.Conv1D(16, 5, padding="causal")(fn.Input((100, 3))).shape
        (100, 16)
    """

    filters: int
    kernel_size: int = 3
    activation: ActivationName = "identity"
    stride: int = 1
    padding: SequencePadding = "same"
    initializer: InitializerName | Initializer = "glorot_uniform"
    bias_initializer: InitializerName | Initializer = "zeros"
    use_bias: bool = True
    kind: ClassVar[str] = "conv1d"

    def __post_init__(self):
        self.check_penalties("Conv1D")
        for name in ("filters", "kernel_size", "stride"):
            object.__setattr__(self, name, whole_number(f"Conv1D: {name}", getattr(self, name)))
        check_padding("Conv1D", self.padding, get_args(SequencePadding))
        check_activation(self.activation)
        for initializer in (self.initializer, self.bias_initializer):
            initializers.get(initializer)

    def window(self) -> Window:
        """The window over images of height 1."""
        return Window((1, self.kernel_size), (1, self.stride), self.padding)

    def output_shape(self, shape):
        return self.window().length("Conv1D", shape), self.filters

    def parameters(self, shape):
        bias = {"b": Parameter((self.filters,), initializers.get(self.bias_initializer))} if self.use_bias else {}
        size = (self.kernel_size, shape[1], self.filters)
        return {"w": Parameter(size, initializers.get(self.initializer))} | bias

    def forward(self, build, x, p):
        return forward_as_images(self._of_images(), build, x, p, (1, *x.shape), self.output_shape(x.shape))

    def _of_images(self) -> Conv2D:
        """The convolution of images of height 1 that computes the same: its w has the same rows in memory."""
        size, stride = self.window().size, self.window().stride
        return _OfHeightOne(self.filters, size, self.activation, stride, self.padding, use_bias=self.use_bias)


@dataclass(frozen=True)
class _OfHeightOne(Conv2D):
    """A convolution of images of height 1, whose window may be causal."""

    padding: SequencePadding = "same"  # type: ignore[assignment]

    def window(self) -> Window:
        return Window(self.kernel_size, self.stride, self.padding)  # type: ignore[arg-type]  # pairs, as Conv1D gives
