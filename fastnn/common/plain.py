"""NumPy's numbers among settings and figures become Python's own: those can be saved, and do not overflow."""

import functools
from collections.abc import Mapping
from dataclasses import fields
from numbers import Real
from typing import Any

import numpy as np

from fastnn.common.shown import call_of, in_line

OPTIONAL = (int | None, float | None)
LARGEST = int(np.finfo(np.float64).max)
NUMBERS = (bool, int, float, *OPTIONAL)  # declarations of fields that hold one number


def plain(value: Any) -> Any:
    """NumPy's numbers, alone or in lists, tuples and dicts, as Python's own; an array (3,) stays, an array () does not.

    >>> plain((np.int64(3), {"f1": np.float32(0.5)}))
    (3, {'f1': 0.5})
    """
    if isinstance(value, np.ndarray) and not value.ndim and value.dtype != object:
        value = value[()]
    if isinstance(value, np.generic):
        return float(value) if isinstance(value, np.floating) else value.item()  # a longdouble's item is itself
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


class PlainNumbers:
    """Base of dataclasses that describe something: their fields are `plain` before a class's own checks see them.

    They show themselves as the call that makes them.

    A class checks its fields in `__post_init__`, and need not call that of this base: it is wrapped as the class is
    made. So a description of a user's own keeps the rule without knowing of it.
    """

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        if "__repr__" not in cls.__dict__:  # else `dataclass` would make one, of all fields
            cls.__repr__ = call_of  # type: ignore[method-assign]
        check = cls.__dict__.get("__post_init__")
        if check is None:
            return

        @functools.wraps(check)
        def with_plain_fields(self: Any) -> None:
            make_plain(self)
            check(self)

        cls.__post_init__ = with_plain_fields  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        make_plain(self)


def make_plain(description: Any) -> None:
    """Make the fields of a dataclass `plain`, in place, also of a frozen one.

    TypeError where a field that is declared as a number, or as True or False, is something else: comparisons of it, or
    what is computed of it much later, would fail with Python's words.
    """
    made: Any = type(description)
    for name, kind in _given_fields(made):
        given = getattr(description, name)
        value = plain(given)
        if kind is not None:
            value = _of_kind(f"{type(description).__name__}: {name}", value, kind)
        if value is not given:
            object.__setattr__(description, name, value)


@functools.cache  # to compare declarations takes longer than all else here, for each layer of each model
def _given_fields(kind: Any) -> list[tuple[str, Any]]:
    """The names of the fields with which a dataclass is made; their declarations, where these are in NUMBERS."""
    return [(field.name, field.type if field.type in NUMBERS else None) for field in fields(kind) if field.init]


def _of_kind(name: str, value: Any, kind: Any) -> Any:
    """`value` if it is of the kind that its declaration, one of NUMBERS, says: a number, or a truth value."""
    if value is None and kind in OPTIONAL:
        return value
    if kind is bool:
        if not (isinstance(value, int) and value in (0, 1)):
            raise TypeError(f"{name} is {in_line(value)}, expected True or False")
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {in_line(value)}, expected a number")
    if isinstance(value, int) and value.bit_length() > LARGEST.bit_length():
        raise ValueError(f"{name} has {value.bit_length()} bits, expected a number that float64 can hold")
    return value if isinstance(value, int | float) else float(value)  # a fraction
