"""The figure of a picture and its panels, of ours or in a user's figure; its title, and the note in the corner."""

import math
import textwrap
from typing import TYPE_CHECKING, Any

from fastnn.plots.style import GREY, PANEL_TITLE, SMALL, TITLE, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 120
LETTER = 0.1  # the width of a letter of a title, in inches
WIDEST = 11.0  # inches; a longer title is broken into lines
STRIP = 0.22  # inches at the foot of a figure that has a note
NOTE: Any = {"fontsize": SMALL, "color": GREY, "style": "italic"}


def sheet(
    count: int,
    *,
    columns: int,
    size: tuple[float, float],
    title: str | None,
    note: str | None = None,
    ax: "Axes | None" = None,
    figure: "Figure | None" = None,
) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, `columns` in a row, and the panels; the end of the last row stays empty.

    size    (width, height) of a panel in inches; the figure is wider if the title needs it
    note    written in the corner
    ax      a user's axes that is the one panel; its figure stays as it is
    figure  a user's figure or subfigure that gets the panels, of the size that it has

    ValueError if `count` is 0, or not 1 with `ax`; TypeError if `ax` or `figure` is something else.
    """
    if count < 1:
        raise ValueError(f"{title or 'the picture'}: nothing to show, expected at least one panel")
    if ax is not None:
        return _taken(ax, count, title, note)
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    if figure is None:
        figure = _new(columns * size[0], rows * size[1], title or "", note)
    else:
        _prepare(figure, title or "", note)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in panels[count:]:
        unused.remove()
    return figure, panels[:count]


def _new(width: float, height: float, title: str, note: str | None) -> "Figure":
    """A figure of ours for panels of this size in inches, with its title and its note."""
    from fastnn.plots.shown import ShownFigure

    width = max(width, min(WIDEST, LETTER * len(title)))
    lines = textwrap.wrap(title, int(width / LETTER))
    height += 0.1 + 0.22 * len(lines) + (STRIP if note else 0.0)
    figure = ShownFigure(figsize=(width, height), dpi=DPI, layout="constrained")
    if note:
        _reserve_foot(figure, note)
    if lines:
        figure.suptitle(literal("\n".join(lines)), fontsize=TITLE)
    return figure


def _prepare(figure: "Figure", title: str, note: str | None) -> None:
    """Write title and note into a user's figure; its layout becomes constrained if it has none."""
    from matplotlib.figure import Figure, FigureBase

    if not isinstance(figure, FigureBase):
        raise TypeError(f"figure is {type(figure).__name__}, expected a matplotlib Figure or SubFigure")
    if isinstance(figure, Figure) and figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    if title:
        letters = int(figure.bbox.width / figure.dpi / LETTER)
        figure.suptitle(literal(textwrap.fill(title, max(letters, 1))), fontsize=TITLE)
    if note:
        figure.supxlabel(literal(note), x=0.995, ha="right", **NOTE)


def _taken(ax: "Axes", count: int, title: str | None, note: str | None) -> "tuple[Figure, list[Axes]]":
    """A user's axes as the only panel, with its title and its note."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(f"ax is {type(ax).__name__}, expected one matplotlib Axes")
    if count != 1:
        raise ValueError(f"ax holds one panel, but there are {count} to draw; give figure= a figure or subfigure")
    if title:
        ax.set_title(literal(title), fontsize=PANEL_TITLE)
    if note:
        ax.annotate(
            literal(note), (1, 0), (0, -26), xycoords="axes fraction", textcoords="offset points", ha="right", va="top",
            **NOTE,
        )  # fmt: skip
    figure: Any = ax.figure  # or a subfigure, which does as well
    return figure, [ax]


def _reserve_foot(figure: "Figure", note: str) -> None:
    """Keep a strip at the foot of the figure free of panels, and write the note at its right end."""
    engine: Any = figure.get_layout_engine()
    height = STRIP / figure.get_figheight()
    engine.set(rect=(0, height, 1, 1 - height))
    figure.text(0.995, 0.2 * height, literal(note), ha="right", va="bottom", **NOTE)
