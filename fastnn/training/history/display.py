"""How a history is shown: in a line, and in a notebook as a table with a curve."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fastnn.common import notebook
from fastnn.common.figures import CIRCUMSTANCES, higher_is_better
from fastnn.common.text import figure_text, plural
from fastnn.common.validation import is_number

MOST_ROWS = 24
MOST_POINTS = 80  # of the small curve


class Record(Protocol):
    """A history."""

    epochs: list[dict[str, Any]]
    steps: Any
    stop_reason: str | None
    cell: int | None

    def best(self, name: str) -> dict[str, Any]: ...


def told(history: Record) -> str:
    """The number of epochs and the last figures, in a line."""
    count = plural(len(history.epochs), "epoch")
    if not history.epochs:
        return count
    last = history.epochs[-1]
    return f"{count}: " + ", ".join(f"{name} {figure_text(name, last[name])}" for name in _names(last)[:MOST_ROWS])


def html(history: Record) -> str:
    """The number of epochs, the last and the best figures in a table, and the curve of the loss."""
    begin = plural(len(history.epochs), "epoch")
    if history.stop_reason:
        begin += f", ended early: {history.stop_reason}"
    if not history.epochs:
        return notebook.line(begin)
    last = history.epochs[-1]
    rows = [(name, figure_text(name, last[name]), *_best(history, name)) for name in _names(last)[:MOST_ROWS]]
    table = notebook.table([("", "last", "best", "at epoch"), *rows], 1)
    shown = history.cell is not None and history.cell == notebook.cell()
    return notebook.line(begin) + table + ("" if shown else curve(history))


def curve(history: Record) -> str:
    """The loss by epoch as a small picture, in HTML; by step in the first epoch; nothing if there is too little."""
    from fastnn.plots.small import small_curve

    epochs = history.epochs
    if len(epochs) > 1:
        numbers = [e["epoch"] for e in epochs]
        found = {name: (numbers, [e.get(name, np.nan) for e in epochs]) for name in LOSSES}
        lines = {name: _thinned(*points) for name, points in found.items() if np.isfinite(points[1]).any()}
        return small_curve(lines, "epoch", (min(numbers), max(numbers)))
    losses = history.steps["loss"]
    if len(losses) < 2:
        return ""
    return small_curve({"loss": _thinned(range(1, len(losses) + 1), losses)}, "step", (1, len(losses)))


LOSSES = ("loss", "val_loss")


def _thinned(x: Sequence[float], y: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """At most MOST_POINTS points: the means of neighbours where there are more, without what is not finite."""
    across, up = np.asarray(x, np.float64), np.asarray(y, np.float64)
    known = np.isfinite(up)
    across, up = across[known], up[known]
    if len(up) <= MOST_POINTS:
        return across, up
    across, up = (np.array([part.mean() for part in np.array_split(one, MOST_POINTS)]) for one in (across, up))
    return across, up


def _names(epoch: Mapping[str, Any]) -> list[str]:
    return [name for name, value in epoch.items() if name not in CIRCUMSTANCES and is_number(value)]


def _best(history: Record, name: str) -> tuple[str, str]:
    """The best value and its epoch, or dashes where the name does not tell what is better."""
    try:
        higher_is_better(name)
        best = history.best(name)
    except (KeyError, ValueError):
        return "–", "–"
    return figure_text(name, best[name]), f"{best['epoch']:,}" if "epoch" in best else "–"
