"""Specs of the gated recurrent unit."""

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import named, spec


def forward(rng, dtype, shape):
    B, T, n, _ = shape
    kept = (padded(dtype, B, columns, GARBAGE) for columns in (n, T * n))
    gates, inner, v = normal(rng, dtype, B, T * 3 * n), padded(dtype, B, T * n, GARBAGE), padded(dtype, B, 3 * n, 0)
    v[:] = GARBAGE
    u = padded(dtype, n, 3 * n, rng.standard_normal((n, 3 * n)) / np.sqrt(n))
    return *kept, gates, inner, v, u, normal(rng, dtype, 1, 3 * n)[0], T, n


def backward(rng, dtype, shape):
    args = forward(rng, dtype, shape)
    reference.gru_forward(*args)
    B, T, n, S = shape
    _, h, gates, inner, _, u, *_ = args
    da, dv = (padded(dtype, B, T * 3 * n, GARBAGE) for _ in range(2))
    dh, through = padded(dtype, B, n, GARBAGE), padded(dtype, B, n, GARBAGE)
    ut = padded(dtype, 3 * n, n, u[:, : 3 * n].T)
    return da, dv, dh, through, normal(rng, dtype, B, S * n), h, gates, inner, ut, S, T, n


def specs():
    odd = named(
        *[(0, 3, 5, 3), (1, 1, 1, 1), (3, 1, 7, 1), (1, 5, 1, 5), (5, 4, 3, 4), (4, 7, 16, 1), (2, 3, 33, 3)],
        *[(50, 2, 5, 1), (7, 6, 17, 6)],  # more samples than a block has; more steps than registers
    )
    bench = {"series": (64, 50, 64, 1), "text": (64, 16, 128, 16)}
    cost = {
        "around": lambda r: (r, 3, 16, 1),
        "flops": lambda s: 6 * s[0] * s[1] * s[2] ** 2,
        "terms": lambda s: 3 * s[1] * s[2],
    }
    yield spec("gru_forward", forward, odd, bench, **cost)
    yield spec("gru_backward", backward, odd, bench, **cost)
