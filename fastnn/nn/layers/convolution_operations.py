"""The operations of a convolution and of its gradients: dense, by col2im, or by lists of the numbers that are not 0.

Kernels for few channels (`fastnn_kernels.few_channels`) and col2im (`fastnn_kernels.col2im`) are chosen by the shape
alone. Whether lists are used is decided in every step, for each sample, from the numbers
(`fastnn_kernels.sparse_conv`).
"""

import math

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder, Value
from fastnn.engine.memory import Buffer, row_length
from fastnn.engine.ops import OFFSET, Slice
from fastnn.engine.parameters import ParameterView
from fastnn_kernels._memory.scratch import PANEL
from fastnn_kernels._tuning import (
    ALIGNMENT,
    BAND_BYTES,
    COL2IM_BYTES,
    COL2IM_COLUMNS,
    FEW_CHANNELS,
    LISTED_LINES,
    LISTED_LINES_AT_A_PIXEL,
    MOST_NONZEROS,
)


def padded_image(build: Builder, x: Value, geometry: np.ndarray) -> tuple[Value, np.ndarray]:
    """The image with its padding in it, and the geometry of the window over that. Without padding, x itself."""
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = geometry.tolist()
    tall, wide = (H_out - 1) * SH + KH, (W_out - 1) * SW + KW
    if (top, left) == (0, 0) and tall <= H and wide <= W:
        return x, geometry
    image = build.value("padded", (tall, wide, C))
    build.emit(k.pad_images, image.buffer, x.buffer, geometry)
    return image, np.array([tall, wide, C, KH, KW, SH, SW, 0, 0, H_out, W_out, n])


def emit_convolution(build: Builder, out: Value, image: Value, w: Buffer | np.ndarray, geometry: np.ndarray) -> None:
    """Emit out, of an image with its padding in it."""
    kernel = k.conv2d_few_forward if geometry[11] <= FEW_CHANNELS else k.conv2d_forward
    build.emit(kernel, out.buffer, image.buffer, w, geometry)


def emit_weight_gradient(
    build: Builder, w: ParameterView, dw: np.ndarray, image: Value, dout: Value, geometry: np.ndarray
) -> None:
    """Emit dw, of an image with its padding in it."""
    H, W, C, KH, KW, *_, n = geometry.tolist()
    if n <= FEW_CHANNELS or _lines(build, KW * C) * KH < LISTED_LINES:
        kernel = k.conv2d_few_backward_w if n <= FEW_CHANNELS else k.conv2d_backward_w
        build.emit_along(build.axis_of(w), kernel, Slice(dw), image.buffer, dout.buffer, geometry, OFFSET)
        return
    bands = max(1, H * W * C * build.dtype.itemsize // BAND_BYTES)
    most, lists = _lists(build, dout, bands * n)
    build.emit(k.list_pixels, *lists, dout.buffer, image.buffer, geometry, most)
    operands = (Slice(dw), image.buffer, dout.buffer, *lists, geometry, OFFSET)
    build.emit_along(build.axis_of(w), k.conv2d_sparse_backward_w, *operands)


def emit_input_gradient(build: Builder, x: Value, w: ParameterView, dout: Value, geometry: np.ndarray) -> Value:
    """Emit dx: by col2im or dense. With stride 1 that is the forward pass of padded dout and flipped filters."""
    _, _, C, KH, KW, SH, SW, *_, n = geometry.tolist()
    dx = build.value("dx", x.shape)
    if _pays_by_col2im(build, geometry):
        build.emit(k.conv2d_col2im_backward_x, dx.buffer, dout.buffer, _filter_lines(build, w, geometry), geometry)
        return dx
    filters = build.scratch("flipped", KH * KW * n, C)
    build.emit(k.flip_filters, filters, w.array, geometry)
    if (SH, SW) != (1, 1):
        build.emit(k.conv2d_backward_x, dx.buffer, dout.buffer, filters, geometry)
        return dx
    image, inner = padded_image(build, dout, _reversed(geometry))
    if _lines(build, C) * KH * KW < LISTED_LINES or _lines(build, C) * KW * n < LISTED_LINES_AT_A_PIXEL:
        emit_convolution(build, dx, image, filters, inner)
        return dx
    most, lists = _lists(build, dout, math.prod(geometry[9:11]))
    lines = _filter_lines(build, w, geometry)
    build.emit(k.list_channels, *lists, dout.buffer, w.array, n, lines.shape[1], most)
    build.emit(k.conv2d_sparse_backward_x, dx.buffer, *lists, lines, image.buffer, filters, geometry, inner)
    return dx


def _pays_by_col2im(build: Builder, geometry: np.ndarray) -> bool:
    """Whether the input has few channels, and the panel of the kernel holds the windows of several pixels."""
    _, _, C, _, KW, SH, SW, *_ = geometry.tolist()
    size = C * build.dtype.itemsize
    few = size < COL2IM_BYTES and (size % ALIGNMENT != 0 or (SH, SW) != (1, 1))
    return few and KW >= COL2IM_COLUMNS and KW * row_length(KW * C, build.dtype) <= PANEL // 4


def _filter_lines(build: Builder, w: ParameterView, geometry: np.ndarray) -> Buffer:
    """Emit the filters with the taps of a line side by side."""
    _, _, C, KH, KW, *_, n = geometry.tolist()
    lines = build.scratch("filter lines", KH * n, KW * C)
    build.emit(k.filter_lines, lines, w.array, geometry)
    return lines


def _lines(build: Builder, row: int) -> int:
    """The cache lines of a row of numbers that each listed one is multiplied with; 0 if one is not whole."""
    size = row * build.dtype.itemsize
    return size // ALIGNMENT if size % ALIGNMENT == 0 else 0


def _lists(build: Builder, dout: Value, groups: int) -> tuple[int, tuple[Buffer, Buffer, Buffer]]:
    """The most numbers of a sample that are listed, and room for them: values, places, starts."""
    most = int(MOST_NONZEROS * dout.width)
    values = build.value("not zero", (most + 1,)).buffer
    places = build.array("places", values.shape, np.int32, batched=True)
    return most, (values, places, build.array("starts", (build.batch, int(groups) + 1), np.int32, batched=True))


def _reversed(geometry: np.ndarray) -> np.ndarray:
    """The geometry of the gradient, stride 1: from the output images back to the input images."""
    H, W, C, KH, KW, _, _, top, left, H_out, W_out, n = geometry.tolist()
    return np.array([H_out, W_out, n, KH, KW, 1, 1, KH - 1 - top, KW - 1 - left, H, W, C])
