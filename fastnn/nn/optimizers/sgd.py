"""Stochastic gradient descent, plain, with momentum, and with Nesterov's."""

from typing import TYPE_CHECKING, Any

import numpy as np

import fastnn_kernels as k
from fastnn.common.assigned import fraction, switch
from fastnn.nn.optimizers.arguments import Shared
from fastnn.nn.optimizers.base import Optimizer
from fastnn.nn.schedules import Schedule

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SGD(Optimizer):
    """w −= lr·g; with momentum v = momentum·v − lr·g, w += v; with nesterov w += momentum·v − lr·g.

    `momentum` may be assigned if it was above 0 at first. State: velocity, none without momentum.

    Args:
        lr: The learning rate, a number or a schedule; may be assigned.
        momentum: How much of the velocity stays, from 0 to below 1.
        nesterov: Whether the step looks ahead, as in the last formula.
        **shared: The arguments of every optimizer: clip_norm, clip_value and state_dtype (see `Optimizer`).

    Raises:
        ValueError: For numbers out of range, also where they are assigned later.
        TypeError: For arguments of another kind.

    Examples:
        >>> history = model.fit(x, y, optimizer=fn.SGD(0.1, momentum=0.9))
    """

    name = "sgd"
    settings = ("momentum", "nesterov")
    _checks = Optimizer._checks | {"momentum": fraction, "nesterov": switch}

    def __init__(
        self, lr: float | Schedule = 0.01, momentum: float = 0.0, nesterov: bool = False, **shared: "Unpack[Shared]"
    ):
        super().__init__(lr, **shared)
        self.momentum, self.nesterov = momentum, nesterov
        self.state_names = ("velocity",) if self.momentum else ()
        self._choose_kernels()

    def __setattr__(self, name: str, value: Any) -> None:
        before = vars(self).get("momentum", 0.0)
        super().__setattr__(name, value)
        if name not in self.settings or "state_names" not in vars(self):  # the latter while it is being made
            return
        if name == "momentum" and self.momentum and not self.state_names:
            self.momentum, given = before, self.momentum
            raise ValueError(
                f"SGD: momentum is {given}, but this optimizer was made with momentum 0, so it keeps no velocity; make "
                f"another: fn.SGD(lr, momentum={given})"
            )
        if name == "nesterov":
            self._choose_kernels()

    def _choose_kernels(self) -> None:
        if self.state_names:
            self.kernel = k.nesterov_update if self.nesterov else k.momentum_update
        else:
            self.kernel, self.rows_kernel, self.outer_kernel = k.sgd_update, k.sgd_update_rows, k.sgd_outer_update

    def __getstate__(self) -> dict[str, Any]:
        """Without the kernels: they are compiled code, which pickle cannot write."""
        return {name: value for name, value in super().__getstate__().items() if not name.endswith("kernel")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._choose_kernels()

    def scalars(self, iterations: np.ndarray) -> np.ndarray:
        lr = self.learning_rates(iterations)
        return np.column_stack([lr, np.full(len(lr), self.momentum)]) if self.state_names else lr[:, None]
