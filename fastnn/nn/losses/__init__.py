"""Losses: the cost of a batch of scores, its gradient, and the predictions that belong to it."""

from typing import TYPE_CHECKING, Any, Literal

from fastnn.common.hints.habits import completed_by, missing_from, stays_as_made
from fastnn.common.names import look_up
from fastnn.nn.losses.base import Loss
from fastnn.nn.losses.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from fastnn.nn.losses.own import ElementwiseLoss
from fastnn.nn.losses.regression import MAE, MSE, Huber, Poisson

LossName = Literal["softmax_cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "poisson"]
KINDS = (SoftmaxCrossEntropy, BinaryCrossEntropy, MSE, MAE, Huber, Poisson)  # those that can be given by name
for _kind in (*KINDS, ElementwiseLoss):
    stays_as_made(_kind)
LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in KINDS}
OWN = "of two functions of your own fn.ElementwiseLoss(value=..., gradient=...)"


def get(spec: LossName | Loss) -> Loss:
    """The loss called `spec`, or `spec` itself if it is one already.

    Args:
        spec: A name, such as "mse", or a loss.

    Raises:
        ValueError: For an unknown name.
        TypeError: For what is neither.
    """
    if isinstance(spec, Loss):
        return spec
    if callable(spec):
        hint = "fn.MSE() or another of its objects" if isinstance(spec, type) else OWN
        raise TypeError(f'loss is {getattr(spec, "__name__", spec)}, expected a name such as "mse", or {hint}')
    if are_functions(spec):
        raise TypeError(f'loss is a {type(spec).__name__} of functions, expected a name such as "mse", or {OWN}')
    return look_up("loss", spec, LOSSES)()


def are_functions(spec: Any) -> bool:
    """Whether it is a list of functions, which may have been meant as a loss and its derivative."""
    return isinstance(spec, list | tuple) and any(callable(part) and not isinstance(part, type) for part in spec)


def from_config(config: dict[str, Any]) -> Loss:
    """The loss that `Loss.config` described.

    Args:
        config: The description.

    Raises:
        ValueError: For a loss of your own, which is in no file, or an unknown name.
    """
    if config.get("name") == ElementwiseLoss.name:
        raise ValueError("the model was trained with a loss of your own: say which, load(path, loss=...)")
    arguments = {name: value for name, value in config.items() if name != "name"}
    return look_up("loss", config.get("name"), LOSSES)(**arguments)


__all__ = ["LOSSES", "Loss", "LossName", "from_config", "get", *(kind.__name__ for kind in (*KINDS, ElementwiseLoss))]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, (kind.__name__ for kind in (*KINDS, ElementwiseLoss)))
    __dir__ = completed_by(__all__)
