"""A field of a layer's description as plain data, which a file holds, and back."""

from dataclasses import fields
from typing import Any

from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer


def plain_field(value: Any) -> Any:
    """An initialiser by its name and its arguments, a tuple as a list."""
    if isinstance(value, Initializer):
        return {"initializer": type(value).__name__, **{f.name: getattr(value, f.name) for f in fields(value)}}
    return list(value) if isinstance(value, tuple) else value


def restored(value: Any) -> Any:
    """The inverse of what `config` does to one field."""
    if isinstance(value, dict) and "initializer" in value:
        arguments = {name: item for name, item in value.items() if name != "initializer"}
        known = initializers.CLASSES.get(value["initializer"])
        # A user's own class cannot be found again. The file that names it also holds the values that it once drew.
        return known(**arguments) if known else initializers.Zeros()
    return tuple(value) if isinstance(value, list) else value
