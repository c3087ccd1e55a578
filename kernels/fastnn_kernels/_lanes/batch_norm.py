"""Batch normalisation's sums over pixels, and what it makes of pixels with repeated parameters (`_lanes.channels`)."""

from fastnn_kernels._jit import inline
from fastnn_kernels._lanes.channels import next_lanes
from fastnn_kernels._lanes.lanes import LANES, spread
from fastnn_kernels._lanes.memory import load, load_first, store, store_first
from fastnn_kernels._lanes.sums import channel_sums, samples_of_a_part


@inline
def channel_moments(mean, var, x, first, P, C):
    """Mean and biased variance of the channels from number `first` on, summed as in `channel_sums`

    mean, var : (1, n)
    """
    zero, step, n = x.dtype.type(0), samples_of_a_part(P), type(mean[0, 0])(x.shape[0] * P)
    channel_sums(mean, x, first, P, C)
    for j in range(mean.shape[1]):
        mean[0, j] /= n
    for j in range(0, mean.shape[1], LANES):
        count = min(LANES, mean.shape[1] - j)
        center, sums = load_first(mean, 0, j, count, zero), spread(zero)
        for start in range(0, x.shape[0], step):
            part = spread(zero)
            for b in range(start, min(start + step, x.shape[0])):
                for p in range(P):
                    at = p * C + first + j
                    d = (load(x, b, at) if count == LANES else load_first(x, b, at, count, zero)) - center
                    part = part + d * d
            sums = sums + part
        store_first(sums, var, 0, j, count)
    for j in range(var.shape[1]):
        var[0, j] /= n


@inline
def gradient_sums(dg, db, dout, x, mean, rstd, first, P, C):
    """db = Σ dout and dg = Σ dout · (x − mean) · rstd of the channels from number `first` on, as in `channel_sums`

    dg, db, mean, rstd : (1, n)
    """
    zero, step = x.dtype.type(0), samples_of_a_part(P)
    for j in range(0, dg.shape[1], LANES):
        count = min(LANES, dg.shape[1] - j)
        center, scale = load_first(mean, 0, j, count, zero), load_first(rstd, 0, j, count, zero)
        plain = along = spread(zero)
        for start in range(0, x.shape[0], step):
            plain_part = along_part = spread(zero)
            for b in range(start, min(start + step, x.shape[0])):
                for p in range(P):
                    at = p * C + first + j
                    d = load(dout, b, at) if count == LANES else load_first(dout, b, at, count, zero)
                    row = load(x, b, at) if count == LANES else load_first(x, b, at, count, zero)
                    plain_part = plain_part + d
                    along_part = along_part + d * ((row - center) * scale)
            plain, along = plain + plain_part, along + along_part
        store_first(plain, db, 0, j, count)
        store_first(along, dg, 0, j, count)


@inline
def normalise_pixels(out, x, b, gamma, beta, mean, rstd, period, n):
    """out[b, :n] of `batch_norm_forward`; the parameters are repeated: see `_lanes.channels`"""
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
    """dx[b, :n] of `batch_norm_backward`; the parameters are repeated: see `_lanes.channels`"""
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
