"""Arguments for every kernel, made at random: what `registry` hands to tests and benchmarks.

Buffers are as kernels get them: aligned, rows padded to whole cache lines, padding 0. Outputs hold
garbage wherever the kernel must write. Upstream gradients are random, never ones; scores have
outliers and ties; ids repeat.
"""

import math

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels._tuning import ALIGNMENT
from fastnn_kernels.batch import ROUNDS

GARBAGE = 777.0


def padded(dtype, rows: int, columns: int, values) -> np.ndarray:
    """An aligned (rows, ≥ columns) buffer, its rows whole cache lines; `values`, then 0 from `columns` on."""
    itemsize = np.dtype(dtype).itemsize
    width = math.ceil(columns * itemsize / ALIGNMENT) * ALIGNMENT // itemsize
    memory = np.zeros(rows * width * itemsize + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    buffer = memory[first : first + rows * width * itemsize].view(dtype).reshape(rows, width)
    buffer[:, :columns] = values
    return buffer


def _normal(rng, dtype, rows, columns):
    return padded(dtype, rows, columns, rng.standard_normal((rows, columns)))


def _scores(rng, dtype, rows, columns):
    """Values with outliers (probabilities near 0 and 1), ties (also of maxima) and exact zeros."""
    values = 3 * rng.standard_normal((rows, columns))
    values[rng.random(values.shape) < 0.05] = 0
    values[rng.random(values.shape) < 0.05] *= 15
    if columns > 2:
        values[::3, -1] = values[::3].max(axis=1)
    return padded(dtype, rows, columns, values)


def _vector(rng, dtype, n):
    return rng.standard_normal(n).astype(dtype)


def _ids(rng, V, shape):
    """Few distinct ids, so that most of them repeat and some rows stay unused; first and last included."""
    ids = rng.choice(rng.integers(0, V, max(1, V // 2)), shape) if V else np.zeros(shape, int)
    if ids.size:
        ids.flat[0], ids.flat[-1] = 0, V - 1
    return ids.astype(np.int64)


def forward(rng, dtype, shape):
    B, n = shape
    return padded(dtype, B, n, GARBAGE), _scores(rng, dtype, B, n), n


def backward(activation):
    """`activation` is the reference whose output the backward kernel gets."""

    def inputs(rng, dtype, shape):
        dx, x, n = forward(rng, dtype, shape)
        out = padded(dtype, *shape, 0)
        activation(out, x, n)
        return dx, _normal(rng, dtype, *shape), x, out, n

    return inputs


def cross_entropy(rng, dtype, shape):
    dx, x, n = forward(rng, dtype, shape)
    labels = rng.integers(0, n, len(x))
    labels[::2] = x[::2, :n].argmax(axis=1)
    loss, correct = np.full((2, len(x)), GARBAGE, dtype)
    return loss, correct, dx, x, labels, rng.random(len(x)).astype(dtype), n


def bias_forward(rng, dtype, shape):
    return _normal(rng, dtype, *shape), _normal(rng, dtype, 1, shape[1])[0]


def bias_backward(rng, dtype, shape):
    return padded(dtype, 1, shape[1], GARBAGE)[0], _normal(rng, dtype, *shape)


def product(out, left, right):
    """Each argument names its two dimensions among m k n."""

    def inputs(rng, dtype, shape):
        size = dict(zip("mkn", shape, strict=True))
        (rows, columns), *operands = [[size[d] for d in dims] for dims in (out, left, right)]
        return padded(dtype, rows, columns, GARBAGE), *[_normal(rng, dtype, *dims) for dims in operands]

    return inputs


def transpose(rng, dtype, shape):
    k, n = shape
    return padded(dtype, n, k, GARBAGE), _normal(rng, dtype, k, n)


def embedding_forward(rng, dtype, shape):
    B, C, V, n = shape
    return padded(dtype, B, C * n, GARBAGE), _normal(rng, dtype, V, n), _ids(rng, V, (B, C)), n


def group(rng, dtype, shape):
    B, C, V = shape
    return np.full(V + 1, -7), np.full(B * C, -7), _ids(rng, V, (B, C))


def embedding_backward(rng, dtype, shape):
    B, C, V, n = shape
    starts, positions, ids = group(rng, dtype, shape[:3])
    reference.group_by_row(starts, positions, ids)
    return padded(dtype, V, n, GARBAGE), _normal(rng, dtype, B, C * n), starts, positions, C, n


def sum_forward(rng, dtype, shape):
    B, C, n = shape
    return padded(dtype, B, n, GARBAGE), _normal(rng, dtype, B, C * n), C, n


def sum_backward(rng, dtype, shape):
    B, C, n = shape
    return padded(dtype, B, C * n, GARBAGE), _normal(rng, dtype, B, n), C, n


def gather(rng, dtype, shape):
    B, N, C = shape
    return padded(dtype, B, C, GARBAGE), rng.standard_normal((N, C)).astype(dtype), _ids(rng, N, B)


def gather_labels(rng, dtype, shape):
    B, N = shape
    return np.full(B, -7), rng.integers(0, 1000, N), _ids(rng, N, B)


def permuted(rng, dtype, shape):
    B, count = shape
    key = rng.integers(0, 2**64, 2 * ROUNDS, np.uint64)
    return np.full(B, -7), np.array([(count - B) // 2, 3]), key, count


def sequential(rng, dtype, shape):
    return np.full(shape, -7), np.array([5, 3])


def advance(rng, dtype, shape):
    return sequential(rng, dtype, shape)[::-1]


def record(rng, dtype, shape):
    loss, weight = rng.exponential(size=(2, *shape)).astype(dtype)
    correct = rng.integers(0, 2, shape).astype(dtype)
    return rng.standard_normal(4), rng.standard_normal(3), np.array([7, 2]), loss, correct, weight


def update(arrays, rates):
    def inputs(rng, dtype, shape):
        values = [_vector(rng, dtype, *shape) for _ in range(arrays)]
        values[-2][::5] = values[-1][::5] = 0
        if arrays == 3:
            values[1][::10] = 1e-31  # what the updates flush to 0
        return *values, np.array(rates, dtype)

    return inputs
