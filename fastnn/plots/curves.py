"""Line plots: the mean over seeds with its deviation, and one quantity over another."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.text import with_minus
from fastnn.plots.sheet import sheet
from fastnn.plots.style import (
    LABEL,
    MARKED,
    SMALL,
    colour,
    dash,
    entry,
    line_axes,
    numbers_of,
    scale_by_factors,
    undisturbed,
    whole_number_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


LETTERS = 64  # the most that all ticks of x have together, if each value has one


@undisturbed
def bands(
    curves: Mapping[str, Sequence[Sequence[float]]],
    title: str,
    ylabel: str,
    *,
    xlabel: str = "epoch",
    note: str | None = None,
    ax: "Axes | None" = None,
) -> "Figure | Any":
    """The mean of each label's curves in a band of ± one standard deviation, with the curves themselves in pale lines.

    The deviation is that of a sample, with n − 1 in the denominator; a single curve has no band.

    Args:
        curves: By label, curves of equal length, one for each seed; their first value belongs to x = 1.
        title: Of the figure.
        ylabel: What the values are.
        xlabel: What x counts.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If a label has no curves, or curves of different lengths.

    Examples:
        >>> figure = fn.plots.bands({"SGD": [[0.9, 0.5], [0.8, 0.6]]}, "two seeds", "loss")
    """
    figure, (axis,) = sheet(1, columns=1, size=(7.2, 4.2), title=title, note=note, ax=ax)
    line_axes(axis, xlabel=xlabel, ylabel=ylabel)
    for number, (label, seeds) in enumerate(curves.items()):
        _band(axis, label, seeds, number)
    whole_number_ticks(axis)
    legend = axis.legend(framealpha=0.85, edgecolor="none", fontsize=SMALL, title="mean ± standard deviation")
    legend.get_title().set_fontsize(SMALL)  # its back is white: bands may leave no room beside them
    return ax or figure


def _band(axis: "Axes", label: str, seeds: Sequence[Sequence[float]], number: int) -> None:
    lengths = sorted({len(curve) for curve in seeds})
    if len(lengths) != 1:
        raise ValueError(f"bands: the curves of {label!r} have lengths {lengths}, expected one curve or more of one")
    values = np.array(seeds, np.float64)
    x, mean = np.arange(1, lengths[0] + 1), values.mean(axis=0)
    shade, count = colour(number), len(values)
    for curve in values if count > 1 else ():
        axis.plot(x, curve, color=shade, lw=0.6, alpha=0.45)
    if count > 1:
        deviation = values.std(axis=0, ddof=1)
        axis.fill_between(x, mean - deviation, mean + deviation, color=shade, alpha=0.2, lw=0)
    text = f"{label}, {count} seeds" if count > 1 else f"{label}, one seed"
    axis.plot(x, mean, color=shade, ls=dash(number), lw=2, marker="." if len(x) <= MARKED else None, label=entry(text))


@undisturbed
def lines_over(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    title: str,
    *,
    log_x: bool = False,
    wide_y: bool = False,
    colours: Mapping[str, int] | None = None,
    note: str | None = None,
    ax: "Axes | None" = None,
) -> "Figure | Any":
    """One line for each label over the values of x. Few values of x have marks and ticks of their own.

    Args:
        x: The values along the horizontal axis.
        lines: By label, the values of a line.
        xlabel: What x is.
        ylabel: What the values are.
        title: Of the figure.
        log_x: Whether x has a logarithmic scale, as for learning rates and sizes.
        wide_y: Whether y has one as well if it spans decades, as losses may.
        colours: By label, which colour it has, from 0: so that several pictures can give it the same. Without it they
            are counted in the order of the labels.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If a line has another number of values than x.

    Examples:
        >>> lines = {"loss": [0.9, 0.4, 0.7]}
        >>> figure = fn.plots.lines_over([1e-3, 1e-2, 1e-1], lines, "rate", "loss", "rates", log_x=True)
    """
    figure, (axis,) = sheet(1, columns=1, size=(7.2, 4.2), title=title, note=note, ax=ax)
    line_axes(axis, xlabel=xlabel, ylabel=ylabel)
    numbers = numbers_of(lines, colours)
    for label, y in lines.items():
        if len(y) != len(x):
            raise ValueError(f"lines_over: {label!r} has {len(y)} values for {len(x)} of x")
        look: Any = {"lw": 1.8, "marker": "o", "markersize": 4.5} if len(x) <= MARKED else {"lw": 1.2}
        axis.plot(x, y, color=colour(numbers[label]), ls=dash(numbers[label]), label=entry(label), **look)
    if log_x:
        axis.set_xscale("log")
    if wide_y:
        scale_by_factors(axis)
    texts = [with_minus(f"{value:,g}".replace("e-0", "e-")) for value in x]
    if len(x) <= 12 and sum(map(len, texts)) <= LETTERS:
        axis.set_xticks(list(x), texts, fontsize=SMALL)
        axis.set_xticks([], minor=True)
    if len(lines) > 1:
        axis.legend(frameon=False, fontsize=LABEL - 1)
    return ax or figure
