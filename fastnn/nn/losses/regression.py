"""Losses against targets that are numbers: how far from them the scores are."""

import math
from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.errors import DataError
from fastnn.nn.losses.base import Loss, emit_output


@dataclass(frozen=True)
class MSE(Loss):
    """ℓ = scale · mean over outputs of (s − t)²; scale=.5 is the half-squared form.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        scale: What the mean is multiplied by.

    Raises:
        ValueError: For a scale that is not above 0 or an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.MSE(scale=0.5), metrics=["r2"])
        >>> history = model.fit(x, x.sum(axis=1))
    """

    scale: float = 1.0
    name: ClassVar[str] = "mse"

    def __post_init__(self):
        super().__post_init__()
        _above_zero("MSE", "scale", self.scale)

    def kernel(self):
        return k.mse

    def settings(self):
        return (self.scale,)


@dataclass(frozen=True)
class MAE(Loss):
    """ℓ = mean over outputs of |s − t|.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.

    Raises:
        ValueError: For an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.MAE())
        >>> history = model.fit(x, x.sum(axis=1))
    """

    name: ClassVar[str] = "mae"

    def kernel(self):
        return k.mae


@dataclass(frozen=True)
class Huber(Loss):
    """ℓ = mean over outputs of ½·d² where |d| ≤ delta, delta·(|d| − ½·delta) elsewhere, d = s − t.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        delta: The difference from which on the loss grows linearly.

    Raises:
        ValueError: For a delta that is not above 0 or an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.Huber(delta=2.0))
        >>> history = model.fit(x, x.sum(axis=1))
    """

    delta: float = 1.0
    name: ClassVar[str] = "huber"

    def __post_init__(self):
        super().__post_init__()
        _above_zero("Huber", "delta", self.delta)

    def kernel(self):
        return k.huber

    def settings(self):
        return (self.delta,)


@dataclass(frozen=True)
class Poisson(Loss):
    """ℓ = mean over outputs of exp(s) − t + t·(log t − s), half the Poisson deviance: targets are counts, t ≥ 0.

    Each score s is the logarithm of a mean; predictions are the means, exp(s).

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.

    Raises:
        ValueError: For an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.Poisson())
        >>> history = model.fit(x, y)
    """

    name: ClassVar[str] = "poisson"
    applies: ClassVar[str] = "exp"

    def kernel(self):
        return k.poisson

    def emit_predictions(self, build, scores):
        return emit_output(build, k.exp_forward, scores)

    def checked_targets(self, y, name, outputs):
        y = super().checked_targets(y, name, outputs)
        if len(y) and y.min() < 0:
            raise DataError(f"{name} holds values from {y.min()} on, expected counts or other numbers ≥ 0")
        return y


def _above_zero(loss: str, name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{loss}: {name} is {value}, expected a finite number above 0")
