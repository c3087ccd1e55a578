"""The style of all figures: colours, font sizes, how panels look; and saving them.

Colour-blind readers can tell the colours apart, too: blue, orange and green are those of Okabe and Ito, the others lie
as far from them and from each other as a search found (tests/plots/test_colours.py has the distances). The pale ones
come last. matplotlib is imported when the first figure is made, and used through its object interface: it opens no
window and has no global state.
"""

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from fastnn.common.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
PURPLE, YELLOW, SKY, BLACK = "#7A1F5C", "#CBBD70", "#66CCEE", "#000000"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, BLACK, YELLOW)
DASHES = ("-", "--", ":", "-.")  # lines that share a colour differ by these

# Font sizes in points. A figure 8 to 11 inches wide, shown as wide as a README, then has letters 8 pixels high.
TITLE, PANEL_TITLE, LABEL, SMALL = 12.0, 10.5, 10.0, 8.5
MARKED = 40  # lines of more points have no marks
LOGARITHMIC = 30.0  # the ratio of largest to least value from which on a scale is logarithmic


def colour(number: int) -> str:
    """The colour of line or class `number`, from 0; after the last colour they repeat."""
    return COLOURS[number % len(COLOURS)]


def numbers_of(labels: Iterable[str], given: Mapping[str, int] | None) -> dict[str, int]:
    """By label, the number of its colour and dash: the one given, else its place among the labels."""
    return {label: (given or {}).get(label, number) for number, label in enumerate(labels)}


def dash(number: int) -> str:
    """The line style of line `number`, which differs from those of earlier lines of the same colour."""
    return DASHES[number // len(COLOURS) % len(DASHES)]


def undisturbed(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw whatever the user has made of NumPy's errors and of warnings: a letter that the font lacks ends nothing."""

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> T:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return draw(*given, **named)

    return drawn


def literal(text: Any) -> str:
    """A text as matplotlib writes it unchanged: it would read what stands between two dollars as a formula.

    What is no character, as in the name of a file that is no UTF-8, is written as a question mark.
    """
    return str(text).encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")


def shortened(name: Any, most: int) -> str:
    """A name in at most `most` letters. A longer one keeps its beginning and its end, which may tell it from others."""
    text, end = str(name), most // 3
    return text if len(text) <= most else f"{text[: most - 1 - end].rstrip()}…{text[-end:].lstrip()}"


def entry(label: Any) -> str:
    """A label as a legend writes it unchanged: it would leave out those that are empty or begin with _."""
    text = literal(label)
    return f" {text}" if text[:1] in ("", "_") else text


def line_axes(axis: "Axes", *, title: str = "", xlabel: str = "", ylabel: str = "") -> None:
    """Prepare a panel for lines: a pale grid behind them, no frame above and to the right."""
    from fastnn.plots.ticks import prepare

    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
    prepare(axis)
    axis.tick_params(labelsize=SMALL)
    panel_title(axis, title)
    axis.set_xlabel(literal(xlabel), fontsize=LABEL)
    axis.set_ylabel(literal(ylabel), fontsize=LABEL)


def scale_by_factors(axis: "Axes", *, but_zeros: bool = False) -> None:
    """Make y logarithmic if the lines span a factor above LOGARITHMIC: or most of them would look flat.

    but_zeros : whether values that are exactly 0 are left out, as the losses of a few steps may be
    """
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axis.get_lines()] or [np.zeros(0)])
    values = values[np.isfinite(values) & ~(but_zeros & (values == 0))]
    if values.size and values.min() > 0 and values.max() > LOGARITHMIC * values.min():
        axis.set_yscale("log", nonpositive="mask")


def picture_axes(axis: "Axes", *, title: str = "") -> None:
    """Prepare a panel for an image: no ticks, no frame."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    panel_title(axis, title)


def panel_title(axis: "Axes", title: str) -> None:
    """Write the title of a panel, if there is one: a user's axes may have that of the picture."""
    if title:
        axis.set_title(literal(title), fontsize=PANEL_TITLE)


def remark(axis: "Axes", text: str) -> Any:
    """Write a small text above a panel at its right end, below the title if it has one; returns matplotlib's text."""
    if title := axis.get_title():
        axis.set_title(f"{title}\n", fontsize=PANEL_TITLE)
    return axis.set_title(text, fontsize=SMALL, color=GREY, loc="right")


def whole_number_ticks(axis: "Axes") -> None:
    """Put the ticks of x at whole numbers."""
    from fastnn.plots.ticks import at_whole_numbers

    at_whole_numbers(axis)


def signed_colours() -> "Colormap":
    """The colour map of signed numbers: blue below 0, white at 0, orange above; NaN is pale grey."""
    return _colours("signed", (BLUE, "#FFFFFF", ORANGE))


def growing_colours() -> "Colormap":
    """The colour map from white (least) to dark blue (largest); NaN is pale grey."""
    return _colours("growing", ("#FFFFFF", "#9CCBE8", BLUE, "#003A5C"))


def _colours(name: str, stops: tuple[str, ...]) -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, stops).with_extremes(bad="#E6E6E6")


def ink(background: Any) -> str:
    """Black or white: the one that is easier to read on a background (red, green, blue, ...), each 0 to 1."""
    return BLACK if np.dot(background[:3], (0.299, 0.587, 0.114)) > 0.5 else "#FFFFFF"


@undisturbed
def save(figure: "Figure", path: str | Path) -> None:
    """Write the figure as a PNG file, whole or not at all.

    Args:
        figure: A matplotlib Figure.
        path: The file; one that is there is replaced.

    Raises:
        FileFormatError: If the path cannot be written.

    Examples:
        >>> fn.plots.save(fn.plots.points(x[:, :2], y, "points"), "points.png")
    """
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
