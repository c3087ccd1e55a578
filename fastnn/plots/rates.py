"""The picture of a test of learning rates."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.curves import lines_over
from fastnn.plots.smoothed import running_mean
from fastnn.plots.style import BLACK, LABEL, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@undisturbed
def rate_curve(
    rates: np.ndarray, losses: np.ndarray, width: int, suggestion: float | None, *, ax: "Axes | None" = None
) -> "Figure | Any":
    """The loss of each step over its learning rate, the running mean of `width` steps, and a line at a rate."""
    lines = {"loss of a step": losses.tolist(), f"mean of {width} steps": running_mean(losses, width).tolist()}
    words = "learning rate", "loss", "loss by learning rate"
    drawn: Any = lines_over(rates.tolist(), lines, *words, log_x=True, wide_y=True, ax=ax)
    axis = drawn.axes[0] if ax is None else ax
    if suggestion is not None:
        axis.axvline(suggestion, color=BLACK, lw=0.8, ls=":", label=f"suggestion: {suggestion:.2g}")
        axis.legend(frameon=False, fontsize=LABEL - 1)
    return drawn
