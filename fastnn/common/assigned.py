"""Checks of what is assigned to a setting, in a constructor and later: each names the class and the setting.

`Hinted` calls them: a class's `_checks` says which of its attributes has which.
"""

from collections.abc import Callable
from typing import Any

from fastnn.common.validation import not_negative, path_of, real_number, truth, whole_number

Check = Callable[[str, str, Any], Any]  # (class, name of the setting, value given) -> the value to keep
Checks = dict[str, Check]


def number(kind: str, name: str, value: float) -> float:
    """`value`; TypeError unless it is a real number."""
    return real_number(f"{kind}: {name}", value)


def fraction(kind: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is from 0 to below 1."""
    value = number(kind, name, value)
    if not 0 <= value < 1:
        raise ValueError(f"{kind}: {name} is {value}, expected 0 ≤ {name} < 1")
    return value


def above_zero(kind: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is above 0."""
    value = number(kind, name, value)
    if not value > 0:
        raise ValueError(f"{kind}: {name} is {value}, expected above 0")
    return value


def at_least_zero(kind: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is finite and ≥ 0."""
    return not_negative(f"{kind}: {name}", value)


def switch(kind: str, name: str, value: bool) -> bool:
    """`value`; TypeError unless it is True or False."""
    return truth(f"{kind}: {name}", value)


def count(kind: str, name: str, value: int) -> int:
    """`value`; TypeError or ValueError unless it is a whole number ≥ 0."""
    return whole_number(f"{kind}: {name}", value, least=0)


def positive(kind: str, name: str, value: int) -> int:
    """`value`; TypeError or ValueError unless it is a whole number ≥ 1."""
    return whole_number(f"{kind}: {name}", value)


def path(kind: str, name: str, value: Any) -> Any:
    """`value` as a path; TypeError if it is none."""
    return path_of(f"{kind}: {name}", value)


def optional(check: Check) -> Check:
    """The same check, but None may be given too."""
    return lambda kind, name, value: None if value is None else check(kind, name, value)
