"""Functions of one number side by side, as activations and their derivatives."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastnn.plots.sheet import sheet
from fastnn.plots.style import LABEL, colour, dash, entry, line_axes, undisturbed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@undisturbed
def functions(
    x: Sequence[float],
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    title: str,
    *,
    xlabel: str = "x",
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """A panel for each title, with the values of each function at x; a function has the same colour in all panels.

    `figure=` takes a matplotlib Figure or SubFigure for the panels, and returns these.

    panels : title -> name of the function -> its values at x. Raises ValueError if there are none.
    """
    drawn, axes = sheet(len(panels), columns=2, size=(4.6, 3.4), title=title, figure=figure)
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    for axis, (heading, curves) in zip(axes, panels.items(), strict=True):
        line_axes(axis, title=heading, xlabel=xlabel)
        for name, values in curves.items():
            number = names.index(name)
            axis.plot(x, values, color=colour(number), ls=dash(number), lw=1.8, label=entry(name))
    axes[0].legend(frameon=False, fontsize=LABEL - 1)
    return drawn if figure is None else axes
