"""Specs of batch and layer normalisation, and of dropout."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import PAIRS, ROWS, VECTORS, named, spec, wide


def channels(rng, dtype, C, *, count):
    """`count` aligned vectors of one number a channel."""
    return normal(rng, dtype, count, C)


def shifted(rng, dtype, rows, columns):
    """Columns of different means and spreads. Rows alternate in sign, so that no spread is tiny beside its mean."""
    values = rng.random(columns) + rng.standard_normal((rows, columns)) * (0.5 + rng.random(columns))
    values += (-1.0) ** np.arange(rows)[:, None]
    return padded(dtype, rows, columns, values)


def batch_moments(rng, dtype, shape):
    B, P, C = shape
    mean, rstd = padded(dtype, 2, C, GARBAGE)
    running_mean, running_var = channels(rng, dtype, C, count=2)
    x, scalars = shifted(rng, dtype, B, P * C), np.array([0.9, 1e-3], dtype)
    return mean, rstd, running_mean, abs(running_var), x, scalars, P, C


def batch_rstd(rng, dtype, shape):
    (C,) = shape
    rstd, (var,) = padded(dtype, 1, C, GARBAGE)[0], channels(rng, dtype, C, count=1)
    return rstd, abs(var), np.array([0.9, 1e-3], dtype), C


def batch_forward(rng, dtype, shape):
    args = batch_moments(rng, dtype, shape)
    reference.batch_norm_moments(*args)
    mean, rstd, _, _, x, _, P, C = args
    gamma, beta = channels(rng, dtype, C, count=2)
    return padded(dtype, len(x), P * C, GARBAGE), x, gamma, beta, mean, rstd, P, C


def batch_sums(rng, dtype, shape):
    _, x, _, _, mean, rstd, P, C = batch_forward(rng, dtype, shape)
    return *padded(dtype, 4, C, GARBAGE), normal(rng, dtype, len(x), P * C), x, mean, rstd, P, C


def batch_backward(rng, dtype, shape):
    _, x, gamma, _, mean, rstd, P, C = batch_forward(rng, dtype, shape)
    dgamma_mean, dbeta_mean = channels(rng, dtype, C, count=2)
    dx, dout = padded(dtype, len(x), P * C, GARBAGE), normal(rng, dtype, len(x), P * C)
    return dx, dout, x, gamma, mean, rstd, dgamma_mean, dbeta_mean, P, C


def layer_forward(rng, dtype, shape):
    B, P, C = shape
    mean, rstd = np.full((2, B, P), GARBAGE, dtype)
    (gamma, beta), scalars = channels(rng, dtype, C, count=2), np.array([1e-3], dtype)
    return padded(dtype, B, P * C, GARBAGE), mean, rstd, shifted(rng, dtype, B, P * C), gamma, beta, scalars, P, C


def layer_backward(rng, dtype, shape):
    args = layer_forward(rng, dtype, shape)
    reference.layer_norm_forward(*args)
    dx, mean, rstd, x, gamma, _, _, P, C = args
    dgamma, dbeta = padded(dtype, 2, C, GARBAGE)
    dx[:] = GARBAGE
    return dx, dgamma, dbeta, normal(rng, dtype, len(x), P * C), x, mean, rstd, gamma, P, C


def dropout_forward(rng, dtype, shape):
    B, n = shape
    out, mask = padded(dtype, B, n, GARBAGE), padded(dtype, B, n, GARBAGE)
    key, cursor, stream = rng.integers(0, 2**64, 2, np.uint64), np.array([1000, 5, 0, 0]), 3
    return out, mask, normal(rng, dtype, B, n), key, cursor, stream, n, np.array([0.7], dtype)


def dropout_backward(rng, dtype, shape):
    args = dropout_forward(rng, dtype, shape)
    reference.dropout_forward(*args)
    return padded(dtype, *shape, GARBAGE), normal(rng, dtype, *shape), args[1], shape[1]


def specs():
    # At least two values a channel: of one, the unbiased variance is 0/0.
    odd = named((2, 1, 1), (2, 1, 3), (1, 2, 5), (3, 1, 17), (5, 3, 7), (4, 16, 16), (7, 13, 11), (13, 4, 33))
    odd |= named((9, 130, 6), (11, 40, 20))  # several pixels in a vector, several parts of a sum
    bench = {"notmnist": (32, 28 * 28, 32), "dense": (100, 1, 200)}
    cost = {"around": lambda r: (r + 1, 3, 16), "terms": lambda s: s[0] * s[1]}
    yield spec("batch_norm_moments", batch_moments, odd, bench, **cost)
    yield spec("batch_norm_rstd", batch_rstd, VECTORS, {"notmnist": (32,)})
    yield spec("batch_norm_forward", batch_forward, odd, bench, around=cost["around"])
    yield spec("batch_norm_backward_sums", batch_sums, odd, bench, **cost)
    yield spec("batch_norm_backward", batch_backward, odd, bench, around=cost["around"])
    odd = named(
        (0, 1, 5), (1, 1, 1), (2, 1, 3), (3, 1, 16), (4, 1, 17), (5, 3, 15), (7, 2, 31), (13, 1, 33), (2, 5, 64)
    )
    bench = {name: (B, 1, n) for name, (B, n) in ROWS.items()} | {"states": (64, 20, 96)}
    cost = {"around": lambda r: (r, 1, 64), "terms": lambda s: max(s[0] * s[1], s[2])}
    yield spec("layer_norm_forward", layer_forward, odd, bench, **cost)
    yield spec("layer_norm_backward", layer_backward, odd, bench, **cost)
    bench = {"mnist-dense": (50, 1024), "notmnist": (32, 784)}
    yield spec("dropout_forward", dropout_forward, PAIRS, bench, around=wide)
    yield spec("dropout_backward", dropout_backward, PAIRS, bench, around=wide)
