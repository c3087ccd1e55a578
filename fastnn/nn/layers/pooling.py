"""Layers that make one number of many: of each window of images or sequences, of all positions."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.validation import whole_number
from fastnn.nn.layers.base import Layer, backward_by
from fastnn.nn.layers.convolution import Padding, Window, checked_window, forward_as_images


@dataclass(frozen=True)
class _Pool2D(Layer):
    """Base of layers that make one number of each window and channel of images (N, H, W, C)."""

    pool_size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None
    padding: Padding = "valid"

    def __post_init__(self):
        self.window()

    def window(self) -> Window:
        """The window with its stride and padding."""
        stride = self.pool_size if self.stride is None else self.stride
        return checked_window(type(self).__name__, self.pool_size, stride, self.padding)

    def output_shape(self, shape):
        return (*self.window().outputs(type(self).__name__, shape), shape[2])


@dataclass(frozen=True)
class MaxPool2D(_Pool2D):
    """The largest number of each window and channel of images (N, H, W, C), the first of equals.

    The output is (N, H', W', C).

    Args:
        pool_size: The extent of a window: a number, or rows and columns.
        stride: How far apart windows are; `pool_size` unless given.
        padding: "valid" pads nothing; "same" gives ⌈extent / stride⌉ windows, the larger half of an odd padding after
            the image.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: For numbers out of range or an unknown padding.
        ShapeError: In a network: for samples that are no images, or smaller than a window.

    Examples:
        >>> fn.MaxPool2D(2)(fn.Input((28, 28, 8))).shape
        (14, 14, 8)
    """

    kind: ClassVar[str] = "max_pool2d"

    def forward(self, build, x, p):
        geometry = self.window().geometry(x.shape, self.output_shape(x.shape))
        out = build.value("max_pool2d", self.output_shape(x.shape))
        argmax = build.array("argmax", out.buffer.shape, np.int32, batched=True)
        build.emit(k.max_pool2d_forward, out.buffer, argmax, x.buffer, geometry)
        return out, backward_by(build, x, k.max_pool2d_backward, argmax, out.width)


@dataclass(frozen=True)
class AveragePool2D(_Pool2D):
    """The mean of each window and channel of images (N, H, W, C); the output is (N, H', W', C).

    Padding, which padding="same" adds where windows do not fit, does not count.

    Args:
        pool_size: The extent of a window: a number, or rows and columns.
        stride: How far apart windows are; `pool_size` unless given.
        padding: "valid" pads nothing; "same" gives ⌈extent / stride⌉ windows, the larger half of an odd padding after
            the image.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: For numbers out of range or an unknown padding.
        ShapeError: In a network: for samples that are no images, or smaller than a window.

    Examples:
        >>> fn.AveragePool2D(2)(fn.Input((28, 28, 8))).shape
        (14, 14, 8)
    """

    kind: ClassVar[str] = "average_pool2d"

    def forward(self, build, x, p):
        geometry = self.window().geometry(x.shape, self.output_shape(x.shape))
        out = build.value("average_pool2d", self.output_shape(x.shape))
        build.emit(k.average_pool2d_forward, out.buffer, x.buffer, geometry)
        return out, backward_by(build, x, k.average_pool2d_backward, geometry)


@dataclass(frozen=True)
class _Pool1D(Layer):
    """Base of layers that make one number of each window and channel of sequences (N, L, C), as images of height 1."""

    pool_size: int = 2
    stride: int | None = None
    padding: Padding = "valid"
    of_images: ClassVar[type[_Pool2D]]

    def __post_init__(self):
        name = type(self).__name__
        object.__setattr__(self, "pool_size", whole_number(f"{name}: pool_size", self.pool_size))
        if self.stride is not None:
            object.__setattr__(self, "stride", whole_number(f"{name}: stride", self.stride))
        self.window()

    def window(self) -> Window:
        """The window over images of height 1."""
        stride = self.pool_size if self.stride is None else self.stride
        return checked_window(type(self).__name__, (1, self.pool_size), (1, stride), self.padding)

    def output_shape(self, shape):
        return self.window().length(type(self).__name__, shape), shape[1]

    def forward(self, build, x, p):
        window = self.window()
        pool = self.of_images(window.size, window.stride, self.padding)
        return forward_as_images(pool, build, x, p, (1, *x.shape), self.output_shape(x.shape))


@dataclass(frozen=True)
class MaxPool1D(_Pool1D):
    """The largest number of each window and channel of sequences (N, L, C); the output is (N, L', C).

    Args:
        pool_size: The length of a window.
        stride: How far apart windows are; `pool_size` unless given.
        padding: "valid" pads nothing, and L' = ⌊(L − pool_size) / stride⌋ + 1; "same" gives L' = ⌈L / stride⌉, the
            larger half of an odd padding behind the sequence.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: For numbers out of range or an unknown padding.
        TypeError: For arguments of another kind.
        ShapeError: In a network: for samples that are no sequences, or shorter than a window.

    Examples:
        >>> fn.MaxPool1D(2)(fn.Input((100, 16))).shape
        (50, 16)
    """

    kind: ClassVar[str] = "max_pool1d"
    of_images: ClassVar[type[_Pool2D]] = MaxPool2D


@dataclass(frozen=True)
class AveragePool1D(_Pool1D):
    """The mean of each window and channel of sequences (N, L, C); the output is (N, L', C).

    Padding, which padding="same" adds where windows do not fit, does not count.

    Args:
        pool_size: The length of a window.
        stride: How far apart windows are; `pool_size` unless given.
        padding: "valid" pads nothing, and L' = ⌊(L − pool_size) / stride⌋ + 1; "same" gives L' = ⌈L / stride⌉, the
            larger half of an odd padding behind the sequence.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: For numbers out of range or an unknown padding.
        TypeError: For arguments of another kind.
        ShapeError: In a network: for samples that are no sequences, or shorter than a window.

    Examples:
        >>> fn.AveragePool1D(2)(fn.Input((100, 16))).shape
        (50, 16)
    """

    kind: ClassVar[str] = "average_pool1d"
    of_images: ClassVar[type[_Pool2D]] = AveragePool2D


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """The mean of each channel over all positions: images (N, H, W, C) or sequences (N, L, C) to (N, C).

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ShapeError: In a network: for samples that have neither two nor three axes.

    Examples:
        >>> fn.GlobalAveragePool()(fn.Input((7, 7, 64))).shape
        (64,)
    """

    kind: ClassVar[str] = "global_average_pool"

    def output_shape(self, shape):
        if len(shape) < 2:
            raise ShapeError(
                f"GlobalAveragePool got samples of shape {shape}, expected images (H, W, C) or sequences (L, C)"
            )
        return (shape[-1],)

    def forward(self, build, x, p):
        positions, channels = math.prod(x.shape[:-1]), x.shape[-1]
        out = build.value("global_average_pool", (channels,))
        build.emit(k.mean_forward, out.buffer, x.buffer, positions, channels)
        return out, backward_by(build, x, k.mean_backward, positions, channels)
