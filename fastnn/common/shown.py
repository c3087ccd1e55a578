"""How objects show themselves at the prompt and in messages: as the call that makes them, in one line."""

import inspect
import os
from functools import cache
from typing import Any

import numpy as np

LONGEST = 80  # characters of one value
SHORT = 60  # characters of one in a message
COMPARED = (bool, int, float, str, tuple, type(None))  # kinds of defaults that may be left out


def in_line(value: Any) -> str:
    """A value as messages show it: the first characters of its repr, in one line, which that of an array is not."""
    text = repr(value)[:SHORT]
    return " ".join(text.split()) if "\n" in text else text


def call_of(thing: Any) -> str:
    """The call that makes `thing`, without the arguments that have their default: Dense(units=3, activation='relu').

    An argument that the object does not keep under its name is left out; long values are cut.
    """
    kept = vars(thing)
    given = [(name, kept[name], default) for name, default in _defaults(type(thing).__init__) if name in kept]
    told = [f"{name}={_value(value)}" for name, value, default in given if not _is_default(value, default)]
    return f"{type(thing).__name__}({', '.join(told)})"


@cache
def _defaults(init: Any) -> list[tuple[str, Any]]:
    """The arguments of an `__init__` in order, with their defaults."""
    parameters = list(inspect.signature(init).parameters.values())[1:]
    return [(one.name, one.default) for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, COMPARED) and isinstance(default, COMPARED) and value == default)


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} array {value.shape}>"
    text = repr(os.fspath(value) if isinstance(value, os.PathLike) else value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
