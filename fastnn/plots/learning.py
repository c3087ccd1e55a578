"""Learning curves of one run or of several."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastnn.common.figures import is_fraction
from fastnn.common.text import metric_name
from fastnn.plots.sheet import sheet
from fastnn.plots.style import (
    BLUE,
    GREEN,
    GREY,
    MARKED,
    ORANGE,
    SMALL,
    colour,
    dash,
    entry,
    line_axes,
    scale_by_factors,
    undisturbed,
    whole_number_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Epochs = Sequence[Mapping[str, Any]]


class Record(Protocol):
    """What `run_curves` asks of a training's history, an `fn.History`."""

    epochs: list[dict[str, Any]]

    def __getitem__(self, name: str) -> list[Any]: ...

    def best(self, name: str) -> dict[str, Any]: ...


IN_LEGEND = 8  # a legend of more entries stands beside the panels


@undisturbed
def run_curves(
    history: Record, title: str, meta: Mapping[str, Any], *, figure: "Figure | None" = None
) -> "Figure | Any":
    """Loss and accuracy of one run by epoch, on training and validation data, with the best epoch marked.

    A history without accuracy, as of a regression, has one panel.

    Args:
        history: Of the training.
        title: Of the figure.
        meta: Of the data: "source" is named in the title; "true_entropy" in nats, if it is there, is drawn as a lower
            bound.
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        KeyError: If the history has no loss or val_loss.

    Examples:
        >>> history = model.fit(x, y, epochs=3, validation_split=0.2)
        >>> figure = fn.plots.run_curves(history, "three epochs", {"source": "generated"})
    """
    best = history.best("val_loss")["epoch"]
    source = "generated data" if meta.get("source") == "generated" else Path(str(meta.get("source"))).name
    classifies = "accuracy" in history.epochs[0]
    title = f"{title}: how does the training go, on {source}?"
    drawn, (loss, *others) = sheet(1 + classifies, columns=2, size=(5.2, 3.6), title=title, figure=figure)
    name, unit = ("cross-entropy", "nats") if classifies else ("loss", "")
    line_axes(loss, title=name, xlabel="epoch", ylabel=unit)
    _one_run(loss, history, "loss", 1.0, best)
    for accuracy in others:
        line_axes(accuracy, title="accuracy", xlabel="epoch", ylabel="%")
        _one_run(accuracy, history, "accuracy", 100.0, best)
    if floor := meta.get("true_entropy"):
        loss.axhline(floor, color=GREEN, linestyle="--", label=f"true entropy {floor:.3f}")
    for axis in (loss, *others):
        axis.legend(frameon=False, fontsize=SMALL)
    return drawn if figure is None else [loss, *others]


def _one_run(axis: "Axes", history: Record, name: str, scale: float, best: int) -> None:
    epochs = history["epoch"]
    mark = "." if len(epochs) <= MARKED else None
    for which, shade, label in (
        (name, BLUE, MEAN),
        (f"val_{name}", ORANGE, "validation, after the epoch"),
    ):
        axis.plot(epochs, [scale * value for value in history[which]], color=shade, marker=mark, label=label)
    kept = scale * history[f"val_{name}"][epochs.index(best)]
    axis.plot([best], [kept], "o", markersize=9, mfc="none", color=GREY, label=f"kept: epoch {best}, {kept:.4g}")
    whole_number_ticks(axis)


@undisturbed
def learning_curves(
    runs: Mapping[str, Epochs],
    keys: Sequence[str] = ("loss", "accuracy"),
    title: str | None = None,
    *,
    reported: Mapping[str, Epochs] | None = None,
    note: str | None = None,
    ax: "Axes | None" = None,
    figure: "Figure | None" = None,
) -> "Figure | Any":
    """A panel for each key with a colour for each run: training thin, validation ("val_" + key) strong.

    The training curve is the mean over each epoch, as `fit` records it; or, where every run has "train_" + key, an
    evaluation after each epoch. The legend says which. An epoch without a value has no point. Accuracies and top_5 are
    in per cent.

    Args:
        runs: By label, `History.epochs` of the run.
        keys: A key that no run has gets no panel. "test_" + key is drawn strong in the panel of key, for systems
            without validation data.
        title: Of the figure.
        reported: By the label of a run, the same figures as somebody else published them, by epoch: dotted, in its
            colour.
        note: Written in the corner of the figure, such as "generated data".
        ax: A matplotlib Axes for a single panel; it is returned.
        figure: A matplotlib Figure or SubFigure for several panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        ValueError: If no run has any of the keys.

    Examples:
        >>> history = model.fit(x, y, epochs=3)
        >>> figure = fn.plots.learning_curves({"Adam": history.epochs}, title="three epochs")
        >>> fn.plots.save(figure, "curves.png")
    """
    panels = {key: splits for key, splits in _panels(keys, runs).items() if _has_any(runs, splits)}
    if not panels:
        raise ValueError(f"learning_curves: none of {list(keys)} is in the epochs of {list(runs)}")
    drawn, axes = sheet(len(panels), columns=2, size=(5.2, 3.6), title=title, note=note, ax=ax, figure=figure)
    seen: set[str] = set()
    published = reported or {}
    for axis, (key, splits) in zip(axes, panels.items(), strict=True):
        name, unit = metric_name(key), "%" if is_fraction(key) else ""
        named = ax is not None and title  # the axes have the picture's title, so that the figure's name stands beside
        line_axes(axis, title="" if named else name, xlabel="epoch", ylabel=f"{name} {unit}".strip() if named else unit)
        for number, (label, epochs) in enumerate(runs.items()):
            seen |= _draw_splits(axis, epochs, splits, number, alone=len(runs) == 1)
            seen |= _draw_reported(axis, published.get(label, []), splits, number, alone=len(runs) == 1)
        if not is_fraction(key):
            scale_by_factors(axis)
        whole_number_ticks(axis)
    _legend(axes, list(runs), [split for split in (*SPLIT_COLOURS, REPORT) if split in seen])
    return ax or (drawn if figure is None else axes)


# The colours of the splits in a figure of one run.
MEAN, AFTER = "training, mean over the epoch", "training, after the epoch"
SPLIT_COLOURS = {MEAN: BLUE, AFTER: BLUE, "validation": ORANGE, "test": GREEN}
PREFIXES = {"val_": "validation", "test_": "test"}
REPORT = "published by the report"


def _panels(keys: Sequence[str], runs: Mapping[str, Epochs]) -> dict[str, dict[str, str]]:
    """For each panel the names in an epoch's dict that it shows, and the split that each name belongs to."""
    panels: dict[str, dict[str, str]] = {}
    for key in keys:
        prefix = next((prefix for prefix in PREFIXES if key.startswith(prefix)), "")
        if not prefix:
            is_after = all(_points(epochs, f"train_{key}")[0] for epochs in runs.values())
            training = {f"train_{key}": AFTER} if is_after else {key: MEAN}
            names = training | {f"val_{key}": "validation", f"test_{key}": "test"}
            panels[key] = {name: split for name, split in names.items() if split != "test" or name in keys}
        elif key.removeprefix(prefix) not in keys:
            panels[key] = {key: PREFIXES[prefix]}
    return panels


def _has_any(runs: Mapping[str, Epochs], names: Iterable[str]) -> bool:
    return any(_points(epochs, name)[0] for epochs in runs.values() for name in names)


def _points(epochs: Epochs, name: str) -> tuple[list[float], list[float]]:
    """The numbers and the values of the epochs that have a value."""
    found = [
        (entry.get("epoch", number), entry[name])
        for number, entry in enumerate(epochs, 1)
        if entry.get(name) is not None
    ]
    return [float(epoch) for epoch, _ in found], [float(value) for _, value in found]


def _draw_splits(axis: "Axes", epochs: Epochs, splits: Mapping[str, str], number: int, *, alone: bool) -> set[str]:
    """Draw the lines of one run into a panel; returns the splits that it has values of."""
    seen = set()
    for name, split in splits.items():
        x, y = _points(epochs, name)
        if not x:
            continue
        seen.add(split)
        shade = SPLIT_COLOURS[split] if alone else colour(number)
        strong = alone or split not in (MEAN, AFTER)
        look: Any = {"lw": 1.8, "ls": dash(number)} if strong else THIN
        axis.plot(
            x,
            np.multiply(100.0 if is_fraction(name) else 1.0, y),
            color=shade,
            marker="." if strong and len(x) <= MARKED else None,
            **look,
        )
    return seen


def _draw_reported(axis: "Axes", epochs: Epochs, splits: Mapping[str, str], number: int, *, alone: bool) -> set[str]:
    """Draw what was published of one run into a panel, dotted; returns {REPORT} if there was anything."""
    seen = set()
    for name, split in splits.items():
        x, y = _points(epochs, name)
        if x:
            seen.add(REPORT)
            scale = 100.0 if is_fraction(name) else 1.0
            shade = SPLIT_COLOURS[split] if alone else colour(number)
            # Few values may be far apart, or one alone, of which a line shows nothing.
            mark: Any = {"marker": "x", "markersize": 5} if len(x) <= MARKED else {}
            axis.plot(x, np.multiply(scale, y), color=shade, **DOTTED, **mark)
    return seen


# The line of a published figure.
DOTTED: Any = {"ls": (0, (1, 1.6)), "lw": 1.6}
# The line of the training loss, or accuracy, of one run among several.
THIN: Any = {"lw": 0.9, "ls": (0, (4, 2))}


def _legend(axes: "list[Axes]", labels: list[str], splits: list[str]) -> None:
    """The colours of the runs and the line styles of the splits: in the first panel, or beside the last if long."""
    from matplotlib.lines import Line2D

    if len(labels) == 1:
        looks: dict[str, Any] = {split: {"color": shade, "lw": 1.8} for split, shade in SPLIT_COLOURS.items()}
        looks[REPORT] = DOTTED | {"color": GREY}
        handles = [Line2D([], [], **looks[split]) for split in splits]
        axes[0].legend(handles, splits, frameon=False, fontsize=SMALL)
        return
    handles = [Line2D([], [], color=colour(i), ls=dash(i), lw=1.8) for i in range(len(labels))]
    styles = [{MEAN: THIN, AFTER: THIN, REPORT: DOTTED}.get(split, {"lw": 1.8}) for split in splits]
    handles += [Line2D([], [], color=GREY, **style) for style in styles]
    texts = [*map(entry, labels), *splits]
    if len(texts) <= IN_LEGEND and max(map(len, labels)) <= 18:
        axes[0].legend(handles, texts, frameon=False, fontsize=SMALL)
    else:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "borderaxespad": 0.0}
        axes[-1].legend(handles, texts, frameon=False, fontsize=SMALL, **beside)
