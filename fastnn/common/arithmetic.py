"""Arithmetic by the rules of IEEE 754, whatever a user has told `np.seterr`: overflow is infinite, underflow 0."""

import contextvars
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")
IN_CONTEXT = np.lib.NumpyVersion(np.__version__) >= "2.0.0"  # before, the choice belonged to the thread


def ieee(function: Callable[P, T]) -> Callable[P, T]:
    """The function with NumPy's errors and warnings off, as in compiled code, where they are never on.

    β₂ to the power of the step underflows in every long training by Adam: that is right, and must end none. (Not
    `np.errstate` as a decorator: in NumPy 1 that is no use in two threads at once.)

    NumPy 2 keeps the user's choice in the context of `contextvars`, so the function runs in a copy of it, which is left
    in C. A Ctrl-C between two lines of `np.errstate` leaves errors off for the rest of the program: in NumPy 1 it can.
    What the function itself sets in its context is forgotten.
    """

    def ignoring(*given: P.args, **named: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return function(*given, **named)

    @functools.wraps(function)
    def computed(*given: P.args, **named: P.kwargs) -> T:
        return contextvars.copy_context().run(ignoring, *given, **named)

    return computed if IN_CONTEXT else functools.wraps(function)(ignoring)
