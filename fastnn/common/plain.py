"""NumPy's numbers among settings and figures become Python's own: those can be saved, and do not overflow."""

import functools
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np


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

    A class checks its fields in `__post_init__`, and need not call that of this base: it is wrapped as the class is
    made. So a description of a user's own keeps the rule without knowing of it.
    """

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
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
    """Make the fields of a dataclass `plain`, in place, also of a frozen one."""
    for field in fields(description):
        if field.init:
            given = getattr(description, field.name)
            if (value := plain(given)) is not given:
                object.__setattr__(description, field.name, value)
