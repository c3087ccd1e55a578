"""Predicted numbers beside the true ones, and bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLACK, BLUE, GREY, SMALL, line_axes, literal, shortened, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 30  # letters of a bar's name
BAR = 0.3  # inches a bar takes


@undisturbed
def residuals(
    truth: np.ndarray,
    predicted: np.ndarray,
    title: str,
    *,
    name: str = "target",
    note: str | None = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """Two panels: predictions over true numbers, dashed where they agree; and residuals, true − predicted.

    Args:
        truth: (N,) numbers.
        predicted: (N,) numbers.
        title: Of the figure.
        name: Of what is predicted.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: Unless there are as many of both.

    Examples:
        >>> truth = x.sum(axis=1)
        >>> figure = fn.plots.residuals(truth, truth + x[:, 0], "sums")
    """
    truth, predicted = np.asarray(truth, np.float64).ravel(), np.asarray(predicted, np.float64).ravel()
    if truth.shape != predicted.shape or not truth.size:
        raise ValueError(f"residuals: {truth.size} true numbers and {predicted.size} predicted ones, expected as many")
    drawn, (left, right) = sheet(2, columns=2, size=(4.6, 4.0), title=title, note=note, figure=figure)
    size, ends = float(np.clip(3000 / truth.size, 3, 20)), [truth.min(), truth.max()]
    line_axes(left, xlabel=f"true {name}", ylabel="predicted")
    left.scatter(truth, predicted, s=size, c=BLUE, alpha=0.5, linewidths=0)
    left.plot(ends, ends, color=BLACK, ls="--", lw=1.2)
    line_axes(right, xlabel=f"predicted {name}", ylabel="true − predicted")
    right.scatter(predicted, truth - predicted, s=size, c=BLUE, alpha=0.5, linewidths=0)
    right.axhline(0, color=BLACK, ls="--", lw=1.2)
    return drawn if figure is None else [left, right]


@undisturbed
def bars(
    names: Sequence[str],
    values: Sequence[float],
    title: str,
    xlabel: str,
    *,
    deviations: Sequence[float] | None = None,
    note: str | None = None,
    ax: "Axes | None" = None,
) -> "Figure | Any":
    """A bar for each name, from the top down in the order given, with a line for the deviation of each.

    Args:
        names: Of the bars.
        values: Their lengths.
        title: Of the figure.
        xlabel: What the values are.
        deviations: Half the length of the line on each bar; None: no lines.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are none, or another number of values.

    Examples:
        >>> figure = fn.plots.bars(["age", "city"], [0.12, 0.05], "importance", "loss of accuracy")
    """
    if len(names) != len(values):
        raise ValueError(f"bars: {len(names)} names for {len(values)} values")
    figure, (axis,) = sheet(1, columns=1, size=(7.0, 1.0 + BAR * len(names)), title=title, note=note, ax=ax)
    line_axes(axis, xlabel=xlabel)
    places = np.arange(len(names))
    axis.barh(places, values, xerr=deviations, color=BLUE, ecolor=GREY, height=0.7)
    axis.set_yticks(places, [literal(shortened(name, LONGEST)) for name in names], fontsize=SMALL)
    axis.axvline(0, color=BLACK, lw=0.8)
    axis.invert_yaxis()
    return ax or figure
