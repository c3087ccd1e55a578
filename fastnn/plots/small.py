"""A small curve as an SVG picture inside HTML: what a notebook shows while a net is trained, without matplotlib."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from fastnn.common.text import loss_text
from fastnn.plots.style import BLUE, LOGARITHMIC, ORANGE

WIDTH, HEIGHT = 460, 150
LEFT, RIGHT = 62, WIDTH - 76  # of the frame, in pixels; numbers stand at its left, names at its right
TOP, BOTTOM = 12, HEIGHT - 24
APART = 13  # pixels between two names
GREY = "#888"  # legible on white and on black
SHADES = (BLUE, ORANGE)

Points = tuple[np.ndarray, np.ndarray]


def small_curve(lines: Mapping[str, Points], xlabel: str, ends: tuple[float, float]) -> str:
    """An HTML image of one line or two over the same x; nothing if no value is finite.

    lines : name -> x and y; values that are not finite are left out
    ends  : the first and the last x of the axis; points that are means of neighbours do not reach them

    y is logarithmic if the values span decades.
    """
    known = {name: (x[np.isfinite(y)], y[np.isfinite(y)]) for name, (x, y) in lines.items() if np.isfinite(y).any()}
    if not known:
        return ""
    frame = _Frame.of([y for _, y in known.values()], *ends)
    parts = [*frame.drawn(xlabel)]
    heights = _apart([frame.up(y[-1:])[0] for _, y in known.values()])
    for (name, (x, y)), height, shade in zip(known.items(), heights, SHADES, strict=False):
        points = " ".join(f"{a:.0f},{b:.1f}" for a, b in zip(frame.across(x), frame.up(y), strict=True))
        parts.append(f"<polyline points='{points}' fill='none' stroke='{shade}' stroke-width='1.8'/>")
        parts.append(_text(name, RIGHT + 6, height + 4, shade))
    picture = f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}'>{''.join(parts)}</svg>"
    told = escape(f"{' and '.join(known)} by {xlabel}")
    return f'<img alt="{told}" src="data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}">'


@dataclass(frozen=True)
class _Frame:
    """The ranges of x and y, and where their values lie in the picture."""

    left: float
    right: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[np.ndarray], left: float, right: float) -> "_Frame":
        y = np.concatenate(values)
        return cls(left, right, float(y.min()), float(y.max()))

    def across(self, x: np.ndarray) -> np.ndarray:
        """Pixels from the left."""
        return LEFT + (x - self.left) / (self.right - self.left or 1.0) * (RIGHT - LEFT)

    def up(self, y: np.ndarray) -> np.ndarray:
        """Pixels from the top."""
        is_log = self.low > 0 and self.high > LOGARITHMIC * self.low
        low, high, values = (np.log(v) if is_log else np.asarray(v) for v in (self.low, self.high, y))
        return np.asarray(BOTTOM - (values - low) / (float(high - low) or 1.0) * (BOTTOM - TOP))

    def drawn(self, xlabel: str) -> list[str]:
        """The two axes, with the numbers at their ends."""
        return [
            f"<path d='M{LEFT} {TOP}V{BOTTOM}H{RIGHT}' fill='none' stroke='{GREY}'/>",
            _text(loss_text(self.high), LEFT - 5, TOP + 8, GREY, "end"),
            _text(loss_text(self.low), LEFT - 5, BOTTOM, GREY, "end"),
            _text(f"{self.left:,.0f}", LEFT, HEIGHT - 8, GREY),
            _text(xlabel, (LEFT + RIGHT) / 2, HEIGHT - 8, GREY, "middle"),
            _text(f"{self.right:,.0f}", RIGHT, HEIGHT - 8, GREY, "end"),
        ]


def _apart(heights: list[float]) -> list[float]:
    """The same heights of two names, moved so that neither covers the other."""
    if len(heights) < 2 or abs(heights[0] - heights[1]) >= APART:
        return heights
    middle = min(max(sum(heights) / 2, TOP + APART / 2), BOTTOM - APART / 2)
    upper, lower = middle - APART / 2, middle + APART / 2
    return [upper, lower] if heights[0] <= heights[1] else [lower, upper]


def _text(text: str, x: float, y: float, shade: str, anchor: str = "start") -> str:
    look = f"font-family='sans-serif' font-size='11' text-anchor='{anchor}' fill='{shade}'"
    return f"<text x='{x:.0f}' y='{y:.0f}' {look}>{escape(text)}</text>"
