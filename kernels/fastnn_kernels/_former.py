"""Former names, which work for a while and say what to write instead (CONTRIBUTING.md, "Names that go")."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any


def former_names(module: str, members: Mapping[str, Any], names: Mapping[str, tuple[str, str]]) -> Callable[[str], Any]:
    """A `__getattr__` for a module: a former name gives what has another name now, with a DeprecationWarning.

    members : the module's globals()
    names   : former name -> (today's name, the version in which the former one is gone)
    """

    def former(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        now, gone = names[name]
        warn_of_former(f"{module}.{name}", f"{module}.{now}", gone)
        return members[now]

    return former


def warn_of_former(former: str, now: str, gone: str) -> None:
    """A DeprecationWarning that points at the line which called the caller of this."""
    warnings.warn(f"{former} is deprecated and gone in fastnn {gone}: write {now}", DeprecationWarning, stacklevel=3)
