"""Words in the plane of the first two principal components of their vectors."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.text import percent
from fastnn.plots.style import BLACK, BLUE, GREY, SMALL, line_axes, literal, sheet, undisturbed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The distances of a word from its dot that are tried, in pixels; beyond NEAR a line connects the two.
DISTANCES = (5.0, 12.0, 22.0, 34.0)
NEAR = 5.0
LETTERS = 8.0  # font size, in points
APART = 3.0  # pixels between words that stand side by side
DIRECTIONS = (
    *((1, 0), (-1, 0), (0, 1), (0, -1)),
    *((0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)),
    *((0.9, 0.4), (-0.9, 0.4), (0.9, -0.4), (-0.9, -0.4), (0.4, 0.9), (-0.4, 0.9), (0.4, -0.9), (-0.4, -0.9)),
)

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels


@undisturbed
def embedding_map(vectors: np.ndarray, words: Sequence[str], title: str, *, note: str | None = None) -> "Figure":
    """The vectors (V, D) in the plane of their first two principal components, with as many of the V words as fit.

    Words are written in their order, each where it covers no other word and no dot. A word without room is a dot alone;
    a remark says how many words are written. Raises ValueError for unequal numbers of words and vectors, or fewer than
    two.
    """
    vectors = np.asarray(vectors, np.float64)
    if len(vectors) != len(words) or len(words) < 2 or vectors.ndim != 2:
        raise ValueError(f"embedding_map: vectors {vectors.shape} for {len(words)} words, expected (V, D), V from 2")
    points, fractions = principal_plane(vectors)
    figure, (axis,) = sheet(1, columns=1, size=(10.0, 8.0), title=title, note=note)
    first, second = (f"component, {percent(fraction, 0)} of the variance" for fraction in fractions)
    line_axes(axis, xlabel=f"first {first}", ylabel=f"second {second}")
    axis.plot(points[:, 0], points[:, 1], ".", color=BLUE, markersize=4, alpha=0.8)
    axis.margins(0.06)
    remark = axis.set_title(" ", fontsize=SMALL, color=GREY, loc="right")
    written = _write(figure, axis, points, words)
    if written < len(words):
        remark.set_text(f"{written} of {len(words)} words written, the others had no room")
    return figure


def principal_plane(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (V, 2) along the first two principal components, and the fraction of the variance of each, (2,).

    The sign of a component is chosen so that its coordinate of largest magnitude is positive: equal vectors then give
    equal pictures.
    """
    centred = vectors - vectors.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    u, s = (np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, max(0, 2 - len(s)))]) for array in (u, s))
    points = u[:, :2] * s[:2]
    signs = np.sign(points[np.abs(points).argmax(axis=0), (0, 1)])
    total = (s**2).sum()
    return points * np.where(signs == 0, 1, signs), s[:2] ** 2 / (total or 1.0)


def _write(figure: "Figure", axis: "Axes", points: np.ndarray, words: Sequence[str]) -> int:
    """Write the words beside their dots where there is room; returns how many were written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()  # this decides which pixel a point of the plane has
    dots = axis.transData.transform(points)
    frame = axis.get_window_extent()
    taken = _Taken(dots, (frame.x0, frame.y0, frame.x1, frame.y1))
    written = 0
    for dot, point, word in zip(dots, points, words, strict=True):
        label = axis.annotate(literal(word), point, (0, 0), textcoords="offset pixels", fontsize=LETTERS, color=BLACK)
        extent = label.get_window_extent(canvas.get_renderer())
        found = taken.find(dot, extent.width + APART, extent.height)
        if found is None:
            label.remove()
            continue
        _put(axis, label, dot, found)
        written += 1
    return written


def _put(axis: "Axes", label: Any, dot: np.ndarray, box: Box) -> None:
    """Move a label into its box. A thin line connects a distant box with the dot."""
    left, bottom, right, top = box
    label.set_position((left - dot[0], bottom - dot[1]))
    nearest = np.clip(dot, (left, bottom), (right, top))
    if np.hypot(*(nearest - dot)) > 1.5 * NEAR:
        ends = axis.transData.inverted().transform([dot, nearest])
        axis.plot(ends[:, 0], ends[:, 1], color=GREY, lw=0.4, zorder=1)


class _Taken:
    """The areas of the figure that are taken, in pixels: the dots (V, 2), and the boxes of the words written so far."""

    def __init__(self, dots: np.ndarray, frame: Box):
        self.dots, self.frame = dots, frame
        self.boxes = np.empty((0, 4))

    def find(self, dot: np.ndarray, width: float, height: float) -> Box | None:
        """Take the nearest free box of that size beside the dot and return it; None if there is none."""
        for box in _candidates(dot, width, height):
            if self._is_free(box, dot):
                self.boxes = np.vstack([self.boxes, box])
                return box
        return None

    def _is_free(self, box: Box, dot: np.ndarray) -> bool:
        left, bottom, right, top = box
        if left < self.frame[0] or bottom < self.frame[1] or right > self.frame[2] or top > self.frame[3]:
            return False
        b = self.boxes
        if ((b[:, 0] < right) & (b[:, 2] > left) & (b[:, 1] < top) & (b[:, 3] > bottom)).any():
            return False
        x, y = self.dots[:, 0], self.dots[:, 1]
        covered = (x > left - 1) & (x < right + 1) & (y > bottom - 1) & (y < top + 1)
        return not covered.any()


def _candidates(dot: np.ndarray, width: float, height: float) -> Iterator[Box]:
    """Boxes of a size around a dot, the nearest first."""
    for distance in DISTANCES:
        for across, up in DIRECTIONS:
            x = dot[0] + distance * across + (np.sign(across) - 1) * width / 2
            y = dot[1] + distance * up + (np.sign(up) - 1) * height / 2
            yield (x, y, x + width, y + height)
