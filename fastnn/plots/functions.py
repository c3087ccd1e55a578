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

    Args:
        x: Where the functions were computed.
        panels: By title, the name of each function and its values at x.
        title: Of the figure.
        xlabel: What x is.
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no panels.

    Examples:
        >>> x = np.linspace(-3, 3, 50)
        >>> panels = {"values": {"tanh": np.tanh(x), "relu": np.maximum(x, 0)}}
        >>> figure = fn.plots.functions(x, panels, "activations")
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
