"""Trials of a random search: a figure over each setting that was drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLUE, ORANGE, SMALL, line_axes, literal, undisturbed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE = 20.0  # the ratio of largest to least number from which on a scale is logarithmic


@undisturbed
def search_dots(
    axes: Mapping[str, Sequence[Any]],
    figures: Sequence[float],
    title: str,
    ylabel: str,
    *,
    note: str | None = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """A panel for each setting: its value and the figure of each trial; the trial with the largest figure is marked.

    `figure=` takes a matplotlib Figure or SubFigure for the panels, and returns these.

    axes : setting -> its value in each trial, numbers or texts. A figure that is not finite has no dot.
    Raises ValueError if there are no settings.
    """
    drawn, panels = sheet(len(axes), columns=3, size=(3.7, 3.3), title=title, note=note, figure=figure)
    y = np.asarray(figures, np.float64)
    best = int(np.nanargmax(y)) if np.isfinite(y).any() else None
    for number, (axis, (name, values)) in enumerate(zip(panels, axes.items(), strict=True)):
        line_axes(axis, xlabel=name, ylabel=ylabel if number % 3 == 0 else "")
        is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        texts = list(dict.fromkeys(map(str, values)))
        x = np.array(values if is_number else [texts.index(str(value)) for value in values], np.float64)
        axis.plot(x, y, "o", color=BLUE, markersize=5, alpha=0.8)
        if best is not None:
            axis.plot(x[best], y[best], "o", color=ORANGE, markersize=9, mfc="none", mew=1.8)
        if not is_number:
            axis.set_xticks(range(len(texts)), [literal(text) for text in texts], fontsize=SMALL)
        elif x.min() > 0 and x.max() > WIDE * x.min():
            axis.set_xscale("log")
    return drawn if figure is None else panels
