"""Reference of batch and layer normalisation."""

import numpy as np

__all__ = [
    "batch_norm_backward",
    "batch_norm_backward_sums",
    "batch_norm_forward",
    "batch_norm_moments",
    "batch_norm_rstd",
    "layer_norm_backward",
    "layer_norm_forward",
]


def _channels(rows, P, C):
    """A view (B, P, C) of padded rows."""
    return rows[:, : P * C].reshape(len(rows), P, C)


def batch_norm_moments(mean, rstd, running_mean, running_var, x, scalars, P, C, offset=0):
    """Mean and 1 / √(var + eps) of the channels from number `offset` on; running statistics move towards the batch's"""
    momentum, eps = scalars
    x, N, count = _channels(x, P, C)[..., offset:], len(x) * P, min(len(mean), C - offset)
    x = x[..., :count]
    mean[:count] = x.mean(axis=(0, 1))
    var = ((x - mean[:count]) ** 2).mean(axis=(0, 1))
    rstd[:count] = 1 / np.sqrt(var + eps)
    running_mean[:count] = momentum * running_mean[:count] + (1 - momentum) * mean[:count]
    running_var[:count] = momentum * running_var[:count] + (1 - momentum) * (var * N / (N - 1))


def batch_norm_rstd(rstd, running_var, scalars, C):
    """rstd = 1 / √(running_var + eps)"""
    rstd[:C] = 1 / np.sqrt(running_var[:C] + scalars[1])


def batch_norm_forward(out, x, gamma, beta, mean, rstd, P, C):
    """out = gamma · (x − mean) · rstd + beta"""
    _channels(out, P, C)[:] = (_channels(x, P, C) - mean[:C]) * rstd[:C] * gamma[:C] + beta[:C]


def batch_norm_backward_sums(dgamma, dbeta, dgamma_mean, dbeta_mean, dout, x, mean, rstd, P, C, offset=0):
    """dbeta = Σ dout,  dgamma = Σ dout · x̂, of the channels from number `offset` on, and both divided by N"""
    count, N = min(len(dgamma), C - offset), len(x) * P
    dout, x = (_channels(rows, P, C)[..., offset : offset + count] for rows in (dout, x))
    dbeta[:count] = dout.sum(axis=(0, 1))
    dgamma[:count] = (dout * (x - mean[:count]) * rstd[:count]).sum(axis=(0, 1))
    dgamma_mean[:count], dbeta_mean[:count] = dgamma[:count] / N, dbeta[:count] / N


def batch_norm_backward(dx, dout, x, gamma, mean, rstd, dgamma_mean, dbeta_mean, P, C):
    """dx = gamma · rstd · (dout − dbeta / N − x̂ · dgamma / N)"""
    normal = (_channels(x, P, C) - mean[:C]) * rstd[:C]
    inner = _channels(dout, P, C) - (dbeta_mean[:C] + normal * dgamma_mean[:C])
    _channels(dx, P, C)[:] = gamma[:C] * rstd[:C] * inner


def layer_norm_forward(out, mean, rstd, x, gamma, beta, scalars, P, C):
    """out = gamma · (x − mean) · rstd + beta with the statistics of each position"""
    x = _channels(x, P, C)
    mean[:] = x.mean(axis=2)
    rstd[:] = 1 / np.sqrt(((x - mean[..., None]) ** 2).mean(axis=2) + scalars[0])
    _channels(out, P, C)[:] = (x - mean[..., None]) * rstd[..., None] * gamma[:C] + beta[:C]


def layer_norm_backward(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, P, C):
    """dbeta = Σ dout,  dgamma = Σ dout · x̂,  dx = rstd · (g − mean(g) − x̂ · mean(g · x̂)) with g = gamma · dout"""
    dout, normal = _channels(dout, P, C), (_channels(x, P, C) - mean[..., None]) * rstd[..., None]
    dbeta[:C] = dout.sum(axis=(0, 1))
    dgamma[:C] = (dout * normal).sum(axis=(0, 1))
    g = gamma[:C] * dout
    means = g.mean(axis=2, keepdims=True), (g * normal).mean(axis=2, keepdims=True)
    _channels(dx, P, C)[:] = rstd[..., None] * (g - means[0] - normal * means[1])
