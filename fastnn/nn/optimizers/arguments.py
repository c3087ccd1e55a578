"""The arguments of optimizers: what all of them share, and the check of the rate and of assigned state."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from fastnn.common.plain import plain
from fastnn.common.validation import not_negative
from fastnn.nn.schedules import Schedule

StateDtype = Literal["bfloat16"]


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
    if isinstance(value, list | tuple):
        raise TypeError(
            f"{optimizer}: {name} is a {type(value).__name__}, expected a number: fit gives it the model's parameters; "
            "for groups of them, step each group by an optimizer of its own"
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        own = "; one of your own is a subclass of fn.schedules.Schedule" if callable(value) else ""
        raise TypeError(f"{optimizer}: {name} is {value!r}, expected a number or a schedule{own}")
    return not_negative(f"{optimizer}: {name}", value)


def state(optimizer: str, name: str, value: Any) -> dict[str, dict[str, Any]]:
    """`value` as dicts; TypeError unless it is a mapping of mappings. What is in them is checked where it is used."""
    for key, parts in value.items() if isinstance(value, Mapping) else [("", value)]:
        if not isinstance(parts, Mapping):
            where = f"{name}[{key!r}]" if key else name
            kinds = "{name of a state array: array}"
            expected = kinds if key else f"{{name of a parameter: {kinds}}}"
            raise TypeError(f"{optimizer}: {where} is {parts!r:.60}, expected {expected}")
    return value if type(value) is dict else {key: dict(parts) for key, parts in value.items()}
