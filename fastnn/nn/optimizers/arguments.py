"""The arguments of optimizers: what all of them share, and checks that name the optimizer."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

from fastnn.common.plain import plain
from fastnn.common.validation import not_negative, real_number, truth, whole_number
from fastnn.nn.schedules import Schedule

StateDtype = Literal["bfloat16"]
Check = Callable[[str, str, Any], Any]  # (optimizer, name of the setting, value given) -> the value to keep


class Shared(TypedDict, total=False):
    """The arguments of every optimizer beside its own: `**shared: Unpack[Shared]`.

    Attributes:
        clip_norm: A bound on the norm of all gradients together.
        clip_value: A bound on the size of each number of a gradient.
        state_dtype: How state is kept: None or "bfloat16".
    """

    clip_norm: float | None
    clip_value: float | None
    state_dtype: StateDtype | None


def learning_rate(optimizer: str, name: str, value: Any) -> float | Schedule:
    """`value`; TypeError or ValueError unless it is a schedule or a finite number ≥ 0."""
    value = plain(value)
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Mapping):
        raise TypeError(f"{optimizer}: {name} is a mapping, expected a number: fit gives it the model's parameters")
    if isinstance(value, bool) or not isinstance(value, int | float):
        own = "; one of your own is a subclass of fn.schedules.Schedule" if callable(value) else ""
        raise TypeError(f"{optimizer}: {name} is {value!r}, expected a number or a schedule{own}")
    return not_negative(f"{optimizer}: {name}", value)


def fraction(optimizer: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is from 0 to below 1."""
    value = real_number(f"{optimizer}: {name}", value)
    if not 0 <= value < 1:
        raise ValueError(f"{optimizer}: {name} is {value}, expected 0 ≤ {name} < 1")
    return value


def above_zero(optimizer: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is above 0."""
    value = real_number(f"{optimizer}: {name}", value)
    if not value > 0:
        raise ValueError(f"{optimizer}: {name} is {value}, expected above 0")
    return value


def at_least_zero(optimizer: str, name: str, value: float) -> float:
    """`value`; ValueError unless it is finite and ≥ 0."""
    return not_negative(f"{optimizer}: {name}", value)


def switch(optimizer: str, name: str, value: bool) -> bool:
    """`value`; TypeError unless it is True or False."""
    return truth(f"{optimizer}: {name}", value)


def count(optimizer: str, name: str, value: int) -> int:
    """`value`; TypeError or ValueError unless it is a whole number ≥ 0."""
    return whole_number(f"{optimizer}: {name}", value, least=0)


def bound(optimizer: str, name: str, given: float | None) -> float | None:
    """A bound on gradients, above 0; None is none."""
    return None if given is None else above_zero(optimizer, name, given)
