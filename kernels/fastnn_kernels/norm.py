"""Batch normalisation of channels, layer normalisation of positions: mean 0, variance 1, then a scale and a shift.

`scalars` holds numbers that may change during training: an operand, so that no change recompiles a kernel.
Variances take two passes: first the mean, then the squares of the differences from it.
"""

import numpy as np
from numba import prange

from fastnn_kernels._jit import inline, kernel
from fastnn_kernels._lanes.batch_norm import channel_moments, differentiate_pixels, gradient_sums, normalise_pixels
from fastnn_kernels._lanes.channels import period_of, repeat
from fastnn_kernels._lanes.lanes import LANES, spread, total
from fastnn_kernels._lanes.memory import load, load_first
from fastnn_kernels._lanes.sums import row_squares, row_sum
from fastnn_kernels._memory.scratch import scratch_row
from fastnn_kernels._memory.view import matrix
from fastnn_kernels._tuning import ALIGNMENT, ELEMENT

__all__ = [
    "batch_norm_backward",
    "batch_norm_backward_sums",
    "batch_norm_forward",
    "batch_norm_moments",
    "batch_norm_rstd",
    "layer_norm_backward",
    "layer_norm_forward",
]


@kernel(
    work=lambda mean, rstd, running_mean, running_var, x, *rest: 6 * ELEMENT * x.size,
    outputs=4,
    cut=("mean", "rstd", "running_mean", "running_var"),
)
def batch_norm_moments(mean, rstd, running_mean, running_var, x, scalars, P, C, offset=0):
    """mean = Σ x / N,  var = Σ (x − mean)² / N,  rstd = 1 / √(var + eps),  over the N = B·P ≥ 2 values of a channel

    running_mean = momentum · running_mean + (1 − momentum) · mean
    running_var  = momentum · running_var + (1 − momentum) · var · N / (N − 1): unbiased, as PyTorch has it

    mean, rstd, running_mean, running_var : (n,), of the channels offset ≤ c < min(offset + n, C)
    x       : (B, ≥ P·C)
    scalars : (momentum, eps); momentum is the fraction of the old statistics that stays
    """
    momentum, eps, one = scalars[0], scalars[1], type(scalars[0])(1)
    unbiased = type(momentum)(x.shape[0] * P) / type(momentum)(x.shape[0] * P - 1)
    width = 4 * ALIGNMENT // mean.itemsize  # channels of a block, which one thread owns, as in `bias_backward`
    count = min(mean.shape[0], C - offset)
    for block in prange((count + width - 1) // width):
        first, last = block * width, min(block * width + width, count)
        m, r = mean[first:last], rstd[first:last]
        shape = (1, last - first)
        channel_moments(m.reshape(shape), r.reshape(shape), x, offset + first, P, C)
        old_mean, old_var = running_mean[first:last], running_var[first:last]
        for j in range(m.shape[0]):
            # One product: in a sum of two products either may be fused with the addition.
            old_mean[j] += (one - momentum) * (m[j] - old_mean[j])
            old_var[j] += (one - momentum) * (unbiased * r[j] - old_var[j])
            r[j] = one / np.sqrt(r[j] + eps)


@kernel
def batch_norm_rstd(rstd, running_var, scalars, C):
    """rstd = 1 / √(running_var + eps), for prediction

    rstd, running_var : (≥ C,)    scalars : (momentum, eps)
    """
    for j in range(C):
        rstd[j] = type(scalars[1])(1) / np.sqrt(running_var[j] + scalars[1])


@kernel(work=lambda out, *rest: 4 * ELEMENT * out.size, per_sample=True, cut=("out", "x"))
def batch_norm_forward(out, x, gamma, beta, mean, rstd, P, C):
    """out = gamma · (x − mean) · rstd + beta, channel by channel

    out, x : (B, ≥ P·C); columns from P·C on stay    gamma, beta, mean, rstd : (≥ C,)
    """
    zero, period = x.dtype.type(0), period_of(x, P, C)
    factors, shifts = scratch_row(zero), scratch_row(zero)
    centers, scales = scratch_row(zero), scratch_row(zero)
    repeat(factors, gamma, period, C)
    repeat(shifts, beta, period, C)
    repeat(centers, mean, period, C)
    repeat(scales, rstd, period, C)
    for b in prange(x.shape[0]):
        if period:
            normalise_pixels(out, x, b, factors, shifts, centers, scales, period, P * C)
        else:
            for p in range(P):
                own, row = out[b, p * C : (p + 1) * C], x[b, p * C : (p + 1) * C]
                for j in range(C):
                    own[j] = (row[j] - mean[j]) * rstd[j] * gamma[j] + beta[j]


@kernel(
    work=lambda dgamma, dbeta, dgamma_mean, dbeta_mean, dout, *rest: 6 * ELEMENT * dout.size,
    outputs=4,
    cut=("dgamma", "dbeta", "dgamma_mean", "dbeta_mean", "mean", "rstd"),
)
def batch_norm_backward_sums(dgamma, dbeta, dgamma_mean, dbeta_mean, dout, x, mean, rstd, P, C, offset=0):
    """dbeta = Σ dout,  dgamma = Σ dout · x̂,  dbeta_mean = dbeta / N,  dgamma_mean = dgamma / N

    where x̂ = (x − mean) · rstd and N = B·P

    Sums run over the N values of a channel, in the order of `channel_sums`.

    dgamma, dbeta, dgamma_mean, dbeta_mean, mean, rstd : (n,), of the channels offset ≤ c < min(offset + n, C)
    dout, x : (B, ≥ P·C)
    """
    inverse = type(rstd[0])(1) / type(rstd[0])(x.shape[0] * P)
    width = 4 * ALIGNMENT // rstd.itemsize
    count = min(dgamma.shape[0], C - offset)
    for block in prange((count + width - 1) // width):
        first, last = block * width, min(block * width + width, count)
        shape = (1, last - first)
        dg, db = dgamma[first:last].reshape(shape), dbeta[first:last].reshape(shape)
        m, r = mean[first:last].reshape(shape), rstd[first:last].reshape(shape)
        gradient_sums(dg, db, dout, x, m, r, offset + first, P, C)
        for j in range(first, last):
            dgamma_mean[j], dbeta_mean[j] = inverse * dgamma[j], inverse * dbeta[j]


@kernel(work=lambda dx, *rest: 6 * ELEMENT * dx.size, per_sample=True, cut=("dx", "dout", "x"))
def batch_norm_backward(dx, dout, x, gamma, mean, rstd, dgamma_mean, dbeta_mean, P, C):
    """dx = gamma · rstd · (dout − dbeta / N − x̂ · dgamma / N)  where x̂ = (x − mean) · rstd

    dx, dout, x : (B, ≥ P·C); columns from P·C on stay
    gamma, mean, rstd, dgamma_mean, dbeta_mean : (≥ C,)
    """
    zero, period = x.dtype.type(0), period_of(x, P, C)
    factors, centers, scales = scratch_row(zero), scratch_row(zero), scratch_row(zero)
    along, plain = scratch_row(zero), scratch_row(zero)
    repeat(factors, gamma, period, C)
    repeat(centers, mean, period, C)
    repeat(scales, rstd, period, C)
    repeat(along, dgamma_mean, period, C)
    repeat(plain, dbeta_mean, period, C)
    for b in prange(x.shape[0]):
        if period:
            differentiate_pixels(dx, dout, x, b, factors, centers, scales, along, plain, period, P * C)
        else:
            for p in range(P):
                own = dx[b, p * C : (p + 1) * C]
                row, d = x[b, p * C : (p + 1) * C], dout[b, p * C : (p + 1) * C]
                for j in range(C):
                    normal = (row[j] - mean[j]) * rstd[j]
                    own[j] = gamma[j] * rstd[j] * (d[j] - (dbeta_mean[j] + normal * dgamma_mean[j]))


@kernel(work=lambda out, *rest: 6 * ELEMENT * out.size, outputs=3, per_sample=True, cut=("out", "mean", "rstd", "x"))
def layer_norm_forward(out, mean, rstd, x, gamma, beta, scalars, P, C):
    """out = gamma · (x − mean) · rstd + beta over the C features of each of P positions, with their own statistics

    mean = Σⱼ x / C,  rstd = 1 / √(Σⱼ (x − mean)² / C + eps)

    out, x : (B, ≥ P·C); columns from P·C on stay    mean, rstd : (B, P)
    gamma, beta : (≥ C,)                             scalars : (eps,)
    """
    eps, one = scalars[0], type(scalars[0])(1)
    count = type(eps)(C)
    for i in prange(out.shape[0]):
        own, rows = matrix(out[i], 0, P, C), matrix(x[i], 0, P, C)
        for p in range(P):
            center = row_sum(rows, p, C) / count
            scale = one / np.sqrt(row_squares(rows, p, C, center) / count + eps)
            mean[i, p], rstd[i, p] = center, scale
            for j in range(C):
                own[p, j] = (rows[p, j] - center) * scale * gamma[j] + beta[j]


@inline
def _two_sums(dout, x, gamma, i, n, mean, rstd):
    """Σⱼ g and Σⱼ g · x̂ of row i, g = gamma · dout; element j is added to lane j mod LANES. gamma : (1, ≥ n)"""
    zero = type(mean)(0)
    plain = along = spread(zero)
    center, scale = spread(mean), spread(rstd)
    whole = n - n % LANES
    for j in range(0, whole, LANES):
        g = load(gamma, 0, j) * load(dout, i, j)
        plain = plain + g
        along = along + g * ((load(x, i, j) - center) * scale)
    count = n - whole
    g = load_first(gamma, 0, whole, count, zero) * load_first(dout, i, whole, count, zero)
    normal = (load_first(x, i, whole, count, mean) - center) * scale
    return total(plain + g), total(along + g * normal)


@kernel(work=lambda dx, *rest: 12 * ELEMENT * dx.size, outputs=3)
def layer_norm_backward(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, P, C):
    """dbeta = Σ dout,  dgamma = Σ dout · x̂,  dx = rstd · (g − Σⱼ g / C − x̂ · Σⱼ g · x̂ / C)

    where x̂ = (x − mean) · rstd and g = gamma · dout

    The first two sums run over samples and positions, that over j over the features of a position.

    dx, dout, x : (B, ≥ P·C); columns from P·C on stay    mean, rstd : (B, P)
    dgamma, dbeta, gamma : (≥ C,)
    """
    inverse, factors = type(gamma[0])(1) / type(gamma[0])(C), gamma.reshape((1, gamma.shape[0]))
    for i in prange(dx.shape[0]):
        own, rows, d = matrix(dx[i], 0, P, C), matrix(x[i], 0, P, C), matrix(dout[i], 0, P, C)
        for p in range(P):
            center, scale = mean[i, p], rstd[i, p]
            plain, along = _two_sums(d, rows, factors, p, C, center, scale)
            plain, along = plain * inverse, along * inverse
            for j in range(C):
                normal = (rows[p, j] - center) * scale
                own[p, j] = scale * (gamma[j] * d[p, j] - (plain + normal * along))
    width = 4 * ALIGNMENT // gamma.itemsize
    for block in prange((C + width - 1) // width):
        first, last = block * width, min(block * width + width, C)
        dg, db = dgamma[first:last], dbeta[first:last]
        for j in range(dg.shape[0]):
            dg[j] = db[j] = 0
        for i in range(dout.shape[0]):
            for p in range(P):
                at, count = p * C + first, last - first
                row, d = matrix(x[i], at, 1, count), matrix(dout[i], at, 1, count)
                center, scale = mean[i, p], rstd[i, p]
                for j in range(count):
                    db[j] += d[0, j]
                    dg[j] += d[0, j] * ((row[0, j] - center) * scale)
