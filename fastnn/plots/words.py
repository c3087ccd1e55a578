"""Words in the plane of the first two principal components of their vectors."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.text import percent
from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLACK, BLUE, GREY, line_axes, literal, remark, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The distances of a word from its dot that are tried, in pixels; beyond NEAR a line connects the two.
DISTANCES = (5.0, 12.0, 22.0, 34.0)
NEAR = 5.0
LETTERS = 8.0  # font size, in points
APART = 3.0  # pixels between words that stand side by side
CHUNK = 2_000  # dots looked at at once
SHORTEST = 4.0  # pixels: hardly a word is narrower
CROWDED = 4_000  # of more words the dots are smaller
DIRECTIONS = (
    *((1, 0), (-1, 0), (0, 1), (0, -1)),
    *((0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)),
    *((0.9, 0.4), (-0.9, 0.4), (0.9, -0.4), (-0.9, -0.4), (0.4, 0.9), (-0.4, 0.9), (0.4, -0.9), (-0.4, -0.9)),
)
# Where a word may stand, the nearest places first: across and up, in pixels, and the same in directions.
OFFSETS = np.array([(distance * across, distance * up) for distance in DISTANCES for across, up in DIRECTIONS])
SIDES = np.sign(OFFSETS)

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels


@undisturbed
def embedding_map(
    vectors: np.ndarray, words: Sequence[str], title: str, *, note: str | None = None, ax: "Axes | None" = None
) -> "Figure | Any":
    """The vectors in the plane of their first two principal components, with as many of the words as fit.

    Words are written in their order, each where it covers no other word and no dot. A word without room is a dot alone;
    a remark says how many words are written.

    Args:
        vectors: (V, D) numbers.
        words: One for each vector.
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned. Words find their places in the size that it has then.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: For unequal numbers of words and vectors, or fewer than two.

    Examples:
        >>> figure = fn.plots.embedding_map(x, [f"word{i}" for i in range(30)], "thirty words")
    """
    vectors = np.asarray(vectors, np.float64)
    if len(vectors) != len(words) or len(words) < 2 or vectors.ndim != 2:
        raise ValueError(f"embedding_map: vectors {vectors.shape} for {len(words)} words, expected (V, D), V from 2")
    points, fractions = principal_plane(vectors)
    figure, (axis,) = sheet(1, columns=1, size=(10.0, 8.0), title=title, note=note, ax=ax)
    first, second = (f"component, {percent(fraction, 0)} of the variance" for fraction in fractions)
    line_axes(axis, xlabel=f"first {first}", ylabel=f"second {second}")
    crowded = len(words) > CROWDED
    axis.plot(
        points[:, 0], points[:, 1], ".", color=BLUE, markersize=1.5 if crowded else 4, alpha=0.5 if crowded else 0.8
    )
    axis.margins(0.06)
    told = remark(axis, " ")
    written = _write(axis, points, words)
    if written < len(words):
        told.set_text(f"{written:,} of {len(words):,} words written, the others had no room")
    return ax or figure


def principal_plane(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (V, 2) along the first two principal components, and the fraction of the variance of each, (2,).

    The sign of a component is chosen so that its coordinate of largest magnitude is positive: equal vectors then give
    equal pictures.

    Args:
        vectors: (V, D) numbers.
    """
    centred = vectors - vectors.mean(axis=0)
    # The triangular factor has the same singular values and directions, and D rows instead of V.
    _, s, directions = np.linalg.svd(np.linalg.qr(centred, mode="r"), full_matrices=False)
    missing = max(0, 2 - len(s))
    s, directions = np.pad(s, (0, missing)), np.pad(directions, ((0, missing), (0, 0)))
    points = centred @ directions[:2].T
    signs = np.sign(points[np.abs(points).argmax(axis=0), (0, 1)])
    total = (s**2).sum()
    return points * np.where(signs == 0, 1, signs), s[:2] ** 2 / (total or 1.0)


def _write(axis: "Axes", points: np.ndarray, words: Sequence[str]) -> int:
    """Write the words beside their dots where there is room; returns how many were written.

    A thin line connects a distant word with its dot.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure: Any = axis.figure.figure  # the whole one, of a subfigure too
    usual = figure.canvas
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()  # this decides which pixel a point of the plane has
    dots = axis.transData.transform(points)
    frame = axis.get_window_extent()
    taken = _Taken(dots, (frame.x0, frame.y0, frame.x1, frame.y1))
    look: dict[str, Any] = {"textcoords": "offset pixels", "fontsize": LETTERS, "color": BLACK}
    probe = axis.annotate("", (0, 0), (0, 0), **look)
    ends, written = [], 0
    for number, found in _placed(taken, dots, words, lambda text: _extent(probe, text, canvas)):
        dot = dots[number]
        axis.annotate(literal(words[number]), points[number], (found[0] - dot[0], found[1] - dot[1]), **look)
        written += 1
        nearest = np.clip(dot, found[:2], found[2:])
        if np.hypot(*(nearest - dot)) > 1.5 * NEAR:
            ends += [dot, nearest, (np.nan, np.nan)]
    probe.remove()
    figure.set_canvas(usual)  # a user's figure may stand in a window
    if ends:
        axis.plot(*axis.transData.inverted().transform(np.array(ends)).T, color=GREY, lw=0.4, zorder=1)
    return written


def _placed(
    taken: "_Taken", dots: np.ndarray, words: Sequence[str], extent: Callable[[str], tuple[float, float]]
) -> Iterator[tuple[int, Box]]:
    """The number and the box of each word that has room. extent : width and height of a text in pixels"""
    # Of tens of thousands of words most have no room, not even the shortest, which is seen sooner than it is measured.
    shortest = SHORTEST + APART, extent("lg")[1] / 2
    for number in taken.beside_room(dots, *shortest):
        if taken.free(dots[number], *shortest).any():
            width, height = extent(literal(words[number]))
            if (found := taken.find(dots[number], width + APART, height)) is not None:
                yield number, found


def _extent(probe: Any, text: str, canvas: Any) -> tuple[float, float]:
    """Width and height of a text in pixels, written into the label `probe`."""
    probe.set_text(text)
    extent = probe.get_window_extent(canvas.get_renderer())
    return extent.width, extent.height


class _Taken:
    """The areas of the figure that are taken, in pixels: the dots (V, 2), and the boxes of the words written so far."""

    def __init__(self, dots: np.ndarray, frame: Box):
        self.frame = np.array(frame)
        self.boxes = np.empty((0, 4))
        # [y, x]: the dots below and to the left of a pixel. The dots in a box are then a sum of four numbers.
        self.size = np.ceil(self.frame[2:]).astype(int) + 1
        across, up = np.clip(dots.astype(int), 0, self.size - 1).T
        counts = np.zeros((self.size[1] + 1, self.size[0] + 1), np.int64)
        np.add.at(counts, (up + 1, across + 1), 1)
        self.counts = counts.cumsum(axis=0).cumsum(axis=1)

    def find(self, dot: np.ndarray, width: float, height: float) -> Box | None:
        """Take the nearest free box of that size beside the dot and return it; None if there is none."""
        places = _places(dot, width, height)
        free = np.flatnonzero(self.free(dot, width, height))
        if not len(free):
            return None
        box = places[free[0]]
        self.boxes = np.vstack([self.boxes, box])
        left, bottom, right, top = box.tolist()
        return left, bottom, right, top

    def beside_room(self, dots: np.ndarray, width: float, height: float) -> np.ndarray:
        """The numbers of the dots beside which a box of that size would cover no dot."""
        chunks = np.array_split(dots, len(dots) // CHUNK + 1)
        free = [self._without_dots(_places(chunk[:, None], width, height)).any(axis=1) for chunk in chunks]
        return np.flatnonzero(np.concatenate(free))

    def free(self, dot: np.ndarray, width: float, height: float) -> np.ndarray:
        """For each place of a box of that size beside the dot, the nearest first, whether it is free: (n,) bool."""
        places = _places(dot, width, height)
        inside = (places[:, :2] >= self.frame[:2]) & (places[:, 2:] <= self.frame[2:])
        fits = np.asarray(inside.all(axis=1))
        fits[fits] = self._without_dots(places[fits])
        chosen, b = places[fits][:, None], self.boxes
        apart = (b[:, :2] >= chosen[..., 2:]) | (b[:, 2:] <= chosen[..., :2])
        fits[fits] = apart.any(axis=2).all(axis=1)
        return fits

    def _without_dots(self, boxes: np.ndarray) -> np.ndarray:
        """Whether no dot lies in a box or within a pixel of it."""
        left, bottom = np.moveaxis(np.clip(np.floor(boxes[..., :2] - 1).astype(int), 0, self.size), -1, 0)
        right, top = np.moveaxis(np.clip(np.ceil(boxes[..., 2:] + 1).astype(int), 0, self.size), -1, 0)
        c = self.counts
        return np.asarray(c[top, right] - c[bottom, right] - c[top, left] + c[bottom, left] == 0)


def _places(dot: np.ndarray, width: float, height: float) -> np.ndarray:
    """Boxes of a size around a dot, or around each of many (m, 1, 2), the nearest first: (n, 4) or (m, n, 4)."""
    corners = dot + OFFSETS + (SIDES - 1) * (width / 2, height / 2)
    return np.concatenate([corners, corners + np.array((width, height))], axis=-1)
