"""Initial values of parameters, by name or as objects. All are drawn in float64 by a keyed generator."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fastnn.common.errors import not_defined
from fastnn.common.hints.habits import Hinted, completed_by, missing_from
from fastnn.common.names import look_up
from fastnn.common.plain import PlainNumbers

BLOCK = 1 << 16  # numbers that are drawn, and rounded, before the next ones: their float64 copy stays in a cache


@dataclass(frozen=True)
class Initializer(PlainNumbers, Hinted):
    """Base: `sample(rng, shape)` returns float64 values of `shape`; `fill(rng, out)` writes the same into an array.

    For weights `shape` is (..., inputs, outputs); fan-in and fan-out count the leading extents too.
    """

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """The initial values of one parameter, float64.

        Args:
            rng: What the numbers are drawn from.
            shape: Of the parameter.
        """
        raise not_defined(self, "sample")

    def fill(self, rng: np.random.Generator, out: np.ndarray) -> None:
        """Write the initial values of one parameter to it, rounded to its dtype.

        Args:
            rng: What the numbers are drawn from.
            out: The parameter.
        """
        out[...] = self.sample(rng, out.shape)


class InBlocks(Initializer):
    """Base of initialisers that need no float64 copy of the whole parameter: `fill` writes it block by block."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        out = np.empty(shape)
        self.fill(rng, out)
        return out

    def fill(self, rng: np.random.Generator, out: np.ndarray) -> None:
        for block in blocks_of(out):
            block[...] = self.drawn(rng, block.shape, out.shape)

    def drawn(self, rng: np.random.Generator, shape: tuple[int, ...], whole: tuple[int, ...]) -> np.ndarray:
        """The next values, float64.

        Args:
            rng: What the numbers are drawn from.
            shape: Of the values.
            whole: The shape of the parameter that they are part of.
        """
        raise not_defined(self, "drawn")


def blocks_of(out: np.ndarray) -> Iterator[np.ndarray]:
    """Views of an array, one after the other in the order of its rows: of BLOCK numbers, or of one row if it has more.

    Args:
        out: The array.
    """
    if not out.ndim:
        yield out
        return
    rows = max(BLOCK // max(math.prod(out.shape[1:]), 1), 1)
    for first in range(0, len(out), rows):
        yield out[first : first + rows]


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
        _check_spread("Normal: std", self.std)

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
        _check_spread("TruncatedNormal: std", self.std)

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
        _check_spread("Uniform: limit", self.limit)

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


def _check_spread(name: str, value: float) -> None:
    if not 0 <= 2 * value < math.inf:  # twice: NumPy takes the width of a range
        raise ValueError(f"{name} is {value}, expected a finite number ≥ 0")


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The fan-in and fan-out of one unit. A vector (a bias) has a fan-in of 1."""
    if len(shape) < 2:
        return 1, math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


InitializerName = Literal[
    "zeros",
    "ones",
    "normal",
    "truncated_normal",
    "uniform",
    "glorot_normal",
    "glorot_uniform",
    "xavier",
    "he_normal",
    "he_uniform",
]
INITIALIZERS: dict[str, Callable[[], Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "normal": Normal,
    "truncated_normal": TruncatedNormal,
    "uniform": Uniform,
    "glorot_normal": lambda: Scaled(1.0, True, False),
    "glorot_uniform": lambda: Scaled(1.0, True, True),
    "xavier": lambda: Scaled(1.0, True, True),
    "he_normal": lambda: Scaled(2.0, False, False),
    "he_uniform": lambda: Scaled(2.0, False, True),
}


# What a description may name: nothing else of this module is looked up.
CLASSES: dict[str, Callable[..., Initializer]] = {
    kind.__name__: kind for kind in (Zeros, Ones, Normal, TruncatedNormal, Uniform, Scaled)
}


def get(spec: InitializerName | Initializer) -> Initializer:
    """The initialiser called `spec`, or `spec` itself if it is one already.

    Args:
        spec: A name, such as "he_normal", or an initialiser.

    Raises:
        ValueError: For an unknown name.
    """
    if isinstance(spec, Initializer):
        return spec
    return _made(look_up("initializer", spec, INITIALIZERS))


@functools.cache  # a network asks for those of its layers again and again, and each can be shared: it never changes
def _made(make: Callable[[], Initializer]) -> Initializer:
    return make()


__all__ = ["Initializer", "Normal", "Ones", "Scaled", "TruncatedNormal", "Uniform", "Zeros", "get"]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
    __dir__ = completed_by(__all__)
