"""Windows that slide over images (N, H, W, C), and the convolution of images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.validation import whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.activation import ActivationName, activate, check_activation
from fastnn.nn.layers.base import Backward, Layer, Parameter, expect_rank, expect_sequences
from fastnn.nn.layers.convolution_operations import (
    emit_convolution,
    emit_input_gradient,
    emit_weight_gradient,
    padded_image,
)
from fastnn.nn.layers.penalties import BiasPenalised

Padding = Literal["same", "valid"]
SequencePadding = Literal["same", "valid", "causal"]
PADDINGS: tuple[Padding, ...] = get_args(Padding)
MEANT = {
    "same": '"same" (⌈extent / stride⌉ outputs)',
    "valid": '"valid" (no padding)',
    "causal": '"causal" (all padding before the sequence)',
}


@dataclass(frozen=True)
class Window:
    """A window's extent and stride over images of `shape`, and the padding before them.

    "same" gives ⌈extent / stride⌉ outputs; of an odd padding the larger half is after the image. "causal" gives as
    many, and pads nothing after the image: a window ends where the stride has come to. "valid" pads nothing.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    padding: SequencePadding

    def outputs(self, layer: str, shape: tuple[int, ...]) -> tuple[int, int]:
        """Rows and columns that come out; ShapeError if the window does not fit."""
        expect_rank(layer, shape, 3, f"images (H, W, C){_missing_axes(layer, shape)}")
        if self.padding != "valid":
            return -(-shape[0] // self.stride[0]), -(-shape[1] // self.stride[1])
        if shape[0] < self.size[0] or shape[1] < self.size[1]:
            raise ShapeError(f"{layer}: a window of {self.size} does not fit images of {shape[:2]}; padding='same' may")
        rows, columns = ((shape[i] - self.size[i]) // self.stride[i] + 1 for i in (0, 1))
        return rows, columns

    def length(self, layer: str, shape: tuple[int, ...]) -> int:
        """How many come out of sequences (L, C), taken as images of height 1; ShapeError if the window does not fit."""
        expect_sequences(layer, shape, "(L, C)")
        if self.padding == "valid" and shape[0] < self.size[1]:
            raise ShapeError(
                f"{layer}: a window of {self.size[1]} does not fit sequences of {shape[0]}; padding='same' may"
            )
        return self.outputs(layer, (1, *shape))[1]

    def geometry(self, shape: tuple[int, ...], outputs: tuple[int, ...]) -> np.ndarray:
        """The operand `geometry` of the kernels: image, window, stride, padding before the image, output."""
        before = [self._before(i, shape[i], outputs[i]) for i in (0, 1)]
        return np.array([*shape, *self.size, *self.stride, *before, *outputs], np.int64)

    def _before(self, axis: int, extent: int, outputs: int) -> int:
        if self.padding == "same":
            return max(0, (outputs - 1) * self.stride[axis] + self.size[axis] - extent) // 2
        return self.size[axis] - 1 if self.padding == "causal" else 0


def _missing_axes(layer: str, shape: tuple[int, ...]) -> str:
    """What makes images of samples with fewer axes, in words; or nothing."""
    if len(shape) == 1:
        return "; put Reshape((height, width, channels)) before it"
    if len(shape) != 2:
        return ""
    return f"; put Reshape({(*shape, 1)}) before it, of pictures in grey; for sequences use {layer.replace('2D', '1D')}"


MOST_PIXELS = 2**31 - 1  # of a window or a stride: the kernels count in 64 bits


def _pair(layer: str, name: str, value: Any) -> tuple[int, int]:
    values = value if isinstance(value, tuple | list) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{layer}: {name} is {value!r}, expected a whole number or a pair of them")
    first, second = (whole_number(f"{layer}: {name}", one) for one in values)
    if max(first, second) > MOST_PIXELS:
        raise ValueError(f"{layer}: {name} is {value!r:.60}, expected at most {MOST_PIXELS:,}")
    return first, second


def check_padding(layer: str, padding: Any, known: tuple[str, ...] = PADDINGS) -> None:
    """ValueError unless `padding` is one of those `known`."""
    if not isinstance(padding, str) or padding not in known:
        *others, last = (MEANT[name] for name in known)
        raise ValueError(f"{layer}: padding is {padding!r}, expected {', '.join(others)} or {last}")


def checked_window(layer: str, size: Any, stride: Any, padding: Padding) -> Window:
    """The window that a layer's arguments describe; ValueError or TypeError if they describe none."""
    check_padding(layer, padding)
    return Window(_pair(layer, "window", size), _pair(layer, "stride", stride), padding)


@dataclass(frozen=True)
class Conv2D(BiasPenalised, Layer):
    """f(x ∗ w + b), a cross-correlation: x (N, H, W, C), w (KH, KW, C, filters), b (filters,).

    The output is (N, H', W', filters): images have their channels last.

    Args:
        filters: The number of output channels.
        kernel_size: The extent of a filter: a number, or rows and columns.
        activation: A name: identity, relu, leaky_relu, tanh, sigmoid, softplus, elu, gelu, silu.
        stride: How far apart windows are: a number, or rows and columns.
        padding: "same" gives ⌈extent / stride⌉ outputs, the larger half of an odd padding after the image; "valid" pads
            nothing.
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
        ShapeError: In a network: for samples that are no images, or smaller than a window.

    Examples:
        >>> fn.Conv2D(16, 3, "relu")(fn.Input((28, 28, 1))).shape
        (28, 28, 16)
    """

    filters: int
    kernel_size: int | tuple[int, int] = 3
    activation: ActivationName = "identity"
    stride: int | tuple[int, int] = 1
    padding: Padding = "same"
    initializer: InitializerName | Initializer = "glorot_uniform"
    bias_initializer: InitializerName | Initializer = "zeros"
    use_bias: bool = True
    kind: ClassVar[str] = "conv2d"

    def __post_init__(self):
        self.check_penalties("Conv2D")
        whole_number("Conv2D: filters", self.filters)
        check_activation(self.activation)
        self.window()
        for initializer in (self.initializer, self.bias_initializer):
            initializers.get(initializer)

    def window(self) -> Window:
        """The window with its stride and padding."""
        return checked_window("Conv2D", self.kernel_size, self.stride, self.padding)

    def output_shape(self, shape):
        return (*self.window().outputs("Conv2D", shape), self.filters)

    def parameters(self, shape):
        size = (*self.window().size, shape[2], self.filters)
        bias = {"b": Parameter((self.filters,), initializers.get(self.bias_initializer))} if self.use_bias else {}
        return {"w": Parameter(size, initializers.get(self.initializer))} | bias

    def forward(self, build, x, p):
        geometry = self.window().geometry(x.shape, self.output_shape(x.shape))
        image, inner = padded_image(build, x, geometry)
        scores = build.value("scores", self.output_shape(x.shape))
        emit_convolution(build, scores, image, p["w"].array, inner)
        if self.use_bias:
            build.emit(k.channel_bias_forward, scores.buffer, p["b"].array, scores.width // self.filters, self.filters)
        out, activation_backward = activate(build, scores, self.activation)

        def backward(dout, grads, wanted):
            dout = activation_backward(dout)
            emit_weight_gradient(build, p["w"], grads["w"].array, image, dout, inner)
            if self.use_bias:
                units, pixels = build.axis_of(p["b"]), dout.width // self.filters
                operands = (Slice(grads["b"].array), dout.buffer, pixels, self.filters, OFFSET)
                build.emit_along(units, k.channel_bias_backward, *operands)
            return emit_input_gradient(build, x, p["w"], dout, geometry) if wanted else None

        return out, backward


def forward_as_images(
    layer: Layer,
    build: Builder,
    x: Value,
    p: Mapping[str, ParameterView],
    image: tuple[int, ...],
    shape: tuple[int, ...],
) -> tuple[Value, Backward]:
    """Emit a layer of images on x, taken as an image (H, W, C). The output has `shape`, the input's gradient x's shape.

    Samples are stored flat, so this costs nothing more.
    """
    out, backward = layer.forward(build, x.reshaped(image), p)

    def of_images(dout, grads, wanted):
        dx = backward(dout.reshaped(out.shape), grads, wanted)
        return None if dx is None else dx.reshaped(x.shape)

    return out.reshaped(shape), of_images
