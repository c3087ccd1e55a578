"""The windows of layers, as libraries that pad by numbers have them."""

from collections.abc import Sequence
from typing import NamedTuple

from fastnn.nn.layers import AveragePool1D, AveragePool2D, Conv1D, Conv2D, MaxPool1D, MaxPool2D
from fastnn.nn.layers.convolution import Window


class Slid(NamedTuple):
    """A window that slides along each axis of a sample but the channels: its size and stride, and the padding."""

    size: list[int]
    stride: list[int]
    before: list[int]
    after: list[int]


def slid(layer: Conv1D | Conv2D | MaxPool1D | MaxPool2D | AveragePool1D | AveragePool2D, shape: Sequence[int]) -> Slid:
    """The window of a layer over samples (L, C) or (H, W, C)."""
    if len(shape) == 2:  # pictures of height 1
        return Slid(*(both[1:] for both in _of_pictures(layer.window(), (1, *shape))))
    return _of_pictures(layer.window(), tuple(shape))


def _of_pictures(window: Window, shape: tuple[int, ...]) -> Slid:
    outputs = window.outputs("a window", shape)
    before = window.geometry(shape, (*outputs, 1))[7:9].tolist()
    reach = [(count - 1) * step + size for count, step, size in zip(outputs, window.stride, window.size, strict=True)]
    after = [max(0, end - extent - first) for end, extent, first in zip(reach, shape[:2], before, strict=True)]
    return Slid(list(window.size), list(window.stride), before, after)
