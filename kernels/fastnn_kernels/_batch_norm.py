"""Batch normalisation's sums over pixels, and what it makes of pixels whose parameters are repeated (`_channels`)."""

from fastnn_kernels._channels import next_lanes
from fastnn_kernels._jit import inline
from fastnn_kernels._lane_memory import load, load_first, store, store_first
from fastnn_kernels._lanes import LANES, spread
from fastnn_kernels._sums import channel_squares, channel_sums, samples_of_a_part


@inline
def channel_moments(mean, var, x, first, P, C):
    """Mean and biased variance of the channels from number `first` on, summed as in `channel_sums`

    mean, var : (1, n)
    """
    n = type(mean[0, 0])(x.shape[0] * P)
    channel_sums(mean, x, first, P, C)
    for j in range(mean.shape[1]):
        mean[0, j] /= n
    channel_squares(var, x, mean, first, P, C)
    for j in range(var.shape[1]):
        var[0, j] /= n


@inline
def gradient_sums(dg, db, dout, x, mean, rstd, first, P, C):
    """db = Σ dout and dg = Σ dout · (x − mean) · rstd of the channels from number `first` on, as in `channel_sums`

    But two parts at a time, which are four sums.

    dg, db, mean, rstd : (1, n)
    """
    zero, step = x.dtype.type(0), samples_of_a_part(P)
    whole = x.shape[0] - x.shape[0] % (2 * step)
    for j in range(0, dg.shape[1], LANES):
        count = min(LANES, dg.shape[1] - j)
        center, scale = load_first(mean, 0, j, count, zero), load_first(rstd, 0, j, count, zero)
        plain = along = spread(zero)
        for start in range(0, whole, 2 * step):
            one = one_along = other = other_along = spread(zero)
            for b in range(start, start + step):
                at = first + j
                for _ in range(P):
                    d, row = load_first(dout, b, at, count, zero), load_first(x, b, at, count, zero)
                    e, row_e = load_first(dout, b + step, at, count, zero), load_first(x, b + step, at, count, zero)
                    one, other = one + d, other + e
                    one_along = one_along + d * ((row - center) * scale)
                    other_along = other_along + e * ((row_e - center) * scale)
                    at += C
            plain, along = plain + one + other, along + one_along + other_along
        for start in range(whole, x.shape[0], step):
            one = one_along = spread(zero)
            for b in range(start, min(start + step, x.shape[0])):
                for p in range(P):
                    at = p * C + first + j
                    d = load(dout, b, at) if count == LANES else load_first(dout, b, at, count, zero)
                    row = load(x, b, at) if count == LANES else load_first(x, b, at, count, zero)
                    one, one_along = one + d, one_along + d * ((row - center) * scale)
            plain, along = plain + one, along + one_along
        store_first(plain, db, 0, j, count)
        store_first(along, dg, 0, j, count)


@inline
def normalise_pixels(out, x, b, gamma, beta, mean, rstd, period, n):
    """out[b, :n] of `batch_norm_forward`; the parameters are repeated: see `_channels`"""
    zero, j = x.dtype.type(0), 0
    for at in range(0, n, LANES):
        count = min(LANES, n - at)
        normal = (load_first(x, b, at, count, zero) - load(mean, 0, j)) * load(rstd, 0, j)
        own = normal * load(gamma, 0, j) + load(beta, 0, j)
        if count == LANES:
            store(own, out, b, at)
        else:
            store_first(own, out, b, at, count)
        j = next_lanes(j, period)


@inline
def differentiate_pixels(dx, dout, x, b, factors, mean, rstd, along, plain, period, n):
    """dx[b, :n] of `batch_norm_backward`; the parameters are repeated: see `_channels`"""
    zero, j = x.dtype.type(0), 0
    for at in range(0, n, LANES):
        count = min(LANES, n - at)
        d, row = load_first(dout, b, at, count, zero), load_first(x, b, at, count, zero)
        factor, center, scale = load(factors, 0, j), load(mean, 0, j), load(rstd, 0, j)
        own = factor * scale * (d - (load(plain, 0, j) + (row - center) * scale * load(along, 0, j)))
        if count == LANES:
            store(own, dx, b, at)
        else:
            store_first(own, dx, b, at, count)
        j = next_lanes(j, period)
