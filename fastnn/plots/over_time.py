"""The records of a Monitor as pictures: statistics and histograms of each array over the steps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.sheet import sheet
from fastnn.plots.style import (
    BLUE,
    ORANGE,
    PANEL_TITLE,
    SMALL,
    growing_colours,
    line_axes,
    literal,
    undisturbed,
    whole_number_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, Any]
Series = dict[tuple[str, str], list[Record]]  # (kind, name) -> its records, by step

COLUMNS = 3
PANEL = (3.4, 2.35)
RIDGES = 16  # the most histograms of a panel; of more steps, this number are chosen evenly, the first and last included
OVERLAP = 2.4  # the height of a ridge, in distances between ridges
# A panel of histograms shows the range between these quantiles of every step, so that an outlier does not widen it.
INSIDE = (0.01, 0.99)


@undisturbed
def monitor(records: Sequence[Record], *, note: str | None = None) -> "dict[str, Figure]":
    """The records of a Monitor as two figures for each kind of array, by name, with one panel for each array.

    The names are "gradient_statistics", "gradient_histograms" and so on. Without records there are no figures. They are
    figures of their own; to draw into yours, give `statistics_over_time` and `histograms_over_time` the records.

    Args:
        records: `Monitor.records`.
        note: Written in the corner of the figure, such as "generated data".

    Returns:
        The figures by name.

    Examples:
        >>> watch = fn.Monitor(every=1)
        >>> history = model.fit(x, y, optimizer=fn.SGD(0.1), callbacks=[watch])
        >>> weights = [record for record in watch.records if record["kind"] == "parameter"]
        >>> sorted(fn.plots.monitor(weights))
        ['parameter_histograms', 'parameter_statistics']
    """
    figures = {}
    for kind in dict.fromkeys(record["kind"] for record in records):
        of_kind = [record for record in records if record["kind"] == kind]
        first, last = of_kind[0]["step"], of_kind[-1]["step"]
        steps = f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
        title = f"{TITLES.get(kind, kind)}, {steps}"
        figures[f"{kind}_statistics"] = statistics_over_time(of_kind, f"{title}: range, mean and deviation", note=note)
        figures[f"{kind}_histograms"] = _histogram_sheet(of_kind, f"{title}: how the values spread", note)
    return figures


TITLES = {"parameter": "parameters", "gradient": "gradients", "input": "input", "activation": "outputs of the layers"}


def _by_array(records: Sequence[Record]) -> Series:
    series: Series = {}
    for record in records:
        series.setdefault((record["kind"], record["name"]), []).append(record)
    return series


def _panel_titles(series: Series) -> list[str]:
    """The names of the arrays, each with its kind if there are several kinds."""
    several = len({kind for kind, _ in series}) > 1
    return [f"{kind}: {name}" if several and kind != name else name for kind, name in series]


@undisturbed
def statistics_over_time(
    records: Sequence[Record], title: str, *, note: str | None = None, figure: "Figure | None" = None
) -> "Figure | Any":
    """A panel for each array: over the steps, its mean in a band of ± one standard deviation, least and largest value.

    A panel's title has the number of values that were not finite.

    Args:
        records: Of a Monitor, of one kind or several.
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If there are no records.

    Examples:
        >>> watch = fn.Monitor(every=1)
        >>> history = model.fit(x, y, epochs=2, callbacks=[watch])
        >>> biases = [record for record in watch.records if record["name"] == "dense.b"]
        >>> figure = fn.plots.statistics_over_time(biases, "biases")
    """
    series = _by_array(records)
    size = PANEL if len(series) > 1 else (2 * PANEL[0], PANEL[1])  # the legend below needs the width
    drawn, axes = sheet(len(series), columns=COLUMNS, size=size, title=title, note=note, figure=figure)
    for axis, name, found in zip(axes, _panel_titles(series), series.values(), strict=True):
        lost = sum(record["nonfinite"] for record in found)
        line_axes(axis, title=f"{name} ({lost:,} not finite)" if lost else name)
        _statistics(axis, found)
    _steps_below(axes)
    _statistics_legend(axes[0])
    return drawn if figure is None else axes


def _statistics(axis: "Axes", found: list[Record]) -> None:
    steps = [record["step"] for record in found]
    low, high, mean, std = (np.array([record[name] for record in found]) for name in ("min", "max", "mean", "std"))
    mark = "." if len(steps) == 1 else None
    axis.fill_between(steps, mean - std, mean + std, color=BLUE, alpha=0.25, lw=0)
    axis.plot(steps, mean, color=BLUE, lw=1.8, marker=mark)
    for edge in (low, high):
        axis.plot(steps, edge, color=ORANGE, lw=0.9, marker=mark)
    whole_number_ticks(axis)
    axis.locator_params(axis="x", nbins=4)


def _steps_below(axes: "list[Axes]") -> None:
    """Write "step" below the last panel of each column."""
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


@undisturbed
def histograms_over_time(
    steps: Sequence[int],
    counts: np.ndarray,
    edges: np.ndarray,
    title: str,
    *,
    note: str | None = None,
    ax: "Axes | None" = None,
) -> "Figure | Any":
    """The histograms of one array, one ridge for each step, the first at the back, all of one height.

    Args:
        steps: (T,) numbers of the steps.
        counts: (T, bins) values in each bin.
        edges: (T, bins + 1) of the bins.
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes to draw into; it is returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If the shapes do not fit together.

    Examples:
        >>> counts, edges = np.array([[1, 4, 1], [2, 2, 2]]), np.tile(np.arange(4.0), (2, 1))
        >>> figure = fn.plots.histograms_over_time([100, 200], counts, edges, "weights")
    """
    figure, (axis,) = sheet(1, columns=1, size=(6.4, 4.6), title=title, note=note, ax=ax)
    _ridges(axis, np.asarray(steps), np.asarray(counts), np.asarray(edges, np.float64))
    axis.set_xlabel("value", fontsize=SMALL)
    axis.set_ylabel("step", fontsize=SMALL)
    return ax or figure


def _histogram_sheet(records: Sequence[Record], title: str, note: str | None) -> "Figure":
    series = _by_array(records)
    figure, axes = sheet(len(series), columns=COLUMNS, size=(PANEL[0], 2.9), title=title, note=note)
    for axis, title, found in zip(axes, _panel_titles(series), series.values(), strict=True):
        columns = (np.array([record[name] for record in found]) for name in ("step", "counts", "edges"))
        _ridges(axis, *columns)
        axis.set_title(literal(title), fontsize=PANEL_TITLE)
    for axis in axes[::COLUMNS]:
        axis.set_ylabel("step", fontsize=SMALL)
    return figure


@undisturbed
def histograms_beside(
    runs: Mapping[str, Sequence[Record]], title: str, *, note: str | None = None, figure: "Figure | None" = None
) -> "Figure | Any":
    """Histograms of the same arrays in several trainings: a row for each array, a column for each training.

    The panels of a row share their axis of values, so that widths can be compared.

    Args:
        runs: By label, the records of its Monitor; arrays that not all of them have are left out.
        title: Of the figure.
        note: Written in the corner of the figure, such as "generated data".
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If no array is in all trainings.

    Examples:
        >>> watch = fn.Monitor(every=1)
        >>> history = model.fit(x, y, epochs=2, callbacks=[watch])
        >>> biases = [record for record in watch.records if record["name"] == "dense.b"]
        >>> figure = fn.plots.histograms_beside({"a": biases[:1], "b": biases[1:]}, "biases")
    """
    series = [_by_array(records) for records in runs.values()]
    arrays = [key for key in (series[0] if series else {}) if all(key in one for one in series)]
    if not arrays:
        raise ValueError(f"histograms_beside: no array is in all of {list(runs)}")
    drawn, axes = sheet(
        len(arrays) * len(runs), columns=len(runs), size=(2.9, 2.3), title=title, note=note, figure=figure
    )
    for number, key in enumerate(arrays):
        row = axes[number * len(runs) : (number + 1) * len(runs)]
        for axis, label, one in zip(row, runs, series, strict=True):
            columns = (np.array([record[name] for record in one[key]]) for name in ("step", "counts", "edges"))
            _ridges(axis, *columns)
            axis.set_title(literal(label if number == 0 else ""), fontsize=PANEL_TITLE)
        _share_range(row)
        row[0].set_ylabel(literal(key[1]), fontsize=PANEL_TITLE)
    return drawn if figure is None else axes


def _share_range(row: "Sequence[Axes]") -> None:
    limits = [axis.get_xlim() for axis in row]
    for axis in row:
        axis.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))


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
    for position, number in enumerate(chosen):
        x, y = _outline(counts[number], edges[number], (high - low) / 300)
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


def _shown_range(counts: np.ndarray, edges: np.ndarray) -> tuple[float, float]:
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


def _outline(counts: np.ndarray, edges: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
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
