"""The output of a sweep: a table of its trials, and a picture of their accuracies."""

from typing import Any

import numpy as np

from fastnn.common.figures import is_fraction
from fastnn.common.text import SPLITS, metric_text
from fastnn.experiment.executors import TrialRow
from fastnn.experiment.sweep import METRICS, Sweep
from fastnn.search.folder import PICTURE
from fastnn.search.space import Between

COLUMN_WIDTH = 12  # characters, about


def judged_metric(work: Sweep) -> str:
    """The metric by which trials are judged, on the validation set, else on the test or the training set."""
    splits = work.data.splits()
    return next(f"{split}_{_judged_by(work)}" for split in ("val", "test", "train") if split in splits)


def _judged_by(work: Sweep) -> str:
    """The accuracy; R² of regressions."""
    return "r2" if work.data.meta.get("task") == "regression" else "accuracy"


def table_of(work: Sweep, width: int) -> Any:
    """A table with a row a trial: its values on the axes, its metrics or why it has none; narrow ones have no losses.

    width : of the console, in characters.
    """
    from rich.table import Table

    kinds = ("loss", _judged_by(work))
    shown = [name for name in METRICS if name.startswith(tuple(work.data.splits())) and name.endswith(kinds)]
    if COLUMN_WIDTH * (len(shown) + len(work.grid.axes)) > width:
        shown = [name for name in shown if name.endswith(kinds[1])]
    table = Table(title=f"sweep of {work.grid.recipe.id}", title_justify="left")
    for name in (*work.grid.axes, *shown):
        table.add_column(
            name.replace("_", " "), justify="right" if name in shown else "left", no_wrap=name not in shown
        )
    states = [_state(row) for row in work.rows]
    if any(states):
        table.add_column("state")
    for settings, row, state in zip(work.trials, work.rows, states, strict=True):
        values = [str(getattr(settings, name)) for name in work.grid.axes]
        table.add_row(*values, *(_metric_text(row, name) for name in shown), *([state] if any(states) else []))
    return table


def _state(row: TrialRow | None) -> str:
    if row is None:
        return "waiting"
    return "" if row["status"] == "finished" else row["reason"]


def _metric_text(row: TrialRow | None, name: str) -> str:
    value = _value(row, name)
    return "" if value is None else metric_text(name, value)


def draw(work: Sweep) -> None:
    """Draw judged accuracies into the folder: lines along a single axis of numbers, else a map of the first two axes.

    With further axes the map shows the best trial over their values. Trials that were drawn at random are dots over
    each of their settings.
    """
    from fastnn import plots

    axes, name = work.grid.axes, judged_metric(work)
    title = f"sweep of {work.grid.recipe.id}: {name.replace('_', ' ')}{_unit(work)}"
    if (others := list(axes)[2:]) and not work.grid.count:
        title += f", the best over {' and '.join(others).replace('_', ' ')}"
    note = "generated data" if work.source == "generated" else None
    first = next(iter(axes))
    if work.grid.count:
        figure = _dots(work, name, title, note)
    elif len(axes) == 1 and all(isinstance(value, int | float) for value in _values(work, first)):
        figure = _lines(work, first, title, note)
    else:
        figure = _map(work, name, title, note)
    plots.save(figure, work.folder / PICTURE)


def _dots(work: Sweep, metric: str, title: str, note: str | None) -> Any:
    from fastnn import plots

    axes = {name.replace("_", " "): [getattr(one, name) for one in work.trials] for name in work.grid.axes}
    return plots.search_dots(axes, [_shown(row, metric) for row in work.rows], title, _label(work), note=note)


def _values(work: Sweep, name: str) -> list[Any]:
    """The values of an axis of a grid, which is no range."""
    axis = work.grid.axes[name]
    assert not isinstance(axis, Between), "a range is drawn from, and its trials are drawn as dots"
    return list(axis)


def _map(work: Sweep, metric: str, title: str, note: str | None) -> Any:
    from fastnn import plots

    axes = {name: _values(work, name) for name in work.grid.axes}
    values = np.array([_shown(row, metric) for row in work.rows]).reshape([len(axis) for axis in axes.values()])
    values = values[None] if values.ndim == 1 else np.fmax.reduce(values.reshape(*values.shape[:2], -1), axis=2)
    labels = [[str(value) for value in axis] for axis in axes.values()][:2]
    rows, columns = ([""], labels[0]) if len(labels) == 1 else labels
    names = ["", *axes] if len(axes) == 1 else list(axes)
    return plots.heat_map(values, rows, columns, title, xlabel=names[1], ylabel=names[0], form=".2f", note=note)


def _lines(work: Sweep, axis: str, title: str, note: str | None) -> Any:
    from fastnn import plots

    x = np.array(_values(work, axis), float)
    order = np.argsort(x)
    lines = {
        split: [_shown(work.rows[i], f"{split}_{_judged_by(work)}") for i in order]
        for split in SPLITS
        if split in work.data.splits()
    }
    is_wide = x.min() > 0 and x.max() > 20 * x.min()
    label = axis.replace("_", " ")
    return plots.lines_over(x[order].tolist(), lines, label, _label(work), title, log_x=is_wide, note=note)


def _shown(row: TrialRow | None, name: str) -> float:
    """A fraction in per cent, any other figure as it is; NaN where the trial has no such figure."""
    value = _value(row, name)
    return float("nan") if value is None else (100 if is_fraction(name) else 1) * value


def _unit(work: Sweep) -> str:
    return ", %" if is_fraction(_judged_by(work)) else ""


def _label(work: Sweep) -> str:
    return f"{_judged_by(work)}{_unit(work)}"


def _value(row: TrialRow | None, name: str) -> float | None:
    return float(row[name]) if row is not None and row.get(name) not in (None, "") else None
