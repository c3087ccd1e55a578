"""Learning curves, of one run or of several."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.plots.style import (
    BLUE,
    GREEN,
    GREY,
    MARKED,
    ORANGE,
    SMALL,
    colour,
    dash,
    line_axes,
    scale_by_factors,
    sheet,
    whole_numbers,
)
from fastnn.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Epochs = Sequence[Mapping[str, Any]]

IN_LEGEND = 8


def run_curves(history: History, title: str, meta: Mapping[str, Any]) -> "Figure":
    """Loss and accuracy of one run by epoch, train and validation, with the best epoch and, if known, the floor.

    meta["source"] is named in the title; meta["true_entropy"], in nats, becomes a line that no model can pass.
    KeyError if the history lacks loss, accuracy, val_loss or val_accuracy.
    """
    best = history.best("val_loss")["epoch"]
    source = "generated data" if meta.get("source") == "generated" else Path(str(meta.get("source"))).name
    reached = f"validation loss {_at(history, 'val_loss', best):.3f} at epoch {best} of {len(history)}"
    figure, (loss, accuracy) = sheet(2, columns=2, size=(5.2, 3.6), title=f"{title}: {reached}, on {source}")
    line_axes(loss, title="cross-entropy", xlabel="epoch", ylabel="nats a sample")
    line_axes(accuracy, title="accuracy", xlabel="epoch", ylabel="%")
    _one_run(loss, history, "loss", 1.0, best)
    _one_run(accuracy, history, "accuracy", 100.0, best)
    if floor := meta.get("true_entropy"):
        loss.axhline(floor, color=GREEN, linestyle="--", label=f"true entropy {floor:.3f}")
    for axis in (loss, accuracy):
        axis.legend(frameon=False, fontsize=SMALL)
    return figure


def _at(history: History, name: str, epoch: int) -> float:
    return history[name][history["epoch"].index(epoch)]


def _one_run(axis: "Axes", history: History, name: str, scale: float, best: int) -> None:
    epochs = history["epoch"]
    mark = "." if len(epochs) <= MARKED else None
    for which, shade, label in (
        (name, BLUE, "train, mean over the epoch"),
        (f"val_{name}", ORANGE, "validation, after the epoch"),
    ):
        axis.plot(epochs, [scale * value for value in history[which]], color=shade, marker=mark, label=label)
    kept = scale * _at(history, f"val_{name}", best)
    axis.plot([best], [kept], "o", markersize=9, mfc="none", color=GREY, label=f"kept: epoch {best}, {kept:.4g}")
    whole_numbers(axis)


def learning_curves(
    runs: Mapping[str, Epochs],
    keys: Sequence[str] = ("loss", "accuracy"),
    title: str | None = None,
    *,
    note: str | None = None,
) -> "Figure":
    """A panel for each key, in it a colour for each run: training thin, validation ("val_" + key) strong.

    runs: label -> the dicts of `History.epochs`. A key that no run has gets no panel, an epoch without it no point.
    "test_" + key, if it is among the keys, is drawn into the panel of key, strong as well: it stands in for validation
    where a system has none. Accuracies are shown in per cent. ValueError if no run has any of the keys.
    """
    panels = {key: parts for key, parts in _panels(keys).items() if _has_any(runs, parts)}
    if not panels:
        raise ValueError(f"learning_curves: none of {list(keys)} is in the epochs of {list(runs)}")
    figure, axes = sheet(len(panels), columns=2, size=(5.2, 3.6), title=title, note=note)
    seen: set[str] = set()
    for axis, (key, parts) in zip(axes, panels.items(), strict=True):
        line_axes(axis, title=key.replace("_", " "), xlabel="epoch", ylabel="%" if _is_share(key) else "")
        for number, epochs in enumerate(runs.values()):
            seen |= _draw_parts(axis, epochs, parts, number, alone=len(runs) == 1)
        if not _is_share(key):
            scale_by_factors(axis)
        whole_numbers(axis)
    _legend(axes, list(runs), [part for part in PARTS if part in seen])
    return figure


# Part of the data -> its colour where there is but one run.
PARTS = {"train": BLUE, "validation": ORANGE, "test": GREEN}
PREFIXES = {"val_": "validation", "test_": "test"}


def _panels(keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Key -> what its panel shows: the names in an epoch's dict -> the part of the data that they are about."""
    panels: dict[str, dict[str, str]] = {}
    for key in keys:
        prefix = next((prefix for prefix in PREFIXES if key.startswith(prefix)), "")
        if not prefix:
            own = {key: "train", f"val_{key}": "validation", f"test_{key}": "test"}
            panels[key] = {name: part for name, part in own.items() if part != "test" or name in keys}
        elif key.removeprefix(prefix) not in keys:
            panels[key] = {key: PREFIXES[prefix]}
    return panels


def _has_any(runs: Mapping[str, Epochs], names: Iterable[str]) -> bool:
    return any(_points(epochs, name)[0] for epochs in runs.values() for name in names)


def _is_share(key: str) -> bool:
    return key.endswith("accuracy")


def _points(epochs: Epochs, name: str) -> tuple[list[float], list[float]]:
    """Epoch numbers and values of the epochs that have a value."""
    found = [
        (entry.get("epoch", number), entry[name])
        for number, entry in enumerate(epochs, 1)
        if entry.get(name) is not None
    ]
    return [float(epoch) for epoch, _ in found], [float(value) for _, value in found]


def _draw_parts(axis: "Axes", epochs: Epochs, parts: Mapping[str, str], number: int, *, alone: bool) -> set[str]:
    """Draw one run's lines of a panel; returns of which parts of the data there were any."""
    seen = set()
    for name, part in parts.items():
        x, y = _points(epochs, name)
        if not x:
            continue
        seen.add(part)
        shade = PARTS[part] if alone else colour(number)
        strong = alone or part != "train"
        look: Any = {"lw": 1.8, "ls": dash(number)} if strong else THIN
        axis.plot(
            x,
            np.multiply(100.0 if _is_share(name) else 1.0, y),
            color=shade,
            marker="." if strong and len(x) <= MARKED else None,
            **look,
        )
    return seen


# How the training of one run among several is drawn.
THIN: Any = {"lw": 0.9, "ls": (0, (4, 2))}


def _legend(axes: "list[Axes]", labels: list[str], parts: list[str]) -> None:
    """What colour is which run, and which stroke is training: inside the first panel, or beside the last if long."""
    from matplotlib.lines import Line2D

    if len(labels) == 1:
        handles = [Line2D([], [], color=PARTS[part], lw=1.8) for part in parts]
        axes[0].legend(handles, parts, frameon=False, fontsize=SMALL)
        return
    handles = [Line2D([], [], color=colour(i), ls=dash(i), lw=1.8) for i in range(len(labels))]
    strokes = {part: THIN if part == "train" else {"lw": 1.8} for part in parts}
    handles += [Line2D([], [], color=GREY, **stroke) for stroke in strokes.values()]
    texts = [*labels, *parts]
    if len(texts) <= IN_LEGEND and max(map(len, labels)) <= 18:
        axes[0].legend(handles, texts, frameon=False, fontsize=SMALL)
    else:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "borderaxespad": 0.0}
        axes[-1].legend(handles, texts, frameon=False, fontsize=SMALL, **beside)
