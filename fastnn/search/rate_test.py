"""What a test of learning rates finds: the loss at each rate, and which rate they speak for."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fastnn.common.hints.habits import Hinted
from fastnn.common.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 10  # steps of a test
NEIGHBOURS = 10  # the slope at a step is that of the losses of a window: a tenth of the steps


class RateTest(Hinted):
    """What `fn.find_rate` returns: losses by learning rate.

    Args:
        rates: (n,) of the steps, rising by the same factor each time.
        losses: (n,) of the steps: of each one's own samples, before its update.

    Attributes:
        suggestion: The rate at which the loss falls most steeply, or None where it never falls.

    Examples:
        >>> test = fn.find_rate(model, x, y, optimizer="sgd")
        >>> len(test.rates) == len(test.losses) <= 100
        True
    """

    def __init__(self, rates: ArrayLike, losses: ArrayLike):
        self.rates, self.losses = np.asarray(rates, np.float64), np.asarray(losses, np.float64)

    @property
    def suggestion(self) -> float | None:
        """The rate at which the loss falls most steeply over the logarithm of the rate; None where it never falls.

        The slope at a rate is that of the line through the losses of its neighbours, by least squares: as many as a
        tenth of the steps, at least five. Only rates below that of the lowest mean of such neighbours count. It is a
        rate to begin with; where a training with it is not smooth, take a third of it.
        """
        width = self._width
        if len(self.losses) < width:
            return None
        means = np.correlate(self.losses, np.full(width, 1 / width), "valid")
        slopes = np.correlate(self.losses, np.arange(width) - (width - 1) / 2, "valid")[: means.argmin() + 1]
        steepest = int(slopes.argmin())
        return float(self.rates[steepest + width // 2]) if slopes[steepest] < 0 else None

    @property
    def _width(self) -> int:
        """How many neighbours count together: an odd number."""
        return max(len(self.losses) // NEIGHBOURS, 4) // 2 * 2 + 1

    def plot(self, *, ax: "Axes | None" = None) -> "Figure | Any":
        """The loss of each step and its running mean over the learning rate; a line marks the suggestion.

        Args:
            ax: A matplotlib Axes to draw into; it is returned.

        Returns:
            A matplotlib Figure; of what was given as `ax`, the axes.

        Examples:
            >>> figure = fn.find_rate(model, x, y).plot()
        """
        from fastnn.plots.rates import rate_curve

        return rate_curve(self.rates, self.losses, self._width, self.suggestion, ax=ax)

    def __repr__(self) -> str:
        if not len(self.rates):
            return f"<{type(self).__name__} of no steps>"
        found = self.suggestion
        told = "the loss falls at none" if found is None else f"suggestion {found:.3g}"
        ends = f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}"
        return f"<{type(self).__name__} of {plural(len(self.rates), 'step')}, rates {ends}: {told}>"
