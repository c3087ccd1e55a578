"""Coloured tables: confusion matrices and heat maps."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.text import percent, with_minus
from fastnn.plots.sheet import sheet
from fastnn.plots.style import LABEL, ORANGE, SMALL, growing_colours, ink, literal, remark, shortened, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 24  # letters of a name beside a row or below a column
MOST_DECIMALS = 5  # of a number without an exponent
EDGE = "#cccccc"  # around a heat map
WRITTEN = 20  # cells have no numbers in them if a matrix has more rows or columns


@undisturbed
def confusion_matrix(
    matrix: np.ndarray, names: Sequence[str], title: str, *, note: str | None = None, ax: "Axes | None" = None
) -> "Figure | Any":
    """Counts (classes, classes) of samples: row i, column j holds those of class i that were predicted as class j.

    The title ends with the accuracy. The colour of a cell is its fraction of the row, on a square-root scale, which
    makes small fractions visible: those are the errors.

    Args:
        matrix: (classes, classes) whole numbers.
        names: Of the classes.
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Examples:
        >>> figure = fn.plots.confusion_matrix(np.array([[9, 1], [2, 8]]), ["cat", "car"], "a net")
    """
    matrix = np.asarray(matrix)
    right, total = int(np.trace(matrix)), int(matrix.sum())
    accuracy = f"{percent(right / total)} of {total:,} right" if total else "no samples"
    side = float(np.clip(0.5 * len(names) + 1.6, 3.6, 9.0))
    figure, (axis,) = sheet(1, columns=1, size=(side, side - 0.2), title=f"{title}: {accuracy}", note=note, ax=ax)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    _cells(axis, np.sqrt(fractions), [[f"{n:,}" if n else "" for n in row] for row in matrix], limits=(0.0, 1.0))
    _cell_names(axis, names, names)
    axis.set_xlabel("predicted", fontsize=LABEL)
    axis.set_ylabel("true", fontsize=LABEL)
    return ax or figure


@undisturbed
def heat_map(
    values: np.ndarray,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
    *,
    xlabel: str = "",
    ylabel: str = "",
    form: str | None = None,
    best: str | None = "max",
    note: str | None = None,
    ax: "Axes | None" = None,
) -> "Figure | Any":
    """A table (rows, columns) of values as colours, with each value in its cell.

    A value that is not finite, such as that of a run that diverged, is a dash on grey.

    Args:
        values: (rows, columns) numbers.
        row_labels: One for each row.
        column_labels: One for each column.
        title: Of the figure.
        xlabel: What the columns are.
        ylabel: What the rows are.
        form: The format of the values, such as ".3g"; None: three digits of the largest, and as many decimals of all.
        best: "max" or "min": the cell with that value has a frame and the darkest colour; None: no frame, dark is
            large.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are not as many labels as rows and columns.

    Examples:
        >>> accuracies = np.array([[0.91, 0.95], [0.89, 0.97]])
        >>> figure = fn.plots.heat_map(accuracies, ["16", "64"], ["0.1", "0.01"], "units and rates")
    """
    values = np.asarray(values, np.float64)
    if values.shape != (len(row_labels), len(column_labels)):
        raise ValueError(f"heat_map: values {values.shape}, labels for {(len(row_labels), len(column_labels))}")
    size = (max(4.2, 1.0 * len(column_labels) + 1.8), max(2.4, 0.55 * len(row_labels) + 1.2))
    figure, (axis,) = sheet(1, columns=1, size=size, title=title, note=note, ax=ax)
    form = _common_form(values) if form is None else form
    texts = [[with_minus(format(value, form)) if np.isfinite(value) else "–" for value in row] for row in values]
    _cells(axis, -values if best == "min" else values, texts)
    _cell_names(axis, row_labels, column_labels)
    axis.spines[:].set(visible=True, color=EDGE)  # the lightest cells are white
    axis.set_xlabel(literal(xlabel), fontsize=LABEL)
    axis.set_ylabel(literal(ylabel), fontsize=LABEL)
    if best and np.isfinite(values).any():
        _frame(axis, values, best)
    return ax or figure


def _common_form(values: np.ndarray) -> str:
    """A format with the same decimals for all values: three digits of the largest, none where all are whole.

    Where some are much larger than others: three digits of each.
    """
    finite = values[np.isfinite(values)]
    sizes = np.abs(finite[finite != 0])
    largest = sizes.max(initial=0)
    if largest and largest < 1_000_000:
        decimals = 2 - math.floor(math.log10(largest))
        if (finite == np.round(finite)).all():
            return ",.0f"
        if largest <= 100 * sizes.min() and decimals <= MOST_DECIMALS:
            return f",.{max(decimals, 0)}f"
    return ".3g"


def _cells(axis: "Axes", values: np.ndarray, texts: list[list[str]], limits: tuple[float, float] | None = None) -> None:
    """Draw a coloured cell for each value, with its text in black or white."""
    low, high = limits or _range(values)
    shades = growing_colours()
    scaled = (np.where(np.isfinite(values), values, np.nan) - low) / (high - low)
    axis.imshow(np.ma.masked_invalid(scaled), cmap=shades, vmin=0, vmax=1, aspect="auto")
    if max(values.shape) > WRITTEN:
        return
    for (row, column), value in np.ndenumerate(scaled):
        background: Any = shades(value) if np.isfinite(value) else (0.9, 0.9, 0.9)
        size = SMALL if max(values.shape) > 12 else LABEL - 0.5
        text = literal(texts[row][column])
        axis.text(column, row, text, ha="center", va="center", fontsize=size, color=ink(background))


def _range(values: np.ndarray) -> tuple[float, float]:
    """Least and largest finite value; if they are equal, ½ below and above, so that there is a scale."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cell_names(axis: "Axes", rows: Sequence[str], columns: Sequence[str]) -> None:
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    rows, columns = ([shortened(name, LONGEST) for name in names] for names in (rows, columns))
    axis.set_yticks(range(len(rows)), list(map(literal, rows)), fontsize=LABEL - 0.5)
    slanted = max(map(len, columns), default=0) > 8
    side: Any = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axis.set_xticks(range(len(columns)), list(map(literal, columns)), fontsize=LABEL - 0.5, **side)


def _frame(axis: "Axes", values: np.ndarray, best: str) -> None:
    from matplotlib.patches import Rectangle

    finite = np.where(np.isfinite(values), values, np.nan)
    flat = np.nanargmax(finite) if best == "max" else np.nanargmin(finite)
    row, column = np.unravel_index(flat, values.shape)
    axis.add_patch(Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, fill=False, edgecolor=ORANGE, linewidth=2.2))
    remark(axis, f"framed: the {'largest' if best == 'max' else 'smallest'}")
