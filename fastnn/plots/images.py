"""Images and weights in a grid."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.sheet import sheet
from fastnn.plots.style import SMALL, literal, picture_axes, signed_colours, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FINE = 24  # the least width of an image, in pixels of the grid
WIDTH = 8.0  # of a full grid, in inches
GRIDS = (5.4, 4.9)  # each of several grids, in inches
GAP = 0.15  # between images, as a fraction of their width
TILE = (0.45, 1.3)  # the least and the largest width of an image, in inches
# The colour scale ends at this percentile of the magnitudes, so that one outlier does not leave all other weights pale.
WITHIN = 99.8


@undisturbed
def image_grid(
    weights: np.ndarray,
    title: str,
    names: Sequence[str] | None = None,
    *,
    signed: bool = True,
    columns: int | None = None,
    note: str | None = None,
    ax: "Axes | None" = None,
) -> "Figure | Any":
    """Images or weights (n, h, w), or (n, h, w, 3) in colour, in a grid and on one scale.

    Args:
        weights: The images.
        title: Of the figure.
        names: One for each image, written above it.
        signed: True, for weights: 0 is white, larger numbers orange, smaller ones blue; in colour, 0 is mid-grey.
            False, for images: from black (least) to white (largest); in colour as they are, 0–255 if uint8, else 0–1.
        columns: Images in a row; None: about as many as rows.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: For other shapes, no images, or another number of names.

    Examples:
        >>> images = fn.data.generate_digits(6, 1).train.x
        >>> figure = fn.plots.image_grid(images, "digits", signed=False)
    """
    weights = np.asarray(weights)
    if weights.ndim not in (3, 4) or weights.shape[3:] not in ((), (3,)) or not weights.size:
        raise ValueError(f"image_grid: shape {weights.shape}, expected (n, h, w) or (n, h, w, 3), none of them 0")
    if names is not None and len(names) != len(weights):
        raise ValueError(f"image_grid: {len(names)} names for {len(weights)} images")
    columns, unit = columns or _columns(len(weights)), _unit(weights, signed)
    weights = _enlarged(weights)
    size, gap = _size(weights, columns, named=names is not None)
    figure, (axis,) = sheet(1, columns=1, size=size, title=title, note=note, ax=ax)
    picture_axes(axis)
    _draw(figure, axis, _tiled(weights.astype(np.float64), columns, gap), unit, signed)
    for number, name in enumerate(names or ()):
        top, left = _corner(number, weights.shape[1:3], columns, gap)
        place = left + weights.shape[2] / 2, top - 0.1 * gap[0]
        axis.text(*place, literal(name), ha="center", va="bottom", fontsize=SMALL)
    return ax or figure


@undisturbed
def image_grids(
    grids: Mapping[str, np.ndarray], title: str, *, note: str | None = None, figure: "Figure | None" = None
) -> "Figure | Any":
    """Weights (n, h, w) of several nets side by side, each net's on its own scale: 0 is white, as in `image_grid`.

    Args:
        grids: By the name of a net, its weights.
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: For other shapes, no images or no grids.

    Examples:
        >>> weights = model.parameters["dense.w"].T.reshape(-1, 2, 2)
        >>> figure = fn.plots.image_grids({"a": weights, "b": -weights}, "weights")
    """
    if any(np.ndim(weights) != 3 or not np.size(weights) for weights in grids.values()):
        shapes = {name: np.shape(weights) for name, weights in grids.items()}
        raise ValueError(f"image_grids: shapes {shapes}, expected (n, h, w), none of them 0")
    drawn, axes = sheet(len(grids), columns=2, size=GRIDS, title=title, note=note, figure=figure)
    for axis, (name, weights) in zip(axes, grids.items(), strict=True):
        weights, columns = np.asarray(weights, np.float64), _columns(len(weights))
        unit, fine = _unit(weights, True), _enlarged(weights)
        gap = max(1, round(GAP * fine.shape[2]))
        picture_axes(axis, title=name)
        _draw(drawn, axis, _tiled(fine, columns, (gap, gap)), unit, True)
    return drawn if figure is None else axes


@undisturbed
def filters(w: np.ndarray, title: str, *, note: str | None = None, ax: "Axes | None" = None) -> "Figure | Any":
    """The filters of a convolution: w (height, width, channels, filters), as in `Conv2D`.

    Filters of one channel are grey images, those of three are in colour. Else the grid has a row for each channel and a
    column for each filter.

    Args:
        w: (height, width, channels, filters).
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Examples:
        >>> net = fn.Sequential([fn.Conv2D(4, 3), fn.Flatten(), fn.Dense(2)], input_shape=(6, 6, 1))
        >>> figure = fn.plots.filters(net.parameters["conv2d.w"], "filters")
    """
    channels, count = w.shape[2:]
    if channels == 3:
        return image_grid(w.transpose(3, 0, 1, 2), title, note=note, ax=ax)
    tiles = w.transpose(2, 3, 0, 1).reshape(channels * count, *w.shape[:2])
    return image_grid(tiles, title, columns=count if channels > 1 else None, note=note, ax=ax)


def _columns(count: int) -> int:
    """The number of images in a row: about √count or a little more, so that the last row is as full as possible."""
    start = math.ceil(math.sqrt(count))
    return min(range(start, start + max(1, start // 2) + 1), key=lambda columns: -count % columns)


def _enlarged(weights: np.ndarray) -> np.ndarray:
    """Small images with each pixel repeated in both directions, so that the gaps between images can be narrow."""
    times = -(-FINE // weights.shape[2])
    return weights.repeat(times, axis=1).repeat(times, axis=2)


def _size(weights: np.ndarray, columns: int, *, named: bool) -> tuple[tuple[float, float], tuple[int, int]]:
    """(Width, height) of the panel in inches, and the gaps (down, across) between images in pixels."""
    count, height, width = weights.shape[:3]
    tile = float(np.clip(WIDTH / columns, *TILE))
    pixel = tile / width
    gap = max(1, math.ceil(0.17 / pixel)) if named else max(1, round(GAP * width))
    across = max(1, round(GAP * width))
    rows = math.ceil(count / columns)
    bar = 0.9 if weights.ndim == 3 else 0.1  # room for the colour bar
    return (columns * (width + across) * pixel + bar, rows * (height + gap) * pixel + 0.1), (gap, across)


def _unit(weights: np.ndarray, signed: bool) -> float:
    """The value at the end of the scale."""
    if signed:
        return float(np.percentile(np.abs(weights[np.isfinite(weights)]), WITHIN)) or 1.0
    return 255.0 if weights.dtype == np.uint8 and weights.ndim == 4 else 1.0


def _corner(number: int, shape: tuple[int, ...], columns: int, gap: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the grid's pixels at which image `number` begins."""
    row, column = divmod(number, columns)
    return row * (shape[0] + gap[0]) + gap[0], column * (shape[1] + gap[1])


def _tiled(weights: np.ndarray, columns: int, gap: tuple[int, int]) -> np.ndarray:
    """All images in one array, NaN between them."""
    count, height, width = weights.shape[:3]
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap[0]) + gap[0], columns * (width + gap[1]) - gap[1])
    canvas = np.full((*shape, *weights.shape[3:]), np.nan)
    for number, image in enumerate(weights):
        top, left = _corner(number, (height, width), columns, gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def _draw(figure: "Figure", axis: "Axes", canvas: np.ndarray, unit: float, signed: bool) -> None:
    """Show the array of all images; weights that are not in colour have a colour bar."""
    if canvas.ndim == 3:  # in colour, white between the images
        shown = 0.5 + 0.5 * canvas / unit if signed else canvas / unit
        axis.imshow(np.where(np.isnan(canvas), 1.0, np.clip(shown, 0, 1)), interpolation="nearest")
        return
    from matplotlib import colormaps

    shades = (signed_colours() if signed else colormaps["gray"]).with_extremes(bad="white")
    limits: Any = {"vmin": -unit, "vmax": unit} if signed else {}
    image = axis.imshow(np.ma.masked_invalid(canvas), cmap=shades, interpolation="nearest", **limits)
    if signed:
        bar = figure.colorbar(image, ax=axis, shrink=0.7, aspect=22, pad=0.015, extend="both")
        bar.ax.tick_params(labelsize=SMALL)
        bar.outline.set_visible(False)
