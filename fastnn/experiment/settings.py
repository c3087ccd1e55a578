"""Settings of a recipe: a frozen dataclass whose fields carry help texts, choices and bounds."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from fastnn.common.text import setting_text
from fastnn.training.models.dtypes import DtypeName

# The largest size or count. NumPy can still name the size of an array of LARGEST_COUNT × LARGEST_COUNT numbers.
LARGEST_COUNT = 10**8


def setting(
    default: Any,
    text: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    below: float | None = None,
    is_path: bool = False,
    off: str = "",
) -> Any:
    """A field of a settings class.

    default  its value unless the user gives another; its type is the setting's
    text     help for the command line
    choices  the values that are allowed; (): any
    least    the smallest value that is allowed
    below    values must be smaller than this
    is_path  the value is the name of a file, whose digits are no sizes
    off      of a setting that is true or false: the flag that makes it false; "": its own after "no-"
    """
    text += f", below {setting_text(below)}" if below is not None else ""
    bounds = {"choices": choices, "least": least, "below": below}
    return field(default=default, metadata={"help": text, "is_path": is_path, "off": off, **bounds})


@dataclass(frozen=True)
class Settings:
    """The settings of every recipe. A subclass adds a system's own hyper-parameters; each field is a flag.

    zeros : what a page says of a setting that is 0, if that stands for something else
    """

    zeros: ClassVar[Mapping[str, str]] = {"batch_size": "all", "samples": "all"}

    epochs: int = setting(1, "passes over the training data, at most", least=1)
    batch_size: int = setting(0, "samples a step; 0: all of them", least=0)
    samples: int = setting(0, "number of training samples, drawn once and for all; 0: all", least=0)
    seed: int = setting(0, "of initial weights and sample order; never of generated data", least=0)
    dtype: DtypeName = setting("float32", "of all arithmetic", choices=("float32", "float64"))


def checked(settings: Any) -> Any:
    """Return `settings`; ValueError if a value is out of range or not among its choices."""
    for item in fields(settings):
        bounds = {name: item.metadata[name] for name in ("choices", "least", "below")}
        flag = f"--{item.name.replace('_', '-')}"
        _check(
            flag, getattr(settings, item.name), is_count=item.name != "seed" and not item.metadata["is_path"], **bounds
        )
    return settings


def _check(flag: str, value: Any, *, is_count: bool, choices: tuple[str, ...], least: Any, below: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{flag} is {value}, expected a finite number")
    if is_count and any(_is_too_large(number) for number in _whole_numbers(value)):
        raise ValueError(f"{flag} is {value}, expected whole numbers up to {LARGEST_COUNT:,}")
    if least is not None and not value >= least:
        raise ValueError(f"{flag} is {value}, expected at least {least:g}")
    if below is not None and not value < below:
        raise ValueError(f"{flag} is {value}, expected below {below:g}")
    if choices and value not in choices:
        raise ValueError(f"{flag} is {value!r}, expected one of {', '.join(choices)}")


def _whole_numbers(value: Any) -> list[str]:
    """The digits of a whole number, or of each number in a text such as 100x4."""
    if isinstance(value, str):
        return re.findall(r"\d+", value)
    return [str(value)] if isinstance(value, int) and not isinstance(value, bool) else []


def _is_too_large(digits: str) -> bool:
    # The length first: Python refuses to convert texts of thousands of digits.
    return len(digits) > len(str(LARGEST_COUNT)) or int(digits) > LARGEST_COUNT


def changed(settings: Any, **changes: Any) -> Any:
    """A copy of `settings` with `changes`; ValueError for a value out of range."""
    return checked(replace(settings, **changes))


def in_words(values: Mapping[str, Any]) -> str:
    """Settings as the command's flags name them, with commas between them: batch-size 200, lr 0.1."""
    return ", ".join(f"{name.replace('_', '-')} {setting_text(value)}" for name, value in values.items())
