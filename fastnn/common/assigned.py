"""Checks of what is assigned to a setting, in a constructor and later: each names the class and the setting.

`Hinted` calls them: a class's `_checks` says which of its attributes has which.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastnn.common.validation import not_negative, path_of, real_number, truth, whole_number

Check = Callable[[str, str, Any], Any]  # (class, name of the setting, value given) -> the value to keep
Checks = dict[str, Check]


def _of(check: Callable[[str, Any], Any]) -> Check:
    """A check of `validation`, which raises TypeError or ValueError, as one of a setting."""
    return lambda kind, name, value: check(f"{kind}: {name}", value)


number = _of(real_number)
at_least_zero = _of(not_negative)
switch = _of(truth)
count = _of(partial(whole_number, least=0))
positive = _of(whole_number)
path = _of(path_of)


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


def optional(check: Check) -> Check:
    """The same check, but None may be given too."""
    return lambda kind, name, value: None if value is None else check(kind, name, value)
