"""The output of a sweep: a table of its trials, and a picture of their accuracies."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastnn.common.figures import label_of, scale_of
from fastnn.common.text import SPLITS, metric_text, setting_text, with_minus
from fastnn.experiment.sweep import METRICS, Sweep
from fastnn.search.folder import PICTURE
from fastnn.search.space import Between
from fastnn.search.trials import Trial

COLUMN_WIDTH = 12  # characters, about


def refuse_without_result(rows: Iterable[Mapping[str, Any]]) -> None:
    """DataError, or NonFiniteError for divergence, if no trial of the sweep finished."""
    from fastnn.common.errors import DataError, NonFiniteError

    rows = list(rows)
    if any(row.get("status") == "finished" for row in rows):
        return
    first = next((row["reason"] for row in rows if row.get("reason")), "none ended")
    is_divergence = "finite" in first or "loss became" in first
    kind = NonFiniteError if is_divergence else DataError
    raise kind(f"no trial of the sweep succeeded; the first: {first}")


def table_of(work: Sweep, width: int) -> Any:
    """A table with a row a trial: its values on the axes, its metrics or why it has none; narrow ones have no losses.

    width : of the console, in characters.
    """
    from rich.table import Table

    kinds = ("loss", work.judged_by)
    shown = [name for name in METRICS if name.startswith(tuple(work.data.splits())) and name.endswith(kinds)]
    if COLUMN_WIDTH * (len(shown) + len(work.grid.axes)) > width:
        shown = [name for name in shown if name.endswith(kinds[1])]
    table = Table(title=f"sweep of {work.grid.recipe.id}", title_justify="left")
    for name in (*work.grid.axes, *shown):
        table.add_column(
            name.replace("_", " "), justify="right" if name in shown else "left", no_wrap=name not in shown
        )
    trials = work.trials.all
    states = [_state(trial) for trial in trials]
    if any(states):
        table.add_column("state")
    for trial, state in zip(trials, states, strict=True):
        values = [setting_text(trial.settings[name]) for name in work.grid.axes]
        figures = [with_minus(metric_text(name, trial.row[name])) if name in trial.row else "" for name in shown]
        table.add_row(*values, *figures, *([state] if any(states) else []))
    return table


def _state(trial: Trial) -> str:
    return "" if trial.status == "finished" else trial.row.get("reason", "waiting")


def draw(work: Sweep) -> None:
    """Draw judged accuracies into the folder: lines along a single axis of numbers, else a map of the first two axes.

    With further axes the map shows the best trial over their values. Trials that were drawn at random are dots over
    each of their settings.
    """
    from fastnn import plots

    axes, name = work.grid.axes, work.judged_metric
    title = f"sweep of {work.grid.recipe.id}: {label_of(name)}"
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

    axes = {name.replace("_", " "): [one.settings[name] for one in work.trials.all] for name in work.grid.axes}
    return plots.search_dots(axes, _shown(work, metric), title, label_of(work.judged_by), note=note)


def _values(work: Sweep, name: str) -> list[Any]:
    """The values of an axis of a grid, which is no range."""
    axis = work.grid.axes[name]
    assert not isinstance(axis, Between), "a range is drawn from, and its trials are drawn as dots"
    return list(axis)


def _map(work: Sweep, metric: str, title: str, note: str | None) -> Any:
    from fastnn import plots

    axes = {name: _values(work, name) for name in work.grid.axes}
    values = np.array(_shown(work, metric)).reshape([len(axis) for axis in axes.values()])
    values = values[None] if values.ndim == 1 else np.fmax.reduce(values.reshape(*values.shape[:2], -1), axis=2)
    labels = [[setting_text(value) for value in axis] for axis in axes.values()][:2]
    rows, columns = ([""], labels[0]) if len(labels) == 1 else labels
    names = ["", *axes] if len(axes) == 1 else list(axes)
    return plots.heat_map(values, rows, columns, title, xlabel=names[1], ylabel=names[0], form=".2f", note=note)


def _lines(work: Sweep, axis: str, title: str, note: str | None) -> Any:
    from fastnn import plots

    x = np.array(_values(work, axis), float)
    order = np.argsort(x)
    figures = {split: _shown(work, f"{split}_{work.judged_by}") for split in SPLITS if split in work.data.splits()}
    lines = {split: [values[i] for i in order] for split, values in figures.items()}
    is_wide = x.min() > 0 and x.max() > 20 * x.min()
    label = axis.replace("_", " ")
    return plots.lines_over(x[order].tolist(), lines, label, label_of(work.judged_by), title, log_x=is_wide, note=note)


def _shown(work: Sweep, name: str) -> list[float]:
    """A figure of each trial: a fraction in per cent, any other as it is; NaN where a trial has no such figure."""
    return [scale_of(name) * trial.row.get(name, float("nan")) for trial in work.trials.all]
