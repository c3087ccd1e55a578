"""Rows of the optimizers' updates."""

import numpy as np

from fastnn_kernels.registry.entry import PARAMETERS, VECTORS, row
from fastnn_kernels.registry.inputs import vector


def update(arrays, rates):
    def inputs(rng, dtype, shape):
        values = [vector(rng, dtype, *shape) for _ in range(arrays)]
        values[-2][::5] = values[-1][::5] = 0
        if arrays == 3:
            values[1][::10] = 1e-31  # what the updates flush to 0
        return *values, np.array(rates, dtype)

    return inputs


def rows():
    for name, arrays, rates, flops in (
        ("sgd_update", 2, [0.15], 2),
        ("momentum_update", 3, [0.15, 0.85], 4),
        ("nesterov_update", 3, [0.15, 0.85], 6),
    ):
        inputs, count = update(arrays, rates), {"flops": lambda s, flops=flops: flops * s[0]}
        yield row(name, arrays - 1, inputs, VECTORS, PARAMETERS, around=lambda r: (r,), **count)
