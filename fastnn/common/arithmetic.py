"""Arithmetic by the rules of IEEE 754, whatever a user has told `np.seterr`: overflow is infinite, underflow 0."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")


def ieee(function: Callable[P, T]) -> Callable[P, T]:
    """The function with NumPy's errors and warnings off, as in compiled code, where they are never on.

    β₂ to the power of the step underflows in every long training by Adam: that is right, and must end none. (Not
    `np.errstate` as a decorator: in NumPy 1 that is no use in two threads at once.)
    """

    @functools.wraps(function)
    def computed(*given: P.args, **named: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return function(*given, **named)

    return computed
