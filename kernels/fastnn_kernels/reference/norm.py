"""Reference of batch and layer normalisation."""

import numpy as np


def _channels(rows, P, C):
    """A view (B, P, C) of padded rows."""
    return rows[:, : P * C].reshape(len(rows), P, C)


def batch_norm_forward(out, mean, rstd, running_mean, running_var, x, gamma, beta, rates, P, C):
    """out = gamma · (x − mean) · rstd + beta with the batch's statistics; the running ones move towards them"""
    momentum, eps = rates
    x, N = _channels(x, P, C), len(x) * P
    mean[:C] = x.mean(axis=(0, 1))
    var = ((x - mean[:C]) ** 2).mean(axis=(0, 1))
    rstd[:C] = 1 / np.sqrt(var + eps)
    running_mean[:C] = momentum * running_mean[:C] + (1 - momentum) * mean[:C]
    running_var[:C] = momentum * running_var[:C] + (1 - momentum) * (var * N / (N - 1))
    _channels(out, P, C)[:] = (x - mean[:C]) * rstd[:C] * gamma[:C] + beta[:C]


def batch_norm_infer(out, rstd, x, gamma, beta, running_mean, running_var, rates, P, C):
    """out = gamma · (x − running_mean) · rstd + beta,  rstd = 1 / √(running_var + eps)"""
    rstd[:C] = 1 / np.sqrt(running_var[:C] + rates[1])
    _channels(out, P, C)[:] = (_channels(x, P, C) - running_mean[:C]) * rstd[:C] * gamma[:C] + beta[:C]


def batch_norm_backward(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, P, C):
    """dbeta = Σ dout,  dgamma = Σ dout · x̂,  dx = gamma · rstd · (dout − dbeta / N − x̂ · dgamma / N)"""
    dout, N = _channels(dout, P, C), len(x) * P
    normal = (_channels(x, P, C) - mean[:C]) * rstd[:C]
    dbeta[:C] = dout.sum(axis=(0, 1))
    dgamma[:C] = (dout * normal).sum(axis=(0, 1))
    _channels(dx, P, C)[:] = gamma[:C] * rstd[:C] * (dout - (dbeta[:C] + normal * dgamma[:C]) / N)


def layer_norm_forward(out, mean, rstd, x, gamma, beta, rates, n):
    """out = gamma · (x − mean) · rstd + beta with the statistics of each row"""
    x = x[:, :n]
    mean[:] = x.mean(axis=1)
    rstd[:] = 1 / np.sqrt(((x - mean[:, None]) ** 2).mean(axis=1) + rates[0])
    out[:, :n] = (x - mean[:, None]) * rstd[:, None] * gamma[:n] + beta[:n]


def layer_norm_backward(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, n):
    """dbeta = Σᵢ dout,  dgamma = Σᵢ dout · x̂,  dx = rstd · (g − mean(g) − x̂ · mean(g · x̂)) with g = gamma · dout"""
    normal = (x[:, :n] - mean[:, None]) * rstd[:, None]
    dbeta[:n] = dout[:, :n].sum(axis=0)
    dgamma[:n] = (dout[:, :n] * normal).sum(axis=0)
    g = gamma[:n] * dout[:, :n]
    means = g.mean(axis=1, keepdims=True), (g * normal).mean(axis=1, keepdims=True)
    dx[:, :n] = rstd[:, None] * (g - means[0] - normal * means[1])
