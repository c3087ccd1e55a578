"""Specs of convolutions, of their bias and of pooling."""

import math

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels._tuning import FEW_CHANNELS
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, scores
from fastnn_kernels.registry.spec import TRIPLES, named, spec


def _along(extent, window, stride, padding):
    """Padding before an axis, and outputs along it. "valid" has no padding; "same" puts an odd one behind the axis."""
    if padding == "valid":
        return 0, (extent - window) // stride + 1
    outputs = math.ceil(extent / stride)
    return max(0, (outputs - 1) * stride + window - extent) // 2, outputs


def geometry(H, W, C_in, KH, KW, SH, SW, padding, C_out):
    (top, H_out), (left, W_out) = _along(H, KH, SH, padding), _along(W, KW, SW, padding)
    return np.array([H, W, C_in, KH, KW, SH, SW, top, left, H_out, W_out, C_out])


def _widths(g):
    """Numbers in an input image, numbers in an output image, rows of w."""
    return g[:3].prod(), g[9:].prod(), g[2:5].prod()


def forward(rng, dtype, shape):
    B, *layer = shape
    g = geometry(*layer)
    inside, outside, taps = _widths(g)
    return padded(dtype, B, outside, GARBAGE), normal(rng, dtype, B, inside), normal(rng, dtype, taps, g[11]), g


def backward_x(rng, dtype, shape):
    B, *layer = shape
    g = geometry(*layer)
    inside, outside, taps = _widths(g)
    return (
        padded(dtype, B, inside, GARBAGE),
        normal(rng, dtype, B, outside),
        normal(rng, dtype, taps // g[2] * g[11], g[2]),
        g,
    )


def backward_w(rng, dtype, shape):
    B, *layer = shape
    g = geometry(*layer)
    inside, outside, taps = _widths(g)
    return padded(dtype, taps, g[11], GARBAGE), normal(rng, dtype, B, inside), normal(rng, dtype, B, outside), g


def pad(rng, dtype, shape):
    B, *layer = shape
    g = geometry(*layer)
    tall, wide = (g[9:11] - 1) * g[5:7] + g[3:5]
    return padded(dtype, B, tall * wide * g[2], GARBAGE), normal(rng, dtype, B, _widths(g)[0]), g


def flip(rng, dtype, shape):
    g = geometry(*shape[1:])
    taps = g[3] * g[4]
    return padded(dtype, taps * g[11], g[2], GARBAGE), normal(rng, dtype, taps * g[2], g[11]), g


def pool_forward(rng, dtype, shape):
    B, *layer = shape
    g = geometry(*layer, layer[2])
    inside, outside, _ = _widths(g)
    x = scores(rng, dtype, B, inside)
    x[:, :inside:3] = np.maximum(x[:, :inside:3], 0)  # ties, as relu makes them
    return padded(dtype, B, outside, GARBAGE), padded(np.int32, B, outside, -7), x, g


def pool_backward(rng, dtype, shape):
    out, argmax, x, g = pool_forward(rng, dtype, shape)
    reference.max_pool2d_forward(out, argmax, x, g)
    inside, outside, _ = _widths(g)
    return padded(dtype, len(x), inside, GARBAGE), normal(rng, dtype, len(x), outside), argmax, outside


def average_forward(rng, dtype, shape):
    out, _, _, g = pool_forward(rng, dtype, shape)
    return out, normal(rng, dtype, len(out), _widths(g)[0]), g


def average_backward(rng, dtype, shape):
    out, x, g = average_forward(rng, dtype, shape)
    return padded(dtype, len(x), _widths(g)[0], GARBAGE), normal(rng, dtype, len(out), _widths(g)[1]), g


def mean_forward(rng, dtype, shape):
    B, P, C = shape
    return padded(dtype, B, C, GARBAGE), normal(rng, dtype, B, P * C), P, C


def mean_backward(rng, dtype, shape):
    B, P, C = shape
    return padded(dtype, B, P * C, GARBAGE), normal(rng, dtype, B, C), P, C


def bias_forward(rng, dtype, shape):
    B, P, C = shape
    return normal(rng, dtype, B, P * C), normal(rng, dtype, 1, C)[0], P, C


def bias_backward(rng, dtype, shape):
    B, P, C = shape
    return padded(dtype, 1, C, GARBAGE)[0], normal(rng, dtype, B, P * C), P, C


def _positions(shape):
    """Pixels in the outputs of a batch."""
    B, *layer = shape
    return B * int(geometry(*layer)[9:11].prod())


def specs():
    yield from _of_convolutions()
    yield from _of_pools()
    yield from _of_channels()


def _of_convolutions():
    odd = named(
        (0, 5, 5, 3, 3, 3, 1, 1, "same", 4),
        (1, 1, 1, 1, 1, 1, 1, 1, "valid", 1),
        (2, 1, 1, 3, 5, 5, 1, 1, "same", 2),  # most of the window outside
        (2, 5, 7, 1, 3, 3, 2, 2, "same", 5),
        (3, 7, 11, 3, 3, 5, 1, 1, "same", 5),
        (2, 6, 11, 5, 4, 2, 2, 3, "valid", 17),
        (3, 8, 9, 4, 2, 4, 3, 2, "same", 16),
        (2, 13, 13, 17, 7, 7, 1, 1, "same", 3),
        (2, 9, 8, 3, 5, 4, 2, 3, "same", 17),  # phases of the stride with different numbers of taps
        (2, 33, 31, 2, 3, 3, 1, 1, "valid", 18),  # more terms than one round of the first cache
        (1, 7, 7, 2, 1, 2, 4, 3, "valid", 33),  # strides beyond the window: some inputs are never seen
        (2, 9, 37, 1, 5, 5, 2, 1, "valid", 6),  # few channels: lines of pixels are one line of numbers or more
        (3, 7, 19, 3, 3, 2, 1, 1, "valid", 8),
        (2, 11, 20, 1, 9, 2, 1, 1, "valid", 3),
        (2, 9, 21, 2, 3, 4, 2, 2, "valid", 1),
        (1, 14, 120, 9, 3, 1, 2, 1, "valid", 2),  # planes of its input channels fit some lines at a time
    )
    bench = {
        "notmnist": (32, 28, 28, 1, 3, 3, 1, 1, "same", 32),
        "mnist-first": (50, 28, 28, 1, 5, 5, 1, 1, "same", 32),
        "mnist-first-padded": (50, 32, 32, 1, 5, 5, 1, 1, "valid", 32),  # as the layer calls it: no pixel at a border
        "mnist-second": (50, 14, 14, 32, 5, 5, 1, 1, "same", 64),
        "mnist-second-padded": (50, 18, 18, 32, 5, 5, 1, 1, "valid", 64),
        "few-channels": (128, 32, 32, 1, 5, 5, 1, 1, "valid", 6),
        "stride-2": (50, 28, 28, 32, 3, 3, 2, 2, "same", 64),
    }
    yield spec("pad_images", pad, odd, bench, around=lambda r: (r, 5, 7, 3, 3, 3, 1, 1, "same", 17))
    whole = {name: shape for name, shape in odd.items() if shape[0]}
    yield spec("flip_filters", flip, whole, bench, around=lambda r: (1, 5, 7, r, 3, 3, 1, 1, "same", 16))
    for name, inputs, terms in (
        ("conv2d_forward", forward, lambda s: s[3] * s[4] * s[5]),
        ("conv2d_few_forward", forward, lambda s: s[3] * s[4] * s[5]),
        ("conv2d_backward_x", backward_x, lambda s: s[9] * s[4] * s[5]),
        ("conv2d_backward_w", backward_w, _positions),
        ("conv2d_few_backward_w", backward_w, _positions),
    ):
        flops = {"flops": lambda s: 2 * _positions(s) * s[3] * s[4] * s[5] * s[9], "terms": terms}
        few = {key: shape for key, shape in bench.items() if (shape[9] <= FEW_CHANNELS) == ("few" in name)}
        yield spec(name, inputs, odd, few, around=lambda r: (r, 5, 7, 3, 3, 3, 1, 1, "same", 17), **flops)


def _of_pools():
    odd = named(
        (0, 4, 4, 3, 2, 2, 2, 2, "valid"),
        (1, 1, 1, 1, 1, 1, 1, 1, "valid"),
        (2, 3, 5, 1, 2, 2, 2, 2, "same"),
        (3, 7, 5, 17, 3, 3, 1, 1, "same"),  # windows that overlap
        (3, 7, 9, 5, 3, 2, 2, 3, "valid"),
        (2, 13, 11, 3, 5, 7, 3, 2, "same"),
        (2, 6, 6, 16, 2, 2, 2, 2, "valid"),
        (3, 12, 15, 6, 2, 2, 2, 2, "valid"),  # few channels, and windows behind whose lanes others follow
        (2, 10, 9, 20, 2, 2, 2, 2, "same"),
        (2, 9, 12, 6, 3, 3, 1, 1, "same"),
        (2, 1, 40, 5, 1, 2, 1, 3, "valid"),
    )
    bench = {"notmnist": (32, 28, 28, 32, 2, 2, 2, 2, "valid"), "mnist-second": (50, 14, 14, 64, 2, 2, 2, 2, "valid")}
    size = {"around": lambda r: (r, 6, 8, 5, 2, 2, 2, 2, "valid")}
    yield spec("max_pool2d_forward", pool_forward, odd, bench, **size)
    yield spec("max_pool2d_backward", pool_backward, odd, bench, terms=lambda s: s[4] * s[5], **size)
    window = {"terms": lambda s: s[4] * s[5]}
    yield spec("average_pool2d_forward", average_forward, odd, bench, **window, **size)
    yield spec("average_pool2d_backward", average_backward, odd, bench, **window, **size)


def _of_channels():
    """Means and biases of the channels of an image, whose positions stand in a row."""
    bench, size = {"mnist-second": (50, 14 * 14, 64)}, {"around": lambda r: (r, 3, 16), "flops": math.prod}
    pixels = named((3, 40, 6), (2, 30, 20), (9, 130, 5))
    odd = {name: shape for name, shape in TRIPLES.items() if shape[1]} | pixels
    some = {name: shape for name, shape in odd.items() if shape[2]}
    yield spec("mean_forward", mean_forward, some, bench, terms=lambda s: s[1], **size)
    yield spec("mean_backward", mean_backward, some, bench, **size)
    yield spec("channel_bias_forward", bias_forward, odd, bench, **size)
    yield spec("channel_bias_backward", bias_backward, odd, bench, terms=lambda s: s[0] * s[1], **size)
