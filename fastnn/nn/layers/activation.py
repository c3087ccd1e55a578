"""Activations as a layer, and as the operations that other layers end with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import fastnn_kernels as k
from fastnn.common.names import look_up
from fastnn.common.validation import is_whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.values import Value
from fastnn.nn.layers.base import Layer

KERNELS = {name: (getattr(k, f"{name}_forward"), getattr(k, f"{name}_backward")) for name in k.ACTIVATIONS}
ActivationName = Literal["identity", "relu", "leaky_relu", "tanh", "sigmoid", "softplus", "elu", "gelu", "silu"]


def check_activation(name: str) -> None:
    """ValueError with near names unless `name` is an activation's."""
    if is_whole_number(name):
        raise TypeError(
            f"activation is {name}, expected a name; sizes are those of the output alone: Dense(units, activation), "
            "Conv2D(filters, kernel_size, activation)"
        )
    look_up("activation", name, {**KERNELS, "identity": None})


def activate(build: Builder, x: Value, name: str) -> tuple[Value, Callable[[Value], Value]]:
    """Emit y = f(x); returns y and a function that emits dx from dy."""
    if name == "identity":
        return x, lambda dout: dout
    forward, backward = KERNELS[name]
    out = build.value(name, x.shape)
    build.emit(forward, out.buffer, x.buffer, x.width)

    # Where the slope does without x, nobody reads x after y is computed: a few rows of it may stay in a cache.
    read = x.buffer if k.ACTIVATIONS[name].reads_x else out.buffer

    def emit_backward(dout: Value) -> Value:
        dx = build.value(f"d{name}", x.shape)
        build.emit(backward, dx.buffer, dout.buffer, read, out.buffer, x.width)
        return dx

    return out, emit_backward


@dataclass(frozen=True)
class Activation(Layer):
    """f(x), element by element; the output has the shape of the input.

    Args:
        activation: A name: identity, relu, leaky_relu (slope .01), tanh, sigmoid, softplus, elu, gelu (exact) or silu.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: For an unknown name.

    Examples:
        >>> layers = [fn.Dense(8), fn.BatchNorm(), fn.Activation("relu"), fn.Dense(3)]
        >>> fn.Sequential(layers, input_shape=4)
        <Sequential of 4 layers, 83 parameters>
    """

    activation: ActivationName
    kind: ClassVar[str] = "activation"

    def __post_init__(self):
        check_activation(self.activation)

    def forward(self, build, x, p):
        out, backward = activate(build, x, self.activation)
        return out, lambda dout, grads, wanted: backward(dout) if wanted else None
