"""Packages that only an exchange needs, imported when it is asked for, and what cannot be exchanged."""

from importlib import import_module
from typing import Any

from fastnn.common.errors import MissingPackageError
from fastnn.nn.graph import Call
from fastnn.training.model import Predictor


def package(module: str, caller: str, extra: str | None = None) -> Any:
    """The module of an optional package. MissingPackageError, in one line, names the extra that installs it.

    caller : what needs it
    extra  : of fastnn; None: it has the name of the package
    """
    name = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise  # the package is there, but misses another one
    raise MissingPackageError(
        f'{caller}: the package {name} is not installed; install it with: pip install "fastnn[{extra or name}]"'
    )


def no_equivalent(call: Call, where: str) -> ValueError:
    """The error for a layer that `where` has no equivalent of."""
    return ValueError(
        f"the layer {call.name!r} is a {type(call.layer).__name__}, for which fastnn knows no equivalent in {where}; "
        "expected layers of fastnn"
    )


def checked_model(given: Any, caller: str) -> None:
    """TypeError unless it is a model."""
    if not isinstance(given, Predictor):
        raise TypeError(f"{caller}: model is {type(given).__name__}, expected a fastnn model")
