"""Several small pictures of curves side by side, with one legend: what runs did by step and by epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastnn.plots.learning import DOTTED, REPORT, panels_named
from fastnn.plots.sheet import sheet
from fastnn.plots.style import (
    GREY,
    MARKED,
    SMALL,
    colour,
    dash,
    entry,
    line_axes,
    literal,
    numbers_of,
    scale_by_factors,
    undisturbed,
    whole_number_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = tuple[Any, Any]  # sequences or arrays of one length: x, y

SIZE = (3.7, 3.3)  # of a panel, in inches


@dataclass(frozen=True)
class CurvePanel:
    """One panel of `curve_panels`.

    Args:
        title: Of the panel.
        xlabel: What x is.
        curves: By label, x and y.
        ylabel: What y is.
        reported: By label, x and y as somebody else published them: dotted, with crosses, in the label's colour.
        dots: Whether points are drawn without a line between them, as suits the losses of single steps.
        level: (value, what it is) of a horizontal line; None: there is none.
        from_zero: Whether y begins at 0, as a share does, and is never logarithmic.

    Examples:
        >>> panel = fn.plots.CurvePanel("loss", "step", {"SGD": ([1, 2], [0.9, 0.5])})
    """

    title: str
    xlabel: str
    curves: Mapping[str, Points]
    ylabel: str = ""
    reported: Mapping[str, Points] = field(default_factory=dict)
    dots: bool = False
    level: tuple[float, str] | None = None
    from_zero: bool = False


@undisturbed
def curve_panels(
    panels: Sequence[CurvePanel],
    title: str,
    *,
    columns: int = 3,
    colours: Mapping[str, int] | None = None,
    note: str | None = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """The panels in rows of `columns`. A label has the same colour in all of them, and one legend names them all.

    y is logarithmic in panels whose values span decades.

    Args:
        panels: What is drawn.
        title: Of the figure.
        columns: Panels in a row.
        colours: By label, which colour it has, from 0: so that several pictures can give it the same. Without it they
            are counted in the order of the labels.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no panels.

    Examples:
        >>> panel = fn.plots.CurvePanel("loss", "step", {"SGD": ([1, 2], [0.9, 0.5])})
        >>> figure = fn.plots.curve_panels([panel], "a training")
    """
    labels = dict.fromkeys(label for panel in panels for label in (*panel.curves, *panel.reported))
    numbers = numbers_of(labels, colours)
    drawn, axes = sheet(len(panels), columns=columns, size=SIZE, title=title, note=note, figure=figure)
    for axis, panel in zip(axes, panels, strict=True):
        line_axes(axis, title=panel.title, xlabel=panel.xlabel, ylabel=panel.ylabel)
        for label, points in panel.curves.items():
            _draw(axis, points, numbers[label], dots=panel.dots)
        for label, points in panel.reported.items():
            axis.plot(*points, color=colour(numbers[label]), marker="x", markersize=6, **DOTTED)
        whole_number_ticks(axis)
        if panel.from_zero:
            axis.set_ylim(bottom=0)
        else:
            scale_by_factors(axis, but_zeros=True)
        if panel.level is not None:
            axis.axhline(panel.level[0], color=GREY, lw=0.8, ls="--")
            axis.set_ylim(top=max(axis.get_ylim()[1], 1.08 * panel.level[0]))  # the line and its text lie inside
            axis.annotate(
                literal(panel.level[1]), (0.01, panel.level[0]), xycoords=("axes fraction", "data"),
                xytext=(2, 2), textcoords="offset points", fontsize=SMALL, color=GREY,
            )  # fmt: skip
    _legend(drawn, numbers, panels)
    return drawn if figure is None else axes


def _draw(axis: "Axes", points: Points, number: int, *, dots: bool) -> None:
    count = len(points[0])
    if dots:
        size = 3.5 if count <= 10 * MARKED else 1.5
        axis.plot(*points, color=colour(number), ls="", marker="o", markersize=size, mew=0)
    else:
        axis.plot(*points, color=colour(number), ls=dash(number), lw=1.6, marker="." if count <= MARKED else None)


def _legend(figure: "Figure", numbers: Mapping[str, int], panels: Sequence[CurvePanel]) -> None:
    """Below the panels: the colour of each label, and how published figures are drawn. None for a single curve."""
    from matplotlib.lines import Line2D

    looks: list[dict[str, Any]] = [{"color": colour(n), "ls": dash(n), "lw": 1.8} for n in numbers.values()]
    texts = [entry(label) for label in numbers]
    if reported := [panel.title for panel in panels if panel.reported]:
        looks.append(DOTTED | {"color": GREY, "marker": "x"})
        texts.append(panels_named(REPORT, reported, len(panels)))
    if len(texts) > 1:
        handles = [Line2D([], [], **look) for look in looks]
        figure.legend(handles, texts, loc="outside lower left", ncols=4, frameon=False, fontsize=SMALL)
