"""Specs of the gradients of convolutions by lists of the numbers that are not 0."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import named, spec
from fastnn_kernels.registry.windows import backward_w, geometry

MOST = 0.5  # of the numbers of dout, here
DENSE = 3  # every third sample has more
BANDS = 2  # at most
NOT_ZERO = 0.18  # of the others, as in mnist-cnn


def _sparse(rng, dout, width):
    """dout with zeros: most in some samples, a quarter in the others, whole pixels among them."""
    for b, row in enumerate(dout):
        kept = 0.75 if b % DENSE == 1 else NOT_ZERO
        row[:width] *= rng.random(width) < kept
        row[: width // 5] = 0
    return dout


def _lists(dtype, B, groups, most):
    """values, places and starts, which hold garbage."""
    whole = padded(dtype, B, most + 1, GARBAGE)
    return whole, np.full(whole.shape, -7, np.int32), np.full((B, groups + 1), -7, np.int32)


def _reverse(g):
    """The geometry of the gradient, stride 1: from dout with its padding back to the image."""
    H, W, C, KH, KW, *_, n = g.tolist()
    return np.array([H + KH - 1, W + KW - 1, n, KH, KW, 1, 1, 0, 0, H, W, C])


def channels(rng, dtype, shape):
    B, *layer = shape
    _, _, dout, g = backward_w(rng, dtype, shape)
    w, outside = normal(rng, dtype, g[2:5].prod(), g[11]), int(g[9:].prod())
    most = int(MOST * outside)
    return *_lists(dtype, B, g[9:11].prod(), most), _sparse(rng, dout, outside), w, g[11], 5 * layer[2], most


def pixels(rng, dtype, shape):
    _, x, dout, g = backward_w(rng, dtype, shape)
    outside = int(g[9:].prod())
    most, bands = int(MOST * outside), 1 + shape[0] % BANDS
    return *_lists(dtype, shape[0], bands * g[11], most), _sparse(rng, dout, outside), x, g, most


def lines(rng, dtype, shape):
    g = geometry(*shape[1:])
    return padded(dtype, g[3] * g[11], g[4] * g[2], GARBAGE), normal(rng, dtype, g[2:5].prod(), g[11]), g


def sparse_backward_x(rng, dtype, shape):
    values, places, starts, dout, w, n, _, most = channels(rng, dtype, shape)
    own, _, g = lines(rng, dtype, shape)
    reference.filter_lines(own, w, g)
    reference.list_channels(values, places, starts, dout, w, n, own.shape[1], most)
    r = _reverse(g)
    around, filters = padded(dtype, shape[0], r[:3].prod(), 0), padded(dtype, r[2:5].prod(), g[2], 0)
    reference.pad_images(around, dout, np.array([*g[9:], *r[3:7], *(r[3:5] - 1 - g[7:9]), *r[9:]]))
    reference.flip_filters(filters, w, g)
    dx = padded(dtype, shape[0], g[:3].prod(), GARBAGE)
    return dx, values, places, starts, own, around, filters, g, r


def sparse_backward_w(rng, dtype, shape):
    values, places, starts, dout, x, g, most = pixels(rng, dtype, shape)
    if len(x) % 2:  # all samples are listed
        dout[:, : g[9:].prod()] *= rng.random(g[9:].prod()) < NOT_ZERO
    reference.list_pixels(values, places, starts, dout, x, g, most)
    return padded(dtype, g[2:5].prod(), g[11], GARBAGE), x, dout, values, places, starts, g


def _positions(shape):
    B, *layer = shape
    return B * int(geometry(*layer)[9:11].prod())


def specs():
    same = named(
        (0, 5, 5, 3, 3, 3, 1, 1, "same", 4),
        (1, 1, 1, 1, 1, 1, 1, 1, "valid", 1),
        (2, 1, 1, 3, 5, 5, 1, 1, "same", 2),  # most of the window outside
        (3, 7, 11, 3, 3, 5, 1, 1, "same", 5),
        (4, 5, 6, 16, 3, 3, 1, 1, "same", 7),  # whole lines
        (2, 6, 6, 32, 5, 5, 1, 1, "same", 3),  # two tiles beside each other
        (2, 4, 5, 19, 2, 4, 1, 1, "same", 17),  # even windows, part of a line
    )
    inside = named(
        (0, 5, 5, 3, 3, 3, 1, 1, "valid", 4),
        (1, 1, 1, 1, 1, 1, 1, 1, "valid", 1),
        (2, 6, 11, 5, 4, 2, 2, 3, "valid", 17),
        (3, 7, 9, 16, 3, 5, 1, 1, "valid", 5),  # all listed, two tiles and blocks of dw that begin within a line
        (3, 5, 5, 40, 2, 3, 1, 2, "valid", 90),  # more channels than fit into the panel at once
        (3, 5, 5, 3, 3, 3, 1, 1, "same", 4),  # windows reach outside
        (2, 9, 8, 3, 5, 4, 2, 3, "valid", 17),
    )
    bench = {"mnist-second": (50, 14, 14, 32, 5, 5, 1, 1, "same", 64)}
    bench_w = {"mnist-second-padded": (50, 18, 18, 32, 5, 5, 1, 1, "valid", 64)}
    around = {"around": lambda r: (r, 5, 7, 3, 3, 3, 1, 1, "same", 17)}
    lists = {"memory_of": lambda args: (args[3],)}
    yield spec("list_channels", channels, same, bench, **around, **lists)
    yield spec("list_pixels", pixels, inside, bench_w, around=lambda r: (r, 7, 9, 3, 3, 3, 1, 1, "valid", 17), **lists)
    whole = {name: shape for name, shape in same.items() if shape[0]}
    yield spec("filter_lines", lines, whole, bench, around=lambda r: (1, 5, 7, r, 3, 3, 1, 1, "same", 16))
    flops = {"flops": lambda s: NOT_ZERO * 2 * _positions(s) * s[3] * s[4] * s[5] * s[9]}
    terms, some = {"terms": lambda s: s[9] * s[4] * s[5]}, {"memory_of": lambda args: args[:1]}
    yield spec("conv2d_sparse_backward_x", sparse_backward_x, same, bench, **around, **flops, **terms, **some)
    terms, around = {"terms": _positions}, {"around": lambda r: (r, 7, 9, 3, 3, 3, 1, 1, "valid", 17)}
    yield spec("conv2d_sparse_backward_w", sparse_backward_w, inside, bench_w, **around, **flops, **terms, **some)
