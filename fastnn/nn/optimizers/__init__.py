"""Optimizers: how a step changes the parameters by their gradients."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from fastnn.common.hints.habits import completed_by, missing_from
from fastnn.common.names import look_up
from fastnn.nn import schedules
from fastnn.nn.optimizers.adaptive import AdaGrad, Adam, AdamW, RMSProp
from fastnn.nn.optimizers.base import Optimizer
from fastnn.nn.optimizers.sgd import SGD

KINDS = (SGD, RMSProp, AdaGrad, Adam, AdamW)
OptimizerName = Literal["sgd", "rmsprop", "adagrad", "adam", "adamw"]
OPTIMIZERS: dict[str, type[Optimizer]] = {optimizer.name: optimizer for optimizer in KINDS}


def from_config(config: Mapping[str, Any]) -> Optimizer:
    """The optimizer that `Optimizer.config` described.

    Args:
        config: The description.

    Raises:
        ValueError: For an unknown name.
    """
    arguments = {name: value for name, value in config.items() if name != "name"}
    if isinstance(arguments.get("lr"), Mapping):
        arguments["lr"] = schedules.from_config(arguments["lr"])
    return look_up("optimizer", config.get("name"), OPTIMIZERS)(**arguments)


__all__ = ["OPTIMIZERS", "Optimizer", "OptimizerName", "from_config", *(kind.__name__ for kind in KINDS)]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
    __dir__ = completed_by(__all__)
