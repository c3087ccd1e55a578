"""Packages that only an exchange needs, imported when it is asked for, and what cannot be exchanged."""

from typing import Any

from fastnn.common.packages import package as package
from fastnn.nn.graph import Call
from fastnn.nn.layers import KINDS as LAYERS
from fastnn.nn.losses import KINDS, Loss
from fastnn.nn.outputs import Output
from fastnn.training.models.model import Predictor


def no_equivalent(call: Call, where: str) -> ValueError:
    """The error for a layer that `where` has no equivalent of."""
    advice = "save and fn.load keep it" if type(call.layer) in LAYERS else "expected layers of fastnn"
    return ValueError(
        f"the layer {call.name!r} is of the kind {type(call.layer).__name__}, for which fastnn knows no equivalent in "
        f"{where}; {advice}"
    )


def applied_by(output: Output, where: str) -> str:
    """What makes predictions of the scores of an output, as `Loss.applies`.

    ValueError for a loss of a user's own whose `emit_predictions` `where` has no equivalent of.
    """
    loss = output.loss
    kinds = (kind for kind in type(loss).__mro__ if "emit_predictions" in vars(kind))
    if next(kinds) not in (Loss, *KINDS):
        raise ValueError(
            f"{type(loss).__name__}.emit_predictions makes the predictions of {output.name!r}, for which fastnn knows "
            f"no equivalent in {where}; expected a loss that leaves this to a loss of fastnn"
        )
    return loss.applies


def checked_model(given: Any, caller: str) -> None:
    """TypeError unless it is a model."""
    if not isinstance(given, Predictor):
        raise TypeError(f"{caller}: model is {type(given).__name__}, expected a fastnn model")
