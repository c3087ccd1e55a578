"""Coloured planes: points of classes, and the regions that models assign to them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLACK, colour, picture_axes, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Predict = Callable[[np.ndarray], np.ndarray]
Panel = tuple[str, Predict, np.ndarray, np.ndarray]

GRID = 240  # the number of points along each axis at which a model predicts the class
MARKERS = "o^sDvP*"  # classes differ by marker as well as by colour
ALONE = 6.5  # the width of a single plane, in inches
PALE = 0.28  # opacity of the regions behind the points


@undisturbed
def decision_boundaries(
    panels: Sequence[Panel],
    title: str,
    *,
    columns: int = 3,
    threshold: float | None = None,
    outline: np.ndarray | None = None,
    note: str | None = None,
    ax: "Axes | None" = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """The regions of the plane that models assign to each class, with the data points on top; one panel for each model.

    A single panel is larger than one of several.

    Args:
        panels: (title, predict, x, y) for each panel. `predict` is a function of points (M, 2) float64. It returns (M,
            classes), where the largest number wins, or (M,) or (M, 1), where a number above `threshold` means class 1.
            x and y are points (N, 2), and their labels (N,): 0, 1, ..., or −1 and 1 for two classes.
        title: Of the figure.
        columns: Panels in a row.
        threshold: None: ½ if all outputs are from 0 to 1, as probabilities are, else 0.
        outline: Points (M, 2) of a line that is drawn dashed in every panel, as of the true border.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes for a single panel; it is returned.
        figure: A matplotlib Figure or SubFigure for several panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no panels.

    Examples:
        >>> data = fn.data.generate_moons(40)
        >>> net = fn.Sequential([fn.Dense(8, "tanh"), fn.Dense(2)], input_shape=2)
        >>> panels = [("a net", net.predict, data.train.x, data.train.y)]
        >>> figure = fn.plots.decision_boundaries(panels, "moons")
    """
    columns = 2 if len(panels) == 4 and columns > 2 else columns
    drawn, axes = sheet(
        len(panels), columns=columns, size=_panel_size(panels), title=title, note=note, ax=ax, figure=figure
    )
    for axis, (name, predict, x, y) in zip(axes, panels, strict=True):
        picture_axes(axis, title="" if ax is not None and title else name)
        x, y = np.asarray(x, np.float64), np.asarray(y).ravel()
        _regions(axis, predict, x, threshold)
        _scatter(axis, x, (y > 0).astype(int) if y.min(initial=0) < 0 else y.astype(int))
        if outline is not None:
            axis.plot(*np.asarray(outline, np.float64).T, color=BLACK, ls="--", lw=1.4)
    return ax or (drawn if figure is None else axes)


@undisturbed
def points(
    x: np.ndarray, y: np.ndarray, title: str, *, note: str | None = None, ax: "Axes | None" = None
) -> "Figure | Any":
    """Points of the plane alone, in the colours and marks of their labels, as in `decision_boundaries`.

    Args:
        x: Points (N, 2).
        y: Labels (N,).
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Examples:
        >>> data = fn.data.generate_moons(40)
        >>> figure = fn.plots.points(data.train.x, data.train.y, "moons")
    """
    figure, (axis,) = sheet(1, columns=1, size=(5.2, 4.4), title=title, note=note, ax=ax)
    picture_axes(axis)
    _scatter(axis, np.asarray(x, np.float64), np.asarray(y).ravel().astype(int))
    axis.set_aspect("equal")
    return ax or figure


def _panel_size(panels: Sequence[Panel]) -> tuple[float, float]:
    """(Width, height) of a panel in inches, with room for the highest plane and for the longest title."""
    ratios = [np.ptp(up) / np.ptp(across) for across, up in (plane(np.asarray(x), GRID) for _, _, x, _ in panels)]
    lines = max((name.count("\n") + 1 for name, *_ in panels), default=1)
    width = 3.3 if len(panels) > 1 else ALONE
    return width, (width - 0.1) * float(np.clip(max(ratios, default=1.0), 0.4, 1.3)) + 0.19 * lines + 0.1


def plane(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along each axis, (count,) each: the range of the points and an equal margin on all sides."""
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.12 * (float((high - low).max()) or 1.0)
    across, up = np.linspace(low - margin, high + margin, count).T
    return across, up


def grid(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """All points (M, 2) of a plane with these coordinates, row after row."""
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)


def _regions(axis: "Axes", predict: Predict, x: np.ndarray, threshold: float | None) -> None:
    """Draw the region of each class in its colour, and the boundaries between regions."""
    across, up = plane(x, GRID)
    scores = _class_scores(np.asarray(predict(grid(across, up)), np.float64), threshold).reshape(GRID, GRID, -1)
    for number in range(scores.shape[-1]):
        lead = scores[..., number] - np.delete(scores, number, axis=-1).max(axis=-1)
        if not np.nanmax(lead) > 0:
            continue
        axis.contourf(across, up, lead, levels=[0, np.nanmax(lead)], colors=[colour(number)], alpha=PALE, extend="max")
        if np.nanmin(lead) < 0:
            axis.contour(across, up, lead, levels=[0], colors=BLACK, linewidths=1.0)
    axis.set_aspect("equal")


def _class_scores(outputs: np.ndarray, threshold: float | None) -> np.ndarray:
    """Scores (M, classes), the largest wins; for one output per point, threshold − output and output − threshold."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        return outputs
    values = outputs.ravel()
    if threshold is None:
        threshold = 0.5 if ((values >= 0) & (values <= 1)).all() else 0.0
    return np.stack([threshold - values, values - threshold], axis=1)


def _scatter(axis: "Axes", x: np.ndarray, labels: np.ndarray) -> None:
    size = float(np.clip(2500 / max(len(x), 1), 3, 20))
    for number in np.unique(labels):
        points = x[labels == number]
        mark = MARKERS[number % len(MARKERS)]
        axis.scatter(
            points[:, 0], points[:, 1], s=size, c=colour(number), marker=mark, linewidths=0.4, edgecolors="white"
        )
