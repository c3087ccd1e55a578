"""Optimizers that scale each step by the size of its own past gradients.

Numbers after the learning rate have names: libraries order them differently. `shared` stands for the arguments of every
optimizer: clip_norm, clip_value and state_dtype (see `Optimizer`).
"""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common.arithmetic import ieee
from fastnn.common.assigned import Check, above_zero, at_least_zero, fraction
from fastnn.nn.optimizers.arguments import Shared
from fastnn.nn.optimizers.base import Optimizer
from fastnn.nn.schedules import Schedule

if TYPE_CHECKING:
    from typing_extensions import Unpack


def _columns(lr: np.ndarray, *others: float | np.ndarray) -> np.ndarray:
    table = np.empty((len(lr), 1 + len(others)))
    for j, column in enumerate((lr, *others)):
        table[:, j] = column
    return table


class RMSProp(Optimizer):
    """c = decay·c + (1 − decay)·g²;  w −= lr·g / (√c + eps). State: mean_square.

    Args:
        lr: The learning rate, a number or a schedule; may be assigned.
        decay: How much of the mean stays, from 0 to below 1.
        eps: Above 0, for gradients that are 0.
        **shared: The arguments of every optimizer: clip_norm, clip_value and state_dtype (see `Optimizer`).

    Raises:
        ValueError: For numbers out of range.
        TypeError: For arguments of another kind.

    Examples:
        >>> history = model.fit(x, y, optimizer=fn.RMSProp(1e-3))
    """

    name = "rmsprop"
    settings = ("decay", "eps")
    _checks = Optimizer._checks | {"decay": fraction, "eps": above_zero}
    state_names = ("mean_square",)
    kernel = k.rmsprop_update

    def __init__(
        self, lr: float | Schedule = 0.001, *, decay: float = 0.99, eps: float = 1e-8, **shared: "Unpack[Shared]"
    ):
        super().__init__(lr, **shared)
        self.decay, self.eps = decay, eps

    def scalars(self, iterations: np.ndarray) -> np.ndarray:
        return _columns(self.learning_rates(iterations), 1 - self.decay, self.eps)


class AdaGrad(Optimizer):
    """c += g²;  w −= lr·g / (√c + eps). State: sum_square. Duchi, Hazan and Singer (2011).

    Args:
        lr: The learning rate, a number or a schedule; may be assigned.
        eps: Above 0, for gradients that are 0.
        initial_accumulator_value: Where c starts. From 0 the first step moves every weight by lr, however small its
            gradient: a layer with many inputs can be driven into saturation by it. TensorFlow starts from .1.
        **shared: The arguments of every optimizer: clip_norm, clip_value and state_dtype (see `Optimizer`).

    Raises:
        ValueError: For numbers out of range.
        TypeError: For arguments of another kind.

    Examples:
        >>> history = model.fit(x, y, optimizer=fn.AdaGrad(1e-2, initial_accumulator_value=0.1))
    """

    name = "adagrad"
    settings = ("eps", "initial_accumulator_value")
    _checks = Optimizer._checks | {"eps": above_zero, "initial_accumulator_value": at_least_zero}
    state_names = ("sum_square",)
    kernel = k.adagrad_update
    rows_kernel = k.adagrad_update_rows

    def __init__(
        self,
        lr: float | Schedule = 0.01,
        *,
        eps: float = 1e-8,
        initial_accumulator_value: float = 0.0,
        **shared: "Unpack[Shared]",
    ):
        super().__init__(lr, **shared)
        self.eps, self.initial_accumulator_value = eps, initial_accumulator_value

    @property
    def start(self) -> float:  # type: ignore[override]
        return self.initial_accumulator_value

    def scalars(self, iterations: np.ndarray) -> np.ndarray:
        return _columns(self.learning_rates(iterations), self.eps)


class Adam(Optimizer):
    """m = β₁·m + (1 − β₁)·g;  v = β₂·v + (1 − β₂)·g²;  w −= lr·m̂ / (√v̂ + eps). m̂, v̂: corrected for the start at 0.

    State: m, v, two arrays as large as the parameters. `fn.Adam(1e-3, state_dtype="bfloat16")` halves them, which may
    be faster for millions of parameters (see `Optimizer`). Kingma and Ba (2015), algorithm 1.

    Args:
        lr: The learning rate, a number or a schedule; may be assigned.
        beta1: β₁, from 0 to below 1.
        beta2: β₂, from 0 to below 1.
        eps: Above 0, for gradients that are 0.
        **shared: The arguments of every optimizer: clip_norm, clip_value and state_dtype (see `Optimizer`).

    Raises:
        ValueError: For numbers out of range.
        TypeError: For arguments of another kind.

    Examples:
        >>> history = model.fit(x, y, optimizer=fn.Adam(1e-3, clip_norm=1.0))
    """

    name = "adam"
    settings: ClassVar[tuple[str, ...]] = ("beta1", "beta2", "eps")
    _checks: ClassVar[dict[str, Check]] = Optimizer._checks | {"beta1": fraction, "beta2": fraction, "eps": above_zero}
    state_names = ("m", "v")
    kernel = k.adam_update

    def __init__(
        self,
        lr: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        **shared: "Unpack[Shared]",
    ):
        super().__init__(lr, **shared)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    @ieee
    def scalars(self, iterations: np.ndarray) -> np.ndarray:
        steps = iterations + 1.0
        lr = self.learning_rates(iterations) / (1 - self.beta1**steps)
        root = 1 / np.sqrt(1 - self.beta2**steps)
        return _columns(lr, 1 - self.beta1, 1 - self.beta2, root, self.eps)


class AdamW(Adam):
    """Adam, and w −= lr·weight_decay·w beside the gradient's step. Loshchilov and Hutter (2019), algorithm 2.

    Args:
        lr: The learning rate, a number or a schedule; may be assigned.
        beta1: β₁, from 0 to below 1.
        beta2: β₂, from 0 to below 1.
        eps: Above 0, for gradients that are 0.
        weight_decay: What a weight loses in a step, times lr.
        **shared: The arguments of every optimizer: clip_norm, clip_value and state_dtype (see `Optimizer`).

    Raises:
        ValueError: For numbers out of range.
        TypeError: For arguments of another kind.

    Examples:
        >>> history = model.fit(x, y, optimizer=fn.AdamW(1e-3, weight_decay=0.05))
    """

    name = "adamw"
    settings = (*Adam.settings, "weight_decay")
    _checks = Adam._checks | {"weight_decay": at_least_zero}
    kernel = k.adamw_update

    def __init__(
        self,
        lr: float | Schedule = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        **shared: "Unpack[Shared]",
    ):
        super().__init__(lr, beta1=beta1, beta2=beta2, eps=eps, **shared)
        self.weight_decay = weight_decay

    @ieee
    def scalars(self, iterations: np.ndarray) -> np.ndarray:
        return np.column_stack([super().scalars(iterations), self.learning_rates(iterations) * self.weight_decay])
