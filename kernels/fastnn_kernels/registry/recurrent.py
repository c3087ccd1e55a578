"""Specs of the recurrent layers: the gated recurrent unit, and long short-term memory."""

from functools import partial

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from fastnn_kernels.registry.spec import named, spec


def _unwritten(dtype, rows, *columns):
    return [padded(dtype, rows, count, GARBAGE) for count in columns]


def _forward(gates, kept, rng, dtype, shape):
    """gates : how many a unit has    kept : (T, n) -> columns of what a forward pass keeps beside them"""
    B, T, n, _ = shape
    state, h = _unwritten(dtype, B, n, T * n)
    a, beside, v = normal(rng, dtype, B, T * gates * n), kept(T, n), padded(dtype, B, gates * n, 0)
    v[:] = GARBAGE
    u = padded(dtype, n, gates * n, rng.standard_normal((n, gates * n)) / np.sqrt(n))
    return state, h, a, *_unwritten(dtype, B, *beside), v, u, normal(rng, dtype, 1, gates * n)[0], T, n


gru_forward = partial(_forward, 3, lambda T, n: [T * n])
lstm_forward = partial(_forward, 4, lambda T, n: [(T + 1) * n, T * n])


def gru_backward(rng, dtype, shape):
    args = gru_forward(rng, dtype, shape)
    reference.gru_forward(*args)
    B, T, n, S = shape
    _, h, gates, inner, _, u, *_ = args
    written = _unwritten(dtype, B, T * 3 * n, T * 3 * n, n, n)
    ut = padded(dtype, 3 * n, n, u[:, : 3 * n].T)
    return *written, normal(rng, dtype, B, S * n), h, gates, inner, ut, S, T, n


def lstm_backward(rng, dtype, shape):
    args = lstm_forward(rng, dtype, shape)
    reference.lstm_forward(*args)
    B, T, n, S = shape
    _, _, gates, cells, squashed, _, u, *_ = args
    ut = padded(dtype, 4 * n, n, u[:, : 4 * n].T)
    written = _unwritten(dtype, B, T * 4 * n, n, n)
    return *written, normal(rng, dtype, B, S * n), gates, cells, squashed, ut, S, T, n


def specs():
    odd = named(
        *[(0, 3, 5, 3), (1, 1, 1, 1), (3, 1, 7, 1), (1, 5, 1, 5), (5, 4, 3, 4), (4, 7, 16, 1), (2, 3, 33, 3)],
        *[(50, 2, 5, 1), (7, 6, 17, 6)],  # more samples than a block has; more steps than registers
    )
    bench = {"series": (64, 50, 64, 1), "text": (64, 16, 128, 16)}
    makers = {"gru_forward": (3, gru_forward), "gru_backward": (3, gru_backward)}
    makers |= {"lstm_forward": (4, lstm_forward), "lstm_backward": (4, lstm_backward)}
    for name, (gates, inputs) in makers.items():
        cost = {
            "around": lambda r: (r, 3, 16, 1),
            "flops": lambda s, gates=gates: 2 * gates * s[0] * s[1] * s[2] ** 2,
            "terms": lambda s, gates=gates: gates * s[1] * s[2],
        }
        yield spec(name, inputs, odd, bench, **cost)
