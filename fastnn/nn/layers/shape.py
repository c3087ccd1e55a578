"""Layers that only rearrange or add up: no parameters."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.validation import whole_number
from fastnn.nn.layers.base import Layer, backward_by, expect_rank


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, ...) to (N, product): samples are stored flat, so this costs nothing.

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Examples:
        >>> fn.Flatten()(fn.Input((28, 28, 3))).shape
        (2352,)
    """

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape):
        return (math.prod(shape),)

    def forward(self, build, x, p):
        return x.reshaped(self.output_shape(x.shape)), lambda dout, grads, wanted: dout.reshaped(x.shape)


@dataclass(frozen=True)
class Reshape(Layer):
    """(N, ...) to (N, *shape), in the order in which samples are stored, last axis fastest: this costs nothing.

    Args:
        shape: The extents of an output sample; one of them may be -1: what the others leave.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ShapeError: In a network: if a sample has another number of values.

    Examples:
        >>> fn.Reshape((28, 28, -1))(fn.Input(784)).shape
        (28, 28, 1)
    """

    shape: tuple[int, ...]
    kind: ClassVar[str] = "reshape"

    def __post_init__(self):
        given = self.shape.tolist() if isinstance(self.shape, np.ndarray) else self.shape
        given = given if isinstance(given, tuple | list) else (given,)
        extents = tuple(_extent(extent) for extent in given)
        if extents.count(-1) > 1 or not extents:
            raise ValueError(f"Reshape: shape is {extents}, expected extents of which at most one is -1")
        object.__setattr__(self, "shape", extents)

    def output_shape(self, shape):
        size, known = math.prod(shape), math.prod(extent for extent in self.shape if extent != -1)
        if size % known or (-1 not in self.shape and size != known):
            raise ShapeError(f"Reshape: samples of shape {shape} have {size} numbers, which do not fit {self.shape}")
        return tuple(size // known if extent == -1 else extent for extent in self.shape)

    def forward(self, build, x, p):
        return x.reshaped(self.output_shape(x.shape)), lambda dout, grads, wanted: dout.reshaped(x.shape)


@dataclass(frozen=True)
class Sum(Layer):
    """(N, C, width) to (N, width): the sum over the second axis, say of the embeddings of C words.

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ShapeError: In a network: for samples that have not two axes.

    Examples:
        >>> fn.Sum()(fn.Input((3, 16))).shape
        (16,)
    """

    kind: ClassVar[str] = "sum"

    def output_shape(self, shape):
        expect_rank("Sum", shape, 2, "two axes (C, width), as Embedding gives")
        return (shape[1],)

    def forward(self, build, x, p):
        C, width = x.shape
        out = build.value("sum", (width,))
        build.emit(k.sum_forward, out.buffer, x.buffer, C, width)
        return out, backward_by(build, x, k.sum_backward, C, width)


def _extent(given: Any) -> int:
    extent = whole_number("Reshape: shape", given, -1)
    return whole_number("Reshape: shape", extent) if extent != -1 else -1
