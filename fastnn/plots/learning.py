"""Learning curves of runs, beside each other and beside published ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.figures import is_fraction, scale_of, unit_of
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
    numbers_of,
    scale_by_factors,
    undisturbed,
    whole_number_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Epochs = Sequence[Mapping[str, Any]]

IN_LEGEND, LONGEST = 8, 18  # a legend of more entries, or with a label of more letters, stands beside the panels


@undisturbed
def learning_curves(
    runs: Mapping[str, Epochs],
    keys: Sequence[str] = ("loss", "accuracy"),
    title: str | None = None,
    *,
    reported: Mapping[str, Epochs] | None = None,
    units: Mapping[str, str] | None = None,
    colours: Mapping[str, int] | None = None,
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
        units: By key, what stands beside the axis of its panel, as {"loss": "nats"}. Without it fractions have "%",
            others nothing.
        colours: By the label of a run, which colour it has, from 0: so that several pictures can give it the same.
            Without it they are counted in the order of the runs.
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
    seen: list[set[str]] = []  # what each panel shows
    published, numbers = reported or {}, numbers_of(runs, colours)
    for axis, (key, splits) in zip(axes, panels.items(), strict=True):
        name, unit = metric_name(key), (units or {}).get(key, unit_of(key))
        named = ax is not None and title  # the axes have the picture's title, so that the figure's name stands beside
        line_axes(axis, title="" if named else name, xlabel="epoch", ylabel=f"{name} {unit}".strip() if named else unit)
        seen.append(set())
        for label, epochs in runs.items():
            alone, number = len(runs) == 1, numbers[label]
            seen[-1] |= _draw(axis, epochs, splits, number, alone=alone)
            seen[-1] |= _draw(axis, published.get(label, []), splits, number, alone=alone, published=True)
        if not is_fraction(key):
            scale_by_factors(axis)
        whole_number_ticks(axis)
    _legends(axes, numbers, seen)
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


def _draw(
    axis: "Axes", epochs: Epochs, splits: Mapping[str, str], number: int, *, alone: bool, published: bool = False
) -> set[str]:
    """Draw the lines of one run, or what was published of it, into a panel; returns what the legend is to name."""
    seen = set()
    for name, split in splits.items():
        x, y = _points(epochs, name)
        if x:
            seen.add(REPORT if published else split)
            shade = SPLIT_COLOURS[split] if alone else colour(number)
            strong = alone or split not in (MEAN, AFTER)
            look = _dotted(len(x)) if published else _line(len(x), number) if strong else THIN
            axis.plot(x, np.multiply(scale_of(name), y), color=shade, **look)
    return seen


def _dotted(count: int) -> dict[str, Any]:
    """Few values have crosses: they may be far apart, or one alone, of which a line shows nothing."""
    return DOTTED | (MARK if count <= MARKED else {})


def _line(count: int, number: int) -> dict[str, Any]:
    return {"lw": 1.8, "ls": dash(number), "marker": "." if count <= MARKED else None}


# The line of a published figure, and its marks where there are few.
DOTTED: Any = {"ls": (0, (1, 1.6)), "lw": 1.6}
MARK: Any = {"marker": "x", "markersize": 5}
# The line of the training loss, or accuracy, of one run among several.
THIN: Any = {"lw": 0.9, "ls": (0, (4, 2))}


def _legends(axes: "list[Axes]", numbers: Mapping[str, int], seen: Sequence[set[str]]) -> None:
    """The colours of the runs and the line styles of the splits. Each panel names what no panel before it names.

    A long legend stands beside the last panel. It names the panels of a split that not all of them show.
    """
    from matplotlib.lines import Line2D

    several = numbers if len(numbers) > 1 else {}
    handles = [(entry(label), Line2D([], [], color=colour(n), ls=dash(n), lw=1.8)) for label, n in several.items()]
    splits = [split for split in (*SPLIT_COLOURS, REPORT) if any(split in one for one in seen)]
    looks = {split: _look(split, alone=not several) for split in splits}
    if len(handles) + len(splits) > IN_LEGEND or max(map(len, several), default=0) > LONGEST:
        for split in splits:
            titles = [axis.get_title() for axis, one in zip(axes, seen, strict=True) if split in one]
            handles.append((panels_named(split, titles, len(axes)), looks[split]))
        _legend(axes[-1], handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0)
        return
    told: set[str] = set()
    for axis, one in zip(axes, seen, strict=True):
        _legend(axis, handles + [(split, looks[split]) for split in splits if split in one - told])
        handles, told = [], told | one


def _legend(axis: "Axes", handles: "Sequence[tuple[str, Line2D]]", **place: Any) -> None:
    if handles:
        texts, lines = zip(*handles, strict=True)
        axis.legend(lines, texts, frameon=False, fontsize=SMALL, **place)


def _look(split: str, *, alone: bool) -> "Line2D":
    """The line that stands for a split in a legend."""
    from matplotlib.lines import Line2D

    style = DOTTED | MARK if split == REPORT else {"lw": 1.8} if alone or split not in (MEAN, AFTER) else THIN
    return Line2D([], [], color=SPLIT_COLOURS.get(split, GREY) if alone else GREY, **style)


def panels_named(text: str, titles: Sequence[str], count: int) -> str:
    """A text of a legend that `count` panels share, with the titles of the panels it is about if these are not all."""
    return text if len(titles) == count else f"{text} ({', '.join(titles)})"
