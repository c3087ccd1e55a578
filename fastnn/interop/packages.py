"""Packages that only an exchange needs, imported when it is asked for, and what cannot be exchanged."""

from typing import Any

from fastnn.common.packages import package as package
from fastnn.nn.graph import Call
from fastnn.training.models.model import Predictor


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
