"""Initialisers whose numbers are independent of each other."""

import math
from dataclasses import dataclass

import numpy as np

from fastnn.nn.initializers.base import InBlocks, blocks_of, check_spread


@dataclass(frozen=True)
class Zeros(InBlocks):
    """0 everywhere."""

    def drawn(self, rng, shape, whole):
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(InBlocks):
    """1 everywhere."""

    def drawn(self, rng, shape, whole):
        return np.ones(shape)


@dataclass(frozen=True)
class Normal(InBlocks):
    """Numbers of the normal distribution N(0, std²).

    Args:
        std: The standard deviation.

    Raises:
        ValueError: Unless it is finite and ≥ 0.

    Examples:
        >>> fn.Dense(3, initializer=fn.initializers.Normal(0.1)).initializer
        Normal(std=0.1)
    """

    std: float = 0.01

    def __post_init__(self):
        check_spread("Normal: std", self.std)

    def drawn(self, rng, shape, whole):
        return rng.normal(0.0, self.std, shape)


@dataclass(frozen=True)
class TruncatedNormal(InBlocks):
    """Numbers of the normal distribution N(0, std²); one more than two deviations from 0 is drawn again.

    Args:
        std: The standard deviation, before any number is drawn again.

    Raises:
        ValueError: Unless it is finite and ≥ 0.

    Examples:
        >>> layer = fn.Dense(3, initializer=fn.initializers.TruncatedNormal(0.1))
    """

    std: float = 0.01

    def __post_init__(self):
        check_spread("TruncatedNormal: std", self.std)

    def fill(self, rng, out):
        found = []  # the places of those to draw again, which come after all others
        first = 0
        for block in blocks_of(out):
            values = np.asarray(rng.normal(0.0, 1.0, block.shape))
            found.append(first + np.flatnonzero(np.abs(values) > 2))
            block[...] = self.std * values
            first += values.size
        far = np.concatenate([np.zeros(0, np.intp), *found])
        while len(far):
            values = rng.normal(0.0, 1.0, len(far))
            out.flat[far] = self.std * values
            far = far[np.abs(values) > 2]


@dataclass(frozen=True)
class Uniform(InBlocks):
    """Numbers of the uniform distribution on [−limit, limit).

    Args:
        limit: No number is larger than this.

    Raises:
        ValueError: Unless it is finite and ≥ 0.

    Examples:
        >>> layer = fn.Embedding(250, 16, initializer=fn.initializers.Uniform(0.1))
    """

    limit: float = 0.05

    def __post_init__(self):
        check_spread("Uniform: limit", self.limit)

    def drawn(self, rng, shape, whole):
        return rng.uniform(-self.limit, self.limit, shape)


@dataclass(frozen=True)
class Scaled(InBlocks):
    """Variance scale / fan, normal or uniform. The fan is the number of inputs, or the mean of inputs and outputs.

    Glorot and Bengio (2010) eq. 16: scale 1 over the mean; He et al. (2015) eq. 10: scale 2 over inputs.

    Args:
        scale: The variance times the fan.
        average: Whether the fan is the mean of inputs and outputs.
        uniform: Whether numbers are uniform, not normal.

    Examples:
        >>> he_normal = fn.initializers.Scaled(2.0, average=False, uniform=False)
        >>> layer = fn.Dense(3, initializer=he_normal)
    """

    scale: float
    average: bool
    uniform: bool

    def drawn(self, rng, shape, whole):
        fan_in, fan_out = _fans(whole)
        fan = (fan_in + fan_out) / 2 if self.average else fan_in
        std = math.sqrt(self.scale / max(fan, 1))
        if self.uniform:
            return rng.uniform(-math.sqrt(3) * std, math.sqrt(3) * std, shape)
        return rng.normal(0.0, std, shape)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The fan-in and fan-out of one unit. A vector (a bias) has a fan-in of 1."""
    if len(shape) < 2:
        return 1, math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]
