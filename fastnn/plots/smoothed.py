"""Learning curves whose noise hides their course: each in a pale line, its running mean in a strong one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fastnn.common.figures import is_fraction, scale_of, unit_of
from fastnn.plots.sheet import sheet
from fastnn.plots.style import (
    BLUE,
    LABEL,
    ORANGE,
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
    from matplotlib.figure import Figure


def running_mean(values: ArrayLike, width: int) -> np.ndarray:
    """The mean of each value and its neighbours, `width` values together; at the ends of as many as there are.

    Values that are not finite count as if they were not there; NaN where there are no others.
    """
    given = np.asarray(values, np.float64)
    known = np.isfinite(given)
    half = max(width, 1) // 2
    low = np.maximum(np.arange(len(given)) - half, 0)
    high = np.minimum(np.arange(len(given)) + half + 1, len(given))
    sums, counts = (np.concatenate([[0], np.cumsum(one)]) for one in (np.where(known, given, 0.0), known))
    with np.errstate(invalid="ignore"):
        return np.asarray((sums[high] - sums[low]) / (counts[high] - counts[low]))


@undisturbed
def smoothed_curves(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    title: str,
    width: int,
    *,
    units: Mapping[str, str] | None = None,
    colours: Mapping[str, int] | None = None,
    note: str | None = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """A panel for each figure, a colour for each run in all panels: values by epoch pale, their running mean strong.

    Args:
        panels: By the name of a figure, as "test accuracy", the label of each run and its values, from epoch 1;
            fractions in per cent.
        title: Of the figure.
        width: Epochs of the running mean; below 3 nothing is smoothed.
        units: By the name of a figure, what stands beside the axis of its panel. Without it fractions have "%", others
            nothing.
        colours: By label, which colour it has, from 0: so that several pictures can give it the same. Without it they
            are counted in the order of the labels.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no panels.

    Examples:
        >>> panels = {"test accuracy": {"SGD": [0.5, 0.7, 0.65, 0.8]}}
        >>> figure = fn.plots.smoothed_curves(panels, "a training", 3)
    """
    drawn, axes = sheet(len(panels), columns=2, size=(5.6, 3.8), title=title, note=note, figure=figure)
    for axis, (name, curves) in zip(axes, panels.items(), strict=True):
        line_axes(axis, title=name, xlabel="epoch", ylabel=(units or {}).get(name, unit_of(name)))
        numbers = numbers_of(curves, colours)
        for label, values in curves.items():
            number = numbers[label]
            scaled = np.multiply(scale_of(name), values)
            epochs = np.arange(1, len(scaled) + 1)
            if width > 2:
                axis.plot(epochs, scaled, color=colour(number), lw=0.7, alpha=0.35)
            smooth = running_mean(scaled, width if width > 2 else 1)
            axis.plot(epochs, smooth, color=colour(number), ls=dash(number), lw=2, label=entry(label))
        if not is_fraction(name):
            scale_by_factors(axis)
        whole_number_ticks(axis)
    heading = f"running mean of {width} epochs" if width > 2 else None
    axes[0].legend(frameon=False, fontsize=SMALL, title=heading, title_fontsize=SMALL)
    return drawn if figure is None else axes


@undisturbed
def loss_beside_error(
    panels: Mapping[str, tuple[str, Sequence[float], Sequence[float]]],
    title: str,
    *,
    note: str | None = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """A panel for each net: its loss by epoch on the left scale, its classification error, in %, on the right one.

    Args:
        panels: By title, (what the loss is, the loss by epoch, the fraction of errors by epoch).
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no panels.

    Examples:
        >>> panels = {"a net": ("cross-entropy", [0.9, 0.5], [0.3, 0.1])}
        >>> figure = fn.plots.loss_beside_error(panels, "two epochs")
    """
    drawn, axes = sheet(len(panels), columns=2, size=(5.6, 3.8), title=title, note=note, figure=figure)
    every = np.concatenate([np.asarray(errors, np.float64) for _, _, errors in panels.values()])
    highest = 100 * max(every[np.isfinite(every)], default=1.0)
    for axis, (name, (unit, losses, errors)) in zip(axes, panels.items(), strict=True):
        line_axes(axis, title=name, xlabel="epoch", ylabel=unit)
        right: Any = axis.twinx()
        right.spines[["top"]].set_visible(False)
        right.set_ylabel("classification error, %", fontsize=LABEL, color=ORANGE)
        right.tick_params(labelsize=SMALL)
        for own, values, shade, style in ((axis, losses, BLUE, "-"), (right, np.multiply(100, errors), ORANGE, "--")):
            own.plot(np.arange(1, len(values) + 1), values, color=shade, ls=style, lw=1.6)
        axis.yaxis.label.set_color(BLUE)
        axis.set_ylim(bottom=0)
        right.set_ylim(0, 1.05 * highest)
        whole_number_ticks(axis)
    return drawn if figure is None else axes
