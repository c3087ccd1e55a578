"""Words in the plane: the directions in which their vectors differ most."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.style import BLACK, BLUE, GREY, SMALL, line_axes, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Where a word may stand: from its dot, in pixels at 120 dots an inch, nearest first; beyond NEAR with a line to it.
DISTANCES = (5.0, 12.0, 22.0, 34.0)
NEAR = 5.0
LETTERS = 8.0  # points
APART = 3.0  # pixels between words in one line
DIRECTIONS = (
    *((1, 0), (-1, 0), (0, 1), (0, -1)),
    *((0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)),
    *((0.9, 0.4), (-0.9, 0.4), (0.9, -0.4), (-0.9, -0.4), (0.4, 0.9), (-0.4, 0.9), (0.4, -0.9), (-0.4, -0.9)),
)

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels


def embedding_map(vectors: np.ndarray, words: Sequence[str], title: str, *, note: str | None = None) -> "Figure":
    """The vectors (V, D) in the plane of their first two principal components, with as many words as fit.

    A word is written where it covers no other, the first ones first; those without room are dots, and counted.
    ValueError if there are not as many words as vectors, or fewer than two of either.
    """
    vectors = np.asarray(vectors, np.float64)
    if len(vectors) != len(words) or len(words) < 2 or vectors.ndim != 2:
        raise ValueError(f"embedding_map: vectors {vectors.shape} for {len(words)} words, expected (V, D), V from 2")
    places, shares = principal_plane(vectors)
    figure, (axis,) = sheet(1, columns=1, size=(10.0, 8.0), title=title, note=note)
    names = [
        f"{rank} component, {100 * share:.0f} % of the variance" for rank, share in zip(RANKS, shares, strict=True)
    ]
    line_axes(axis, xlabel=names[0], ylabel=names[1])
    axis.plot(places[:, 0], places[:, 1], ".", color=BLUE, markersize=4, alpha=0.8)
    axis.margins(0.06)
    remark = axis.set_title(" ", fontsize=SMALL, color=GREY, loc="right")
    written = _write(figure, axis, places, words)
    if written < len(words):
        remark.set_text(f"{written} of {len(words)} words written, the others had no room")
    return figure


RANKS = ("first", "second")


def principal_plane(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (V, 2) along the first two principal components, and their shares of the variance (2,).

    The sign of each is such that its largest coordinate is positive, so that equal vectors give equal pictures.
    """
    centred = vectors - vectors.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    u, s = (np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, max(0, 2 - len(s)))]) for array in (u, s))
    places = u[:, :2] * s[:2]
    signs = np.sign(places[np.abs(places).argmax(axis=0), (0, 1)])
    total = (s**2).sum()
    return places * np.where(signs == 0, 1, signs), s[:2] ** 2 / (total or 1.0)


def _write(figure: "Figure", axis: "Axes", places: np.ndarray, words: Sequence[str]) -> int:
    """Put the words beside their dots; returns how many found room."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()  # only now is it known where a place of the plane is on the sheet
    dots = axis.transData.transform(places)
    frame = axis.get_window_extent()
    taken = _Taken(dots, (frame.x0, frame.y0, frame.x1, frame.y1))
    written = 0
    for dot, place, word in zip(dots, places, words, strict=True):
        label = axis.annotate(word, place, (0, 0), textcoords="offset pixels", fontsize=LETTERS, color=BLACK)
        extent = label.get_window_extent(canvas.get_renderer())
        found = taken.find(dot, extent.width + APART, extent.height)
        if found is None:
            label.remove()
            continue
        _put(axis, label, dot, found)
        written += 1
    return written


def _put(axis: "Axes", label: Any, dot: np.ndarray, box: Box) -> None:
    """Move a label into its box; from farther off, a thin line leads to the dot."""
    left, bottom, right, top = box
    label.set_position((left - dot[0], bottom - dot[1]))
    nearest = np.clip(dot, (left, bottom), (right, top))
    if np.hypot(*(nearest - dot)) > 1.5 * NEAR:
        ends = axis.transData.inverted().transform([dot, nearest])
        axis.plot(ends[:, 0], ends[:, 1], color=GREY, lw=0.4, zorder=1)


class _Taken:
    """Which parts of the sheet are taken: the dots (V, 2) in pixels, and the boxes of the words so far."""

    def __init__(self, dots: np.ndarray, frame: Box):
        self.dots, self.frame = dots, frame
        self.boxes = np.empty((0, 4))

    def find(self, dot: np.ndarray, width: float, height: float) -> Box | None:
        """The nearest free box of that size beside the dot, which is taken with it; None if there is none."""
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
