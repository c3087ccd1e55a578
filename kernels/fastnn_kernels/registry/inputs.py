"""Random arguments in the form that kernels get: aligned, rows padded to whole cache lines, padding 0.

Outputs hold garbage wherever the kernel must write. Upstream gradients are random, never ones; scores have outliers
and ties; ids repeat.
"""

import math

import numpy as np

from fastnn_kernels._tuning import ALIGNMENT

GARBAGE = 777.0


def padded(dtype, rows: int, columns: int, values) -> np.ndarray:
    """An aligned (rows, ≥ columns) buffer, its rows whole cache lines; `values`, then 0 from `columns` on."""
    itemsize = np.dtype(dtype).itemsize
    width = math.ceil(columns * itemsize / ALIGNMENT) * ALIGNMENT // itemsize
    memory = np.zeros(rows * width * itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    buffer = memory[start : start + rows * width * itemsize].view(dtype).reshape(rows, width)
    buffer[:, :columns] = values
    return buffer


def normal(rng, dtype, rows, columns):
    return padded(dtype, rows, columns, rng.standard_normal((rows, columns)))


def scores(rng, dtype, rows, columns):
    """Values with outliers (probabilities near 0 and 1), ties (also of maxima) and exact zeros."""
    values = 3 * rng.standard_normal((rows, columns))
    values[rng.random(values.shape) < 0.05] = 0
    values[rng.random(values.shape) < 0.05] *= 15
    if columns > 2:
        values[::3, -1] = values[::3].max(axis=1)
    return padded(dtype, rows, columns, values)


def vector(rng, dtype, n):
    return rng.standard_normal(n).astype(dtype)


def random_ids(rng, V, shape, dtype=np.int32):
    """Few distinct ids, so that most of them repeat and some rows stay unused. The first and the last id occur.

    dtype: of ids and labels of a batch; those of samples of a data set are int64
    """
    ids = rng.choice(rng.integers(0, V, max(1, V // 2)), shape) if V else np.zeros(shape, int)
    if ids.size:
        ids.flat[0], ids.flat[-1] = 0, V - 1
    return ids.astype(dtype)
