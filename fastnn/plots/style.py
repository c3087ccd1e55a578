"""What all pictures have in common: colours, sizes of type, the sheet of panels, the note in the corner, saving.

The colours are those of Okabe and Ito, which colour-blind readers can tell apart. matplotlib is imported when the
first picture is made, through its object interface: no window system, no global state.
"""

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
PURPLE, YELLOW, SKY, BLACK = "#CC79A7", "#E69F00", "#56B4E9", "#000000"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, BLACK)
DASHES = ("-", "--", ":", "-.")  # a second round through the colours is drawn with the next of these

# Points at 120 dots an inch: a sheet 8 to 11 inches wide, shown at the width of a README, keeps letters of 8 pixels.
TITLE, PANEL_TITLE, LABEL, SMALL = 12.0, 10.5, 10.0, 8.5
DPI = 120
LETTER = 0.1  # inches, the width of a title's letter
WIDEST = 11.0  # inches; a title that needs more is broken into lines
MARKED = 40  # beyond so many points a mark for each would make a line of marks
LOGARITHMIC = 30.0
STRIP = 0.22  # inches at the foot of a sheet that has a note


def colour(number: int) -> str:
    """The colour of the line or class of that number, from 0; they come round again after the last."""
    return COLOURS[number % len(COLOURS)]


def dash(number: int) -> str:
    """The line style that tells line `number` from the earlier ones of its colour."""
    return DASHES[number // len(COLOURS) % len(DASHES)]


def sheet(
    count: int, *, columns: int, size: tuple[float, float], title: str | None, note: str | None = None
) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels in rows of `columns`; size: of one panel, (width, height) in inches.

    Wider if the title needs it. Places that remain in the last row stay empty. ValueError if there is nothing to show.
    """
    from matplotlib.figure import Figure

    if count < 1:
        raise ValueError(f"{title or 'the picture'}: nothing to show, expected at least one panel")
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    width = max(size[0] * columns, min(WIDEST, LETTER * len(title or "")))
    lines = textwrap.wrap(title or "", int(width / LETTER))
    height = size[1] * rows + 0.1 + 0.22 * len(lines) + (STRIP if note else 0.0)
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    if note:
        reserve_foot(figure, note)
    if lines:
        figure.suptitle("\n".join(lines), fontsize=TITLE)
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in places[count:]:
        unused.remove()
    return figure, places[:count]


def reserve_foot(figure: "Figure", note: str) -> None:
    """Keep a strip at the foot of the figure free of panels, and write the note at its right end."""
    engine: Any = figure.get_layout_engine()
    share = STRIP / figure.get_figheight()
    engine.set(rect=(0, share, 1, 1 - share))
    figure.text(0.995, 0.2 * share, note, ha="right", va="bottom", fontsize=SMALL, color=GREY, style="italic")


def line_axes(axis: "Axes", *, title: str = "", xlabel: str = "", ylabel: str = "") -> None:
    """Dress a panel of lines: a pale grid behind them, no frame above and to the right."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=SMALL)
    axis.set_title(title, fontsize=PANEL_TITLE)
    axis.set_xlabel(xlabel, fontsize=LABEL)
    axis.set_ylabel(ylabel, fontsize=LABEL)


def scale_by_factors(axis: "Axes") -> None:
    """Make y logarithmic if lines fall by more than LOGARITHMIC: else all but their start would look flat."""
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axis.get_lines()])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > LOGARITHMIC * values.min():
        axis.set_yscale("log")


def picture_axes(axis: "Axes", *, title: str = "") -> None:
    """Dress a panel that is a picture in itself: no ticks, no frame."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=PANEL_TITLE)


def whole_numbers(axis: "Axes") -> None:
    """Let the ticks along x be whole numbers: there is no epoch 2.5."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def signed_colours() -> "Colormap":
    """From blue (below 0) through white (0) to orange (above); what is not a number is pale grey."""
    return _colours("signed", (BLUE, "#FFFFFF", ORANGE))


def growing_colours() -> "Colormap":
    """From white (least) to dark blue (most); what is not a number is pale grey."""
    return _colours("growing", ("#FFFFFF", "#9CCBE8", BLUE, "#003A5C"))


def _colours(name: str, stops: tuple[str, ...]) -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, stops).with_extremes(bad="#E6E6E6")


def ink(background: Any) -> str:
    """Black or white, whichever reads better on a colour given as (red, green, blue, ...), each 0 to 1."""
    return BLACK if np.dot(background[:3], (0.299, 0.587, 0.114)) > 0.5 else "#FFFFFF"


def save(figure: "Figure", path: str | Path) -> None:
    """Write the figure as a PNG file, whole or not at all. FileFormatError if the path cannot be written."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
