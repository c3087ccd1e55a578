"""The numbers of a step: the learning rate of the moment, and what else an optimizer's kernel reads."""

from typing import Any

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import ShapeError, not_defined
from fastnn.common.hints.habits import Hinted
from fastnn.common.user_arrays import as_array, check_numbers
from fastnn.common.validation import above_zero_in
from fastnn.nn.schedules import SCHEDULES, Schedule

BUILT_IN = frozenset(SCHEDULES.values())


class Rates(Hinted):
    """Base of an optimizer: it counts steps and epochs, by which schedules go.

    Attributes:
        lr: The learning rate, a number or a schedule.
        iteration: Steps taken.
        epoch: Epochs finished.
    """

    lr: float | Schedule
    iteration: int
    epoch: int

    @property
    def current_lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.learning_rates(np.array([self.iteration]))[0])

    @ieee
    def learning_rates(self, iterations: np.ndarray) -> np.ndarray:
        """The learning rate at each of the steps numbered `iterations`, in the current epoch, float64.

        Args:
            iterations: The numbers of the steps, (n,).

        Raises:
            ShapeError: If a schedule of a user's own gives no rate for each step.
            TypeError: If it gives something else than numbers.
            ValueError: If a rate is below 0 or not finite.
        """
        if isinstance(self.lr, Schedule):
            rates = self.lr(iterations, self.epoch)
            return rates if type(self.lr) in BUILT_IN else _checked(rates, self.lr, iterations)
        return np.full(len(iterations), float(self.lr))

    def scalars(self, iterations: np.ndarray) -> np.ndarray:
        """The operand `scalars` of the kernel at each of the steps numbered `iterations` (n,): (n, s), float64.

        The learning rate comes first, then what else the kernel's docstring names.

        Args:
            iterations: The numbers of the steps, (n,).
        """
        raise not_defined(self, "scalars")

    def checked_scalars(self, iterations: np.ndarray) -> np.ndarray:
        """What `scalars` makes, which may be of a user's own class.

        Args:
            iterations: The numbers of the steps, (n,).

        Raises:
            ShapeError: Unless it is (n, s).
        """
        made = np.asarray(self.scalars(iterations))
        if made.ndim != 2 or len(made) != len(iterations) or not made.shape[1]:
            raise ShapeError(
                f"{type(self).__name__}.scalars made an array {made.shape} of {len(iterations)} steps, expected a row "
                "for each step, (n, s), such as self.learning_rates(iterations)[:, None]"
            )
        return made

    def _check_eps(self, dtype: np.dtype) -> None:
        """ValueError if `eps` is 0 or infinite in the dtype of a model: 0 / 0 is NaN, and x / ∞ updates nothing."""
        if (eps := getattr(self, "eps", None)) is not None:
            above_zero_in(dtype, f"{type(self).__name__}: eps", eps)

    def _scalars_now(self, dtype: np.dtype) -> np.ndarray:
        """The operand `scalars` of the next step, (s,)."""
        self._check_eps(dtype)
        return self.checked_scalars(np.array([self.iteration]))[0].astype(dtype)


def _checked(given: Any, schedule: Schedule, iterations: np.ndarray) -> np.ndarray:
    """What a schedule of a user's own gave, float64."""
    kind = type(schedule).__name__
    rates = as_array(given, f"what {kind} gave")
    check_numbers(rates, f"what {kind} gave")
    if rates.shape != iterations.shape:
        raise ShapeError(
            f"{kind} gave an array {rates.shape} for {len(iterations)} steps, expected a learning rate for each, "
            f"{iterations.shape}, such as np.full(len(iterations), 0.1)"
        )
    wrong = ~((rates >= 0) & (rates < np.inf))  # NaN is neither
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"{kind} gave the learning rate {rates[at]} for step {int(iterations[at])}, expected a finite number ≥ 0"
        )
    return rates.astype(np.float64)
