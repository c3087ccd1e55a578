"""Weights and filters as pictures, in a grid."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.style import SMALL, picture_axes, sheet, signed_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FINE = 24  # the least width of a picture in pixels of the grid
WIDTH = 8.0  # inches, of a full grid
GAP = 0.15  # between pictures, of the width of one
TILE = (0.45, 1.3)  # inches, the least and the largest side of one picture
# The scale ends at this share of the magnitudes, so that one stray weight does not leave all others pale.
WITHIN = 99.8


def image_grid(
    weights: np.ndarray,
    title: str,
    names: Sequence[str] | None = None,
    *,
    signed: bool = True,
    columns: int | None = None,
    note: str | None = None,
) -> "Figure":
    """Pictures (n, h, w), or (n, h, w, 3) in colour, all on one scale, under their names if given.

    signed   weights: white is 0, orange above, blue below, as far on both sides; in colour, mid-grey is 0
             False: pictures, from black (least) to white; in colour as they are, 0–255 if uint8, else 0–1
    columns  pictures in a row; None: about as many as rows
    ValueError for other shapes, no pictures, or names that are not as many.
    """
    weights = np.asarray(weights)
    if weights.ndim not in (3, 4) or weights.shape[3:] not in ((), (3,)) or not weights.size:
        raise ValueError(f"image_grid: shape {weights.shape}, expected (n, h, w) or (n, h, w, 3), none of them 0")
    if names is not None and len(names) != len(weights):
        raise ValueError(f"image_grid: {len(names)} names for {len(weights)} pictures")
    columns, unit = columns or _columns(len(weights)), _unit(weights, signed)
    weights = _enlarged(weights)
    size, gap = _size(weights, columns, named=names is not None)
    figure, (axis,) = sheet(1, columns=1, size=size, title=title, note=note)
    picture_axes(axis)
    _draw(figure, axis, _tiled(weights.astype(np.float64), columns, gap), unit, signed)
    for number, name in enumerate(names or ()):
        top, left = _corner(number, weights.shape[1:3], columns, gap)
        axis.text(left + weights.shape[2] / 2, top - 0.1 * gap[0], name, ha="center", va="bottom", fontsize=SMALL)
    return figure


def filters(w: np.ndarray, title: str, *, note: str | None = None) -> "Figure":
    """The filters of a convolution, w: (height, width, channels, filters), as `Conv2D` keeps them.

    Of one channel or three a picture each; of more, a row for each channel, a column for each filter.
    """
    channels, count = w.shape[2:]
    if channels == 3:
        return image_grid(w.transpose(3, 0, 1, 2), title, note=note)
    tiles = w.transpose(2, 3, 0, 1).reshape(channels * count, *w.shape[:2])
    return image_grid(tiles, title, columns=count if channels > 1 else None, note=note)


def _columns(count: int) -> int:
    """A little more pictures in a row than rows; the number near that which leaves the last row fullest."""
    start = math.ceil(math.sqrt(count))
    return min(range(start, start + max(1, start // 2) + 1), key=lambda columns: -count % columns)


def _enlarged(weights: np.ndarray) -> np.ndarray:
    """Each pixel of small pictures as a square of several, so that the gaps between pictures can be narrow."""
    times = -(-FINE // weights.shape[2])
    return weights.repeat(times, axis=1).repeat(times, axis=2)


def _size(weights: np.ndarray, columns: int, *, named: bool) -> tuple[tuple[float, float], tuple[int, int]]:
    """(Width, height) of the panel in inches, and the gap (down, across) between pictures in their pixels."""
    count, height, width = weights.shape[:3]
    tile = float(np.clip(WIDTH / columns, *TILE))
    pixel = tile / width
    gap = max(1, math.ceil(0.17 / pixel)) if named else max(1, round(GAP * width))
    across = max(1, round(GAP * width))
    rows = math.ceil(count / columns)
    bar = 0.9 if weights.ndim == 3 else 0.1  # at the right, the bar of colours
    return (columns * (width + across) * pixel + bar, rows * (height + gap) * pixel + 0.1), (gap, across)


def _unit(weights: np.ndarray, signed: bool) -> float:
    """The value at the end of the scale."""
    if signed:
        return float(np.percentile(np.abs(weights[np.isfinite(weights)]), WITHIN)) or 1.0
    return 255.0 if weights.dtype == np.uint8 and weights.ndim == 4 else 1.0


def _corner(number: int, shape: tuple[int, ...], columns: int, gap: tuple[int, int]) -> tuple[int, int]:
    """Row and column, in the grid's pixels, at which picture `number` begins."""
    row, column = divmod(number, columns)
    return row * (shape[0] + gap[0]) + gap[0], column * (shape[1] + gap[1])


def _tiled(weights: np.ndarray, columns: int, gap: tuple[int, int]) -> np.ndarray:
    """All pictures in one array, NaN between them."""
    count, height, width = weights.shape[:3]
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap[0]) + gap[0], columns * (width + gap[1]) - gap[1])
    canvas = np.full((*shape, *weights.shape[3:]), np.nan)
    for number, picture in enumerate(weights):
        top, left = _corner(number, (height, width), columns, gap)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def _draw(figure: "Figure", axis: "Axes", canvas: np.ndarray, unit: float, signed: bool) -> None:
    """Show the array of all pictures; weights without colour get a bar that tells their values."""
    if canvas.ndim == 3:  # in colour; what lies between is white
        shown = 0.5 + 0.5 * canvas / unit if signed else canvas / unit
        axis.imshow(np.where(np.isnan(canvas), 1.0, np.clip(shown, 0, 1)), interpolation="nearest")
        return
    from matplotlib import colormaps

    shades = (signed_colours() if signed else colormaps["gray"]).with_extremes(bad="white")
    limits: Any = {"vmin": -unit, "vmax": unit} if signed else {}
    picture = axis.imshow(np.ma.masked_invalid(canvas), cmap=shades, interpolation="nearest", **limits)
    if signed:
        bar = figure.colorbar(picture, ax=axis, shrink=0.7, aspect=22, pad=0.015, extend="both")
        bar.ax.tick_params(labelsize=SMALL)
        bar.outline.set_visible(False)
