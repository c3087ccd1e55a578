"""The records of a Monitor as pictures: statistics and histograms of each array over the steps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.ridges import draw_ridges
from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLUE, ORANGE, PANEL_TITLE, SMALL, line_axes, literal, undisturbed, whole_number_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, Any]
Series = dict[tuple[str, str], list[Record]]  # (kind, name) -> its records, by step

COLUMNS = 3
PANEL = (3.4, 2.35)


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
        spread = f"{title}: range, mean and standard deviation"
        figures[f"{kind}_statistics"] = statistics_over_time(of_kind, spread, note=note)
        figures[f"{kind}_histograms"] = _histogram_sheet(of_kind, f"{title}: distribution of the values", note)
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
        ["minimum, maximum", "mean", "mean ± standard deviation"],
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
    draw_ridges(axis, np.asarray(steps), np.asarray(counts), np.asarray(edges, np.float64))
    axis.set_xlabel("value", fontsize=SMALL)
    axis.set_ylabel("step", fontsize=SMALL)
    return ax or figure


def _histogram_sheet(records: Sequence[Record], title: str, note: str | None) -> "Figure":
    series = _by_array(records)
    figure, axes = sheet(len(series), columns=COLUMNS, size=(PANEL[0], 2.9), title=title, note=note)
    for axis, title, found in zip(axes, _panel_titles(series), series.values(), strict=True):
        _ridge_panel(axis, found, title)
    for axis in axes[::COLUMNS]:
        axis.set_ylabel("step", fontsize=SMALL)
    return figure


def _ridge_panel(axis: "Axes", found: Sequence[Record], title: str) -> None:
    """Draw the histograms of one array."""
    draw_ridges(axis, *(np.array([record[name] for record in found]) for name in ("step", "counts", "edges")))
    axis.set_title(literal(title), fontsize=PANEL_TITLE)


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
            _ridge_panel(axis, one[key], label if number == 0 else "")
        _share_range(row)
        row[0].set_ylabel(literal(key[1]), fontsize=PANEL_TITLE)
    return drawn if figure is None else axes


def _share_range(row: "Sequence[Axes]") -> None:
    limits = [axis.get_xlim() for axis in row]
    for axis in row:
        axis.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
