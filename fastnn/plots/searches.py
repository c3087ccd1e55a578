"""Trials of a random search: a figure over each setting that was drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLUE, ORANGE, SMALL, line_axes, literal, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 20.0  # the ratio of largest to least number from which on a scale is logarithmic


@undisturbed
def search_dots(
    axes: Mapping[str, Sequence[Any]],
    figures: Sequence[float],
    title: str,
    ylabel: str,
    *,
    lowest: bool = False,
    note: str | None = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """A panel for each setting: its value and the figure of each trial; the trial with the best figure is marked.

    Args:
        axes: By setting, its value in each trial, numbers or texts.
        figures: Of the trials. One that is not finite has no dot.
        title: Of the figure.
        ylabel: What the figures are.
        lowest: Whether the lowest figure is the best, as of losses; else the largest is.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no settings.

    Examples:
        >>> axes = {"rate": [0.1, 0.01, 0.001], "activation": ["relu", "tanh", "relu"]}
        >>> figure = fn.plots.search_dots(axes, [0.91, 0.95, 0.9], "a search", "accuracy")
    """
    drawn, panels = sheet(len(axes), columns=3, size=(3.7, 3.3), title=title, note=note, figure=figure)
    for number, (axis, (name, values)) in enumerate(zip(panels, axes.items(), strict=True)):
        search_panel(axis, name, values, figures, ylabel if number % 3 == 0 else "", lowest=lowest)
    return drawn if figure is None else panels


@undisturbed
def search_panel(
    axis: "Axes", name: str, values: Sequence[Any], figures: Sequence[float], ylabel: str, *, lowest: bool
) -> "Axes":
    """Draw one setting, its value and the figure of each trial, into axes; returns them."""
    y = np.asarray(figures, np.float64)
    line_axes(axis, xlabel=name, ylabel=ylabel)
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    texts = list(dict.fromkeys(map(str, values)))
    x = np.array(values if is_number else [texts.index(str(value)) for value in values], np.float64)
    axis.plot(x, y, "o", color=BLUE, markersize=5, alpha=0.8)
    if np.isfinite(y).any():
        best = int((np.nanargmin if lowest else np.nanargmax)(np.where(np.isfinite(y), y, np.nan)))
        axis.plot(x[best], y[best], "o", color=ORANGE, markersize=9, mfc="none", mew=1.8)
    if not is_number:
        axis.set_xticks(range(len(texts)), [literal(text) for text in texts], fontsize=SMALL)
    elif x.min() > 0 and x.max() > WIDE * x.min():
        axis.set_xscale("log")
    return axis
