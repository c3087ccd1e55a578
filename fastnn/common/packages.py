"""Optional packages, imported when they are asked for."""

from importlib import import_module
from typing import Any

from fastnn.common.errors import MissingPackageError


def package(module: str, caller: str, extra: str | None = None) -> Any:
    """The module of an optional package. MissingPackageError, in one line, names the extra that installs it.

    caller : what needs it
    extra  : of fastnn; None: it has the name of the package; "": there is none
    """
    name = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise  # the package is there, but misses another one
    what = name if extra == "" else f'"fastnn[{extra or name}]"'
    raise MissingPackageError(f"{caller}: the package {name} is not installed; install it with: pip install {what}")
