"""Specs of the optimizers' updates."""

import numpy as np

from fastnn_kernels.registry.inputs import vector
from fastnn_kernels.registry.spec import PARAMETERS, VECTORS, spec


def update(arrays, scalars):
    """Inputs of an update of that many arrays: parameters, state, gradients."""

    def inputs(rng, dtype, shape):
        values = [vector(rng, dtype, *shape) for _ in range(arrays)]
        values[-2][::5] = values[-1][::5] = 0
        if arrays == 3:
            values[1][::10] = 1e-31  # the updates flush it to 0
        return *values, np.array(scalars, dtype)

    return inputs


def adaptive(states, scalars):
    """Inputs of an update whose last state array is a mean of squares."""
    plain = update(2 + states, scalars)

    def inputs(rng, dtype, shape):
        *values, scalars = plain(rng, dtype, shape)
        values[-2] *= values[-2]
        values[-2][::10] = values[1][::10] = 1e-31
        return *values, scalars

    return inputs


def in_bfloat16(plain, states):
    """Inputs of `plain` with that many states in bfloat16, then those of the rounding."""

    def inputs(rng, dtype, shape):
        w, *values = plain(rng, dtype, shape)
        words = [(a.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16) for a in values[:states]]
        key = rng.integers(0, 2**64, 4, np.uint64)
        return w, *words, *values[states:], key, np.array([40, 3, 3, 0]), 2**32 - 5, w.shape[-1] if w.ndim > 1 else 1

    return inputs


def specs():
    for name, arrays, scalars, flops in (
        ("sgd_update", 2, [0.15], 2),
        ("momentum_update", 3, [0.15, 0.85], 4),
        ("nesterov_update", 3, [0.15, 0.85], 6),
    ):
        inputs, count = update(arrays, scalars), {"flops": lambda s, flops=flops: flops * s[0]}
        yield spec(name, inputs, VECTORS, PARAMETERS, around=lambda r: (r,), **count)
        if arrays == 3:
            yield spec(f"{name}_bfloat16", in_bfloat16(inputs, 1), VECTORS, PARAMETERS, around=lambda r: (r,), **count)
    beta1, beta2, step = 0.9, 0.999, 3
    adam = [0.1 / (1 - beta1**step), 1 - beta1, 1 - beta2, (1 - beta2**step) ** -0.5, 1e-8]
    for name, states, scalars, flops in (
        ("rmsprop_update", 1, [0.1, 0.01, 1e-8], 8),
        ("adagrad_update", 1, [0.1, 1e-8], 6),
        ("adam_update", 2, adam, 12),
        ("adamw_update", 2, [*adam, 0.001], 14),
    ):
        inputs, count = adaptive(states, scalars), {"flops": lambda s, flops=flops: flops * s[0]}
        yield spec(name, inputs, VECTORS, PARAMETERS, around=lambda r: (r,), **count)
        rounded = in_bfloat16(inputs, states)
        yield spec(f"{name}_bfloat16", rounded, VECTORS, PARAMETERS, around=lambda r: (r,), **count)
