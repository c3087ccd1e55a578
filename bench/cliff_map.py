"""Maps of the time a multiply-add of bench/cliffs.py takes, as text and as a picture."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from bench.neighbours import Cliff, Net
from fastnn.common.files import atomic_path
from fastnn.plots.style import ORANGE

COLUMNS = 15  # of a map as text
TICKS = 14  # labels of an axis of a picture
BRIGHTEST = 0.9  # the quantile of costs above which all are alike: the narrowest nets would leave no colours for others
Maps = dict[str, list[Net]]


def axes_of(title: str) -> tuple[str, str]:
    """What varies downwards and rightwards in the map of a title such as "width and batch, depth 3"."""
    down, right = title.partition(",")[0].split(" and ")
    return down, right


def some(values: Iterable[int], count: int) -> list[int]:
    """At most `count` of these values, the first and last among them, evenly spread."""
    values = list(values)
    places = np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int)
    return [values[place] for place in places]


def cost(net: Net, seconds: dict[Net, float]) -> float:
    """Picoseconds a multiply-add."""
    return 1e12 * seconds[net] / net.multiply_adds


def _table(title: str, nets: list[Net], seconds: dict[Net, float]) -> tuple[list[int], list[int], np.ndarray]:
    """The values downwards and rightwards, and the costs between them."""
    down, right = axes_of(title)
    rows, columns = (sorted({getattr(net, name) for net in nets}) for name in (down, right))
    costs = np.full((len(rows), len(columns)), np.nan)
    for net in nets:
        costs[rows.index(getattr(net, down)), columns.index(getattr(net, right))] = cost(net, seconds)
    return rows, columns, costs


def text_maps(maps: Maps, seconds: dict[Net, float]) -> list[str]:
    """Each map as lines: picoseconds a multiply-add, of at most COLUMNS columns."""
    return [_text_map(title, nets, seconds) for title, nets in maps.items()]


def _text_map(title: str, nets: list[Net], seconds: dict[Net, float]) -> str:
    rows, columns, costs = _table(title, nets, seconds)
    shown = some(columns, COLUMNS)
    lines = [f"{title}: picoseconds a multiply-add", " " * 6 + "".join(f"{column:8}" for column in shown)]
    for row, values in zip(rows, costs, strict=True):
        lines.append(f"{row:6}" + "".join(f"{values[columns.index(column)]:8.0f}" for column in shown))
    return "\n".join(lines)


def draw(maps: Maps, seconds: dict[Net, float], cliffs: list[Cliff], threads: int, path: Path) -> None:
    """The maps beside each other on one scale of colours; a circle marks the slow one of two neighbours."""
    figure = Figure(figsize=(6.2 * len(maps), 6.4), dpi=120, layout="constrained")
    costs = [cost(net, seconds) for nets in maps.values() for net in nets]
    norm = LogNorm(min(costs), np.quantile(costs, BRIGHTEST))
    for axis, (title, nets) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        image = _panel(axis, title, nets, seconds, norm)
        _mark(axis, title, nets, cliffs)
    figure.colorbar(image, ax=figure.axes, label="picoseconds a multiply-add", shrink=0.8, extend="max")
    figure.suptitle(
        f"a training step of dense nets, float32, {threads} threads; circles: neighbours beyond the bound", fontsize=10
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _panel(axis, title: str, nets: list[Net], seconds: dict[Net, float], norm: LogNorm):
    (down, right), (rows, columns, costs) = axes_of(title), _table(title, nets, seconds)
    image = axis.imshow(costs, norm=norm, cmap="viridis", aspect="auto", origin="lower", interpolation="nearest")
    axis.set_title(title, fontsize=10)
    axis.set_ylabel(down)
    axis.set_xlabel(right)
    shown_rows, shown_columns = some(rows, TICKS), some(columns, TICKS)
    axis.set_yticks([rows.index(value) for value in shown_rows], [str(value) for value in shown_rows])
    axis.set_xticks([columns.index(value) for value in shown_columns], [str(value) for value in shown_columns])
    axis.tick_params(axis="x", rotation=90)
    return image


def _mark(axis, title: str, nets: list[Net], cliffs: list[Cliff]) -> None:
    """Filled where no reason is known, hollow where one is."""
    down, right = axes_of(title)
    rows, columns = (sorted({getattr(net, name) for net in nets}) for name in (down, right))
    members = set(nets)
    for one in cliffs:
        if {one.slow, one.quick} <= members:
            place = columns.index(getattr(one.slow, right)), rows.index(getattr(one.slow, down))
            axis.plot(*place, "o", markersize=5, mec=ORANGE, mfc="none" if one.reason else ORANGE)
