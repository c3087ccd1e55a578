"""Initial values of parameters, by name or as objects. All are drawn in float64 by a keyed generator.

- `base`: what they have in common
- `distributions`: numbers that are independent of each other
- `orthogonal`: matrices with orthonormal rows or columns
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from fastnn.common.hints.habits import completed_by, missing_from
from fastnn.common.names import look_up
from fastnn.nn.initializers.base import Initializer
from fastnn.nn.initializers.distributions import Normal, Ones, Scaled, TruncatedNormal, Uniform, Zeros
from fastnn.nn.initializers.orthogonal import Orthogonal

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
    "orthogonal",
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
    "orthogonal": Orthogonal,
}


# What a description may name: nothing else of this module is looked up.
CLASSES: dict[str, Callable[..., Initializer]] = {
    kind.__name__: kind for kind in (Zeros, Ones, Normal, TruncatedNormal, Uniform, Scaled, Orthogonal)
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


__all__ = ["Initializer", "Normal", "Ones", "Orthogonal", "Scaled", "TruncatedNormal", "Uniform", "Zeros", "get"]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
    __dir__ = completed_by(__all__)
