"""Matrices with orthonormal rows or columns."""

import math
from dataclasses import dataclass

import numpy as np

from fastnn.nn.initializers.base import Initializer, check_spread


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`. Saxe et al. (2014).

    The product with it keeps the lengths of vectors, forward or backward, times `gain`. So it is the usual initialiser
    of the recurrent weights of a GRU or an LSTM: lengths neither grow nor vanish over many steps.

    Weights of shape (..., inputs, outputs) are a matrix of as many rows as all extents but the last one have together;
    a bias is one row. It is made of numbers of the normal distribution N(0, 1) by the QR decomposition of
    `numpy.linalg`, whose last bits may depend on the machine and on the threads of its BLAS.

    Args:
        gain: The length of each row or column.

    Raises:
        ValueError: Unless it is finite and ≥ 0.

    Examples:
        >>> layer = fn.GRU(3, recurrent_initializer=fn.initializers.Orthogonal())
        >>> u = fn.Sequential([layer], input_shape=(5, 2), dtype="float64").parameters["gru.u"]
        >>> bool(np.allclose(u @ u.T, np.eye(3)))
        True
    """

    gain: float = 1.0

    def __post_init__(self):
        check_spread("Orthogonal: gain", self.gain)

    def sample(self, rng, shape):
        rows, columns = math.prod(shape[:-1]), math.prod(shape[-1:])
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q *= np.where(np.diagonal(r) < 0, -1, 1)  # else not all such matrices would be equally likely
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
