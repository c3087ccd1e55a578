"""What a Monitor took down, as pictures: figures and histograms of each array over the steps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.style import BLUE, ORANGE, PANEL_TITLE, SMALL, growing_colours, line_axes, sheet, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, Any]
Series = dict[tuple[str, str], list[Record]]  # (kind, name) -> its records, by step

COLUMNS = 3
PANEL = (3.4, 2.35)
RIDGES = 16  # of more steps, so many are drawn, evenly chosen, the first and the last among them
OVERLAP = 2.4  # height of a ridge, in distances between ridges
# A panel of histograms shows this much of the values of all its steps: a single stray value does not squeeze the rest.
INSIDE = (0.01, 0.99)


def monitor(records: Sequence[Record], *, note: str | None = None) -> "dict[str, Figure]":
    """Pictures of a Monitor's records by name: for each kind, such as "gradient", "gradient_statistics" and
    "gradient_histograms", one panel an array. No records, no pictures.
    """
    pictures = {}
    for kind in dict.fromkeys(record["kind"] for record in records):
        own = [record for record in records if record["kind"] == kind]
        first, last = own[0]["step"], own[-1]["step"]
        steps = f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
        title = f"{TITLES.get(kind, kind)}, {steps}"
        pictures[f"{kind}_statistics"] = statistics_over_time(own, f"{title}: range, mean and deviation", note=note)
        pictures[f"{kind}_histograms"] = _histogram_sheet(own, f"{title}: how the values spread", note)
    return pictures


TITLES = {"parameter": "parameters", "gradient": "gradients", "input": "input", "activation": "outputs of the layers"}


def _by_array(records: Sequence[Record]) -> Series:
    series: Series = {}
    for record in records:
        series.setdefault((record["kind"], record["name"]), []).append(record)
    return series


def _panel_titles(series: Series) -> list[str]:
    """The names of the arrays, with their kind where there are several kinds."""
    several = len({kind for kind, _ in series}) > 1
    return [f"{kind}: {name}" if several and kind != name else name for kind, name in series]


def statistics_over_time(records: Sequence[Record], title: str, *, note: str | None = None) -> "Figure":
    """A panel an array: the mean over the steps in a band of ± one standard deviation, least and largest value thin.

    records: of a Monitor, of one kind or several. What was not finite is counted in the panel's title.
    ValueError if there are none.
    """
    series = _by_array(records)
    size = PANEL if len(series) > 1 else (2 * PANEL[0], PANEL[1])  # below it there must be room for the legend
    figure, axes = sheet(len(series), columns=COLUMNS, size=size, title=title, note=note)
    for axis, name, found in zip(axes, _panel_titles(series), series.values(), strict=True):
        lost = sum(record["nonfinite"] for record in found)
        line_axes(axis, title=f"{name} ({lost:,} not finite)" if lost else name)
        _statistics(axis, found)
    _steps_below(axes)
    _statistics_legend(axes[0])
    return figure


def _statistics(axis: "Axes", found: list[Record]) -> None:
    steps = [record["step"] for record in found]
    low, high, mean, std = (np.array([record[name] for record in found]) for name in ("min", "max", "mean", "std"))
    mark = "." if len(steps) == 1 else None
    axis.fill_between(steps, mean - std, mean + std, color=BLUE, alpha=0.25, lw=0)
    axis.plot(steps, mean, color=BLUE, lw=1.8, marker=mark)
    for edge in (low, high):
        axis.plot(steps, edge, color=ORANGE, lw=0.9, marker=mark)
    whole_numbers(axis)
    axis.locator_params(axis="x", nbins=4)


def _steps_below(axes: "list[Axes]") -> None:
    """Name the steps' axis below the last panel of each column only."""
    for axis in axes[-COLUMNS:]:
        axis.set_xlabel("step", fontsize=SMALL)


def _statistics_legend(axis: "Axes") -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [Line2D([], [], color=ORANGE, lw=0.9), Line2D([], [], color=BLUE, lw=1.8), Patch(color=BLUE, alpha=0.25)]
    axis.figure.legend(
        handles,
        ["least, largest", "mean", "mean ± deviation"],
        loc="outside lower left",
        ncols=3,
        frameon=False,
        fontsize=SMALL,
        columnspacing=1.2,
    )


def histograms_over_time(
    steps: Sequence[int], counts: np.ndarray, edges: np.ndarray, title: str, *, note: str | None = None
) -> "Figure":
    """How the values of one array spread: a ridge a step, the first at the back, each as high as its own peak.

    steps (T,), counts (T, bins), edges (T, bins + 1). ValueError if these do not fit.
    """
    figure, (axis,) = sheet(1, columns=1, size=(6.4, 4.6), title=title, note=note)
    _ridges(axis, np.asarray(steps), np.asarray(counts), np.asarray(edges, np.float64))
    axis.set_xlabel("value", fontsize=SMALL)
    axis.set_ylabel("step", fontsize=SMALL)
    return figure


def _histogram_sheet(records: Sequence[Record], title: str, note: str | None) -> "Figure":
    series = _by_array(records)
    figure, axes = sheet(len(series), columns=COLUMNS, size=(PANEL[0], 2.9), title=title, note=note)
    for axis, name, found in zip(axes, _panel_titles(series), series.values(), strict=True):
        columns = (np.array([record[figure] for record in found]) for figure in ("step", "counts", "edges"))
        _ridges(axis, *columns)
        axis.set_title(name, fontsize=PANEL_TITLE)
    for axis in axes[::COLUMNS]:
        axis.set_ylabel("step", fontsize=SMALL)
    return figure


def _ridges(axis: "Axes", steps: np.ndarray, counts: np.ndarray, edges: np.ndarray) -> None:
    """Draw the histograms behind one another, later ones darker and in front."""
    if counts.ndim != 2 or edges.shape != (len(counts), counts.shape[1] + 1) or steps.shape != (len(counts),):
        raise ValueError(
            f"histograms: steps {steps.shape}, counts {counts.shape}, edges {edges.shape}; "
            "expected (T,), (T, bins), (T, bins + 1)"
        )
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(RIDGES, len(steps))).round().astype(int))
    low, high = _shown_range(counts[chosen], edges[chosen])
    shades = growing_colours()
    for place, number in enumerate(chosen):
        x, y = _outline(counts[number], edges[number], (high - low) / 300)
        base = -float(place)
        shade = shades(0.3 + 0.6 * place / max(1, len(chosen) - 1))
        axis.fill_between(x, base, base + OVERLAP * y, facecolor=shade, edgecolor="white", lw=0.6, zorder=place + 1)
    _dress_ridges(axis, steps[chosen], (low, high))


def _dress_ridges(axis: "Axes", steps: np.ndarray, limits: tuple[float, float]) -> None:
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(labelsize=SMALL)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", alpha=0.25)
    axis.set_xlim(*limits)
    axis.set_ylim(-len(steps) + 0.8, OVERLAP + 0.15)
    axis.locator_params(axis="x", nbins=5)
    every = max(1, len(steps) // 6)
    axis.set_yticks([-place for place in range(0, len(steps), every)], [f"{step:,}" for step in steps[::every]])


def _shown_range(counts: np.ndarray, edges: np.ndarray) -> tuple[float, float]:
    """The range that holds most values of each step; steps whose values are all equal have only their own place."""
    ranges = []
    for own, at in zip(counts, edges, strict=True):
        if np.count_nonzero(own) <= 1:
            ranges.append(2 * [_middle(at)])
            continue
        share = np.concatenate([[0.0], np.cumsum(own)]) / own.sum()
        ranges.append([float(np.interp(part, share, at)) for part in INSIDE])
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _middle(edges: np.ndarray) -> float:
    return float(edges[0] / 2 + edges[-1] / 2)


def _outline(counts: np.ndarray, edges: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """The outline of a histogram, its peak 1: a point in the middle of each bin, 0 at both ends.

    Values that are all equal become a peak of width 2 · least: a Monitor gives such a step bins around its value,
    whose width says nothing. No values: a flat line.
    """
    if np.count_nonzero(counts) <= 1:
        middle = _middle(edges)
        return np.array([middle - least, middle, middle + least]), np.array([0.0, float(counts.any()), 0.0])
    middles = (edges[:-1] + edges[1:]) / 2
    x = np.concatenate([edges[:1], middles, edges[-1:]])
    return x, np.concatenate([[0.0], counts / counts.max(), [0.0]])
