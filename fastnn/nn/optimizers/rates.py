"""The numbers of a step: the learning rate of the moment, and what else an optimizer's kernel reads."""

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import ShapeError, not_defined
from fastnn.common.hints.habits import Hinted
from fastnn.nn.schedules import Schedule


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
        """
        if isinstance(self.lr, Schedule):
            return self.lr(iterations, self.epoch)
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

    def _scalars_now(self, dtype: np.dtype) -> np.ndarray:
        """The operand `scalars` of the next step, (s,)."""
        return self.checked_scalars(np.array([self.iteration]))[0].astype(dtype)
