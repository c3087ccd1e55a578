"""Spec of the gradient of a convolution's input by windows that are added up."""

from fastnn_kernels.reference import filter_lines
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.sparse_windows import lines
from fastnn_kernels.registry.spec import named, spec
from fastnn_kernels.registry.windows import geometry


def backward_x(rng, dtype, shape):
    taps, w, g = lines(rng, dtype, shape)
    filter_lines(taps, w, g)
    dout = normal(rng, dtype, shape[0], g[9:].prod())
    return padded(dtype, shape[0], g[:3].prod(), GARBAGE), dout, taps, g


def _flops(shape):
    B, *layer = shape
    return 2 * B * int(geometry(*layer)[9:].prod() * shape[3] * shape[4] * shape[5])


def specs():
    odd = named(
        (0, 5, 5, 3, 3, 3, 1, 1, "same", 4),
        (1, 1, 1, 1, 1, 1, 1, 1, "valid", 1),
        (2, 1, 1, 3, 5, 5, 1, 1, "same", 2),  # most of the window outside
        (3, 7, 11, 3, 3, 5, 1, 1, "same", 5),
        (2, 5, 7, 1, 3, 3, 2, 2, "same", 5),
        (2, 6, 11, 5, 4, 2, 2, 3, "valid", 17),
        (3, 8, 9, 4, 2, 4, 3, 2, "same", 16),
        (2, 13, 13, 17, 7, 7, 1, 1, "same", 3),  # channels of more than one line
        (2, 9, 8, 16, 3, 5, 2, 1, "same", 7),  # whole lines
        (2, 7, 8, 2, 3, 3, 1, 1, "valid", 130),  # more terms than one round of the first cache
        (1, 7, 7, 2, 1, 2, 4, 3, "valid", 33),  # strides beyond the window: some inputs are never seen
        (1, 2, 300, 5, 1, 7, 1, 1, "same", 2),  # more pixels in a line than the panel holds at once
        (1, 1, 900, 3, 1, 5, 1, 2, "valid", 3),
    )
    bench = {
        "lenet-second": (128, 12, 12, 6, 5, 5, 1, 1, "valid", 16),
        "few-stride-2": (50, 28, 28, 8, 3, 3, 2, 2, "same", 16),
    }
    size = {"around": lambda r: (r, 5, 7, 3, 3, 3, 1, 1, "same", 17), "terms": lambda s: s[9] * s[4] * s[5]}
    yield spec("conv2d_col2im_backward_x", backward_x, odd, bench, flops=_flops, **size)
