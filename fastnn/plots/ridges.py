"""Histograms over the steps as ridges, one behind the other: which are shown, where they stand, how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from fastnn.plots.style import SMALL, growing_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIDGES = 16  # the most histograms of a panel; of more steps, this number are chosen evenly, the first and last included
OVERLAP = 2.4  # the height of a ridge, in distances between ridges
# A panel of histograms shows the range between these quantiles of every step, so that an outlier does not widen it.
INSIDE = (0.01, 0.99)


def draw_ridges(axis: "Axes", steps: np.ndarray, counts: np.ndarray, edges: np.ndarray) -> None:
    """Draw histograms behind one another, later ones darker and in front.

    steps (T,), counts (T, bins), edges (T, bins + 1): a ridge for each of the T steps, or for RIDGES of them
    """
    if counts.ndim != 2 or edges.shape != (len(counts), counts.shape[1] + 1) or steps.shape != (len(counts),):
        raise ValueError(
            f"histograms: steps {steps.shape}, counts {counts.shape}, edges {edges.shape}; "
            "expected (T,), (T, bins), (T, bins + 1)"
        )
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(RIDGES, len(steps))).round().astype(int))
    low, high = shown_range(counts[chosen], edges[chosen])
    shades = growing_colours()
    for position, number in enumerate(chosen):
        x, y = outline(counts[number], edges[number], (high - low) / 300)
        base = -float(position)
        shade = shades(0.3 + 0.6 * position / max(1, len(chosen) - 1))
        axis.fill_between(x, base, base + OVERLAP * y, facecolor=shade, edgecolor="white", lw=0.6, zorder=position + 1)
    _prepare_ridges(axis, steps[chosen], (low, high))


def _prepare_ridges(axis: "Axes", steps: np.ndarray, limits: tuple[float, float]) -> None:
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(labelsize=SMALL)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", alpha=0.25)
    axis.set_xlim(*limits)
    axis.set_ylim(-len(steps) + 0.8, OVERLAP + 0.15)
    axis.locator_params(axis="x", nbins=5)
    every = max(1, len(steps) // 6)
    axis.set_yticks([-position for position in range(0, len(steps), every)], [f"{step:,}" for step in steps[::every]])


def shown_range(counts: np.ndarray, edges: np.ndarray) -> tuple[float, float]:
    """The range between the quantiles INSIDE of every step, and a margin; of equal values it is that value."""
    ranges = []
    for bins, bounds in zip(counts, edges, strict=True):
        if np.count_nonzero(bins) <= 1:
            ranges.append(2 * [_middle(bounds)])
            continue
        distribution = np.concatenate([[0.0], np.cumsum(bins)]) / bins.sum()
        ranges.append([float(np.interp(quantile, distribution, bounds)) for quantile in INSIDE])
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _middle(edges: np.ndarray) -> float:
    return float(edges[0] / 2 + edges[-1] / 2)


def outline(counts: np.ndarray, edges: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """The outline (x, y) of a histogram with peak 1: a point in the middle of each bin, 0 at both ends.

    If all values are equal, the outline is a peak of width 2 · least around them, because the bins that a Monitor then
    makes have an arbitrary width. Without values it is a flat line.
    """
    if np.count_nonzero(counts) <= 1:
        middle = _middle(edges)
        return np.array([middle - least, middle, middle + least]), np.array([0.0, float(counts.any()), 0.0])
    middles = (edges[:-1] + edges[1:]) / 2
    x = np.concatenate([edges[:1], middles, edges[-1:]])
    return x, np.concatenate([[0.0], counts / counts.max(), [0.0]])
