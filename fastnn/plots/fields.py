"""Fields of colour: decision boundaries, confusion matrices, tables as heat maps."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.style import BLACK, GREY, LABEL, ORANGE, SMALL, colour, growing_colours, ink, picture_axes, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Predict = Callable[[np.ndarray], np.ndarray]
Panel = tuple[str, Predict, np.ndarray, np.ndarray]

GRID = 240  # places of the plane at which a net is asked, along each axis
MARKERS = "o^sDvP*"  # a class is told by its marker too
PALE = 0.28  # opacity of the regions behind the points
WRITTEN = 20  # a matrix of more rows or columns than this is shown without numbers in its cells


def decision_boundaries(
    panels: Sequence[Panel],
    title: str,
    *,
    columns: int = 3,
    threshold: float | None = None,
    note: str | None = None,
) -> "Figure":
    """One sheet: for each (panel title, predict, x, y) the classes that a net gives to the plane, under the points.

    predict    points (M, 2) float64 -> (M, classes): the largest wins; or (M,), (M, 1): class 1 above `threshold`
    x, y       points (N, 2); labels (N,): 0, 1, ... or, of two classes, −1 and 1
    threshold  None: ½ if all outputs lie from 0 to 1, as probabilities do, else 0
    """
    columns = 2 if len(panels) == 4 and columns > 2 else columns
    figure, axes = sheet(len(panels), columns=columns, size=_panel_size(panels), title=title, note=note)
    for axis, (name, predict, x, y) in zip(axes, panels, strict=True):
        picture_axes(axis, title=name)
        x, y = np.asarray(x, np.float64), np.asarray(y).ravel()
        _regions(axis, predict, x, threshold)
        _scatter(axis, x, (y > 0).astype(int) if y.min(initial=0) < 0 else y.astype(int))
    return figure


def _panel_size(panels: Sequence[Panel]) -> tuple[float, float]:
    """(Width, height) in inches that leave little white around the highest of the planes, under the longest title."""
    ratios = [np.ptp(up) / np.ptp(across) for across, up in (_plane(np.asarray(x)) for _, _, x, _ in panels)]
    lines = max((name.count("\n") + 1 for name, *_ in panels), default=1)
    return 3.3, 3.2 * float(np.clip(max(ratios, default=1.0), 0.4, 1.3)) + 0.19 * lines + 0.1


def _plane(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along each axis, (GRID,) each: the range of the points and as wide a margin on all sides."""
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.12 * (float((high - low).max()) or 1.0)
    across, up = np.linspace(low - margin, high + margin, GRID).T
    return across, up


def _regions(axis: "Axes", predict: Predict, x: np.ndarray, threshold: float | None) -> None:
    """The area of each class in its colour, and the line where two classes are even."""
    across, up = _plane(x)
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    scores = _class_scores(np.asarray(predict(points), np.float64), threshold).reshape(GRID, GRID, -1)
    for number in range(scores.shape[-1]):
        lead = scores[..., number] - np.delete(scores, number, axis=-1).max(axis=-1)
        if not np.nanmax(lead) > 0:
            continue
        axis.contourf(across, up, lead, levels=[0, np.nanmax(lead)], colors=[colour(number)], alpha=PALE, extend="max")
        if np.nanmin(lead) < 0:
            axis.contour(across, up, lead, levels=[0], colors=BLACK, linewidths=1.0)
    axis.set_aspect("equal")


def _class_scores(outputs: np.ndarray, threshold: float | None) -> np.ndarray:
    """(M, classes): as given; of one output per point, its distances from the threshold to either side."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        return outputs
    values = outputs.ravel()
    if threshold is None:
        threshold = 0.5 if ((values >= 0) & (values <= 1)).all() else 0.0
    return np.stack([threshold - values, values - threshold], axis=1)


def _scatter(axis: "Axes", x: np.ndarray, labels: np.ndarray) -> None:
    size = float(np.clip(2500 / max(len(x), 1), 3, 20))
    for number in np.unique(labels):
        own = x[labels == number]
        mark = MARKERS[number % len(MARKERS)]
        axis.scatter(own[:, 0], own[:, 1], s=size, c=colour(number), marker=mark, linewidths=0.4, edgecolors="white")


def confusion_matrix(matrix: np.ndarray, names: Sequence[str], title: str, *, note: str | None = None) -> "Figure":
    """Counts (classes, classes): a row a true class, a column a predicted one; how many were right in the title.

    A cell's colour is its share of its row, on a scale that shows small shares, where the errors are.
    """
    matrix = np.asarray(matrix)
    right, total = int(np.trace(matrix)), int(matrix.sum())
    share = f"{100 * right / total:.2f} % of {total:,} right" if total else "no samples"
    side = float(np.clip(0.5 * len(names) + 1.6, 3.6, 9.0))
    figure, (axis,) = sheet(1, columns=1, size=(side, side - 0.2), title=f"{title}: {share}", note=note)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    _cells(axis, np.sqrt(shares), [[f"{n:,}" if n else "" for n in row] for row in matrix], limits=(0.0, 1.0))
    _cell_names(axis, names, names)
    axis.set_xlabel("predicted", fontsize=LABEL)
    axis.set_ylabel("true", fontsize=LABEL)
    return figure


def heat_map(
    values: np.ndarray,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
    *,
    xlabel: str = "",
    ylabel: str = "",
    form: str = ".3g",
    best: str | None = "max",
    note: str | None = None,
) -> "Figure":
    """A table (rows, columns) as colours, each cell with its value; NaN (a run that diverged) is grey, with a dash.

    form: of the values, as in `format`. best: "max" or "min" frames that cell and makes it the dark end, None neither.
    ValueError if the labels do not fit the values.
    """
    values = np.asarray(values, np.float64)
    if values.shape != (len(row_labels), len(column_labels)):
        raise ValueError(f"heat_map: values {values.shape}, labels for {(len(row_labels), len(column_labels))}")
    size = (max(4.2, 1.0 * len(column_labels) + 1.8), max(2.4, 0.55 * len(row_labels) + 1.2))
    figure, (axis,) = sheet(1, columns=1, size=size, title=title, note=note)
    texts = [[format(value, form) if np.isfinite(value) else "–" for value in row] for row in values]
    _cells(axis, -values if best == "min" else values, texts)
    _cell_names(axis, row_labels, column_labels)
    axis.set_xlabel(xlabel, fontsize=LABEL)
    axis.set_ylabel(ylabel, fontsize=LABEL)
    if best and np.isfinite(values).any():
        _frame(axis, values, best)
    return figure


def _cells(axis: "Axes", values: np.ndarray, texts: list[list[str]], limits: tuple[float, float] | None = None) -> None:
    """One square of colour a value, with its text in ink that can be read on it."""
    low, high = limits or _range(values)
    shades = growing_colours()
    share = (np.where(np.isfinite(values), values, np.nan) - low) / (high - low)
    axis.imshow(np.ma.masked_invalid(share), cmap=shades, vmin=0, vmax=1, aspect="auto")
    if max(values.shape) > WRITTEN:
        return
    for (row, column), value in np.ndenumerate(share):
        background: Any = shades(value) if np.isfinite(value) else (0.9, 0.9, 0.9)
        size = SMALL if max(values.shape) > 12 else LABEL - 0.5
        axis.text(column, row, texts[row][column], ha="center", va="center", fontsize=size, color=ink(background))


def _range(values: np.ndarray) -> tuple[float, float]:
    """Least and largest finite value; a little apart if they are equal, so that there is a scale."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cell_names(axis: "Axes", rows: Sequence[str], columns: Sequence[str]) -> None:
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    axis.set_yticks(range(len(rows)), list(rows), fontsize=LABEL - 0.5)
    slanted = max((len(str(name)) for name in columns), default=0) > 8
    side: Any = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axis.set_xticks(range(len(columns)), list(columns), fontsize=LABEL - 0.5, **side)


def _frame(axis: "Axes", values: np.ndarray, best: str) -> None:
    from matplotlib.patches import Rectangle

    flat = np.nanargmax(values) if best == "max" else np.nanargmin(values)
    row, column = np.unravel_index(flat, values.shape)
    axis.add_patch(Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, fill=False, edgecolor=ORANGE, linewidth=2.2))
    axis.set_title(f"framed: the {'largest' if best == 'max' else 'smallest'}", fontsize=SMALL, color=GREY)
