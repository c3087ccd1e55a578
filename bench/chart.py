"""The picture of a report: how many times longer each peer takes for a step, by system, on a logarithmic axis."""

import statistics
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.peers import PEERS
from bench.rows import Row, duration
from fastnn.common.files import atomic_path
from fastnn.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE

COLOURS = dict(zip((peer.name for peer in PEERS), (ORANGE, BLUE, GREEN, PURPLE), strict=True))
BAR = 0.26  # inches
GAP = 0.9  # bars' heights between systems
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(rows: list[Row], processor: str, path: Path) -> None:
    """Horizontal bars from the line at 1, rightwards where fastnn is faster; thin lines are quartiles."""
    systems = list(dict.fromkeys(row.system for row in rows))
    height = BAR * (len(rows) + GAP * len(systems)) + 1.3
    figure = Figure(figsize=(8.6, height), dpi=120, layout="constrained")
    axis = figure.subplots()
    _scale(axis, rows)
    middles, bottom = [], 0.0
    for system in systems:
        own = [row for row in rows if row.system == system]
        for offset, row in enumerate(own):
            _bar(axis, row, bottom + offset)
        middles.append(bottom + (len(own) - 1) / 2)
        bottom += len(own) + GAP
    axis.set_yticks(middles, [f"{name}\n{_own_time(rows, name)}" for name in systems])
    axis.set_ylim(bottom - GAP - 0.4, -0.6)
    _explain(figure, axis, rows, processor)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _scale(axis, rows: list[Row]) -> None:
    """A logarithmic axis with room for the numbers, its ticks, and the line where both are as fast."""
    low = min(1.0, *(row.ratio for row in rows), *(row.quartiles[0] for row in rows))
    high = max(1.0, *(row.ratio for row in rows), *(row.quartiles[1] for row in rows))
    axis.set_xscale("log")
    axis.set_xlim(low / 2, high * 2)
    axis.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if low / 2 < tick < high * 2]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axis.axvline(1, color="black", linewidth=1, zorder=3)
    axis.grid(axis="x", alpha=0.25)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _bar(axis, row: Row, y: float) -> None:
    axis.barh(y, row.ratio - 1, left=1, height=0.84, color=COLOURS[row.peer])
    low, high = row.quartiles
    axis.plot([low, high], [y, y], color=GREY, linewidth=1.2, zorder=4)
    faster = row.ratio >= 1
    end = max(row.ratio, high) if faster else min(row.ratio, low)
    offset = (4, 0) if faster else (-4, 0)
    side = "left" if faster else "right"
    axis.annotate(row.figure, (end, y), offset, textcoords="offset points", ha=side, va="center", fontsize=8)


def _own_time(rows: list[Row], system: str) -> str:
    return duration(statistics.median(row.ours for row in rows if row.system == system))


def _explain(figure, axis, rows: list[Row], processor: str) -> None:
    present = dict.fromkeys(row.peer for row in rows)
    handles = [axis.barh(0, 0, left=1, color=COLOURS[peer], label=peer) for peer in COLOURS if peer in present]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    threads = max(row.threads for row in rows)
    axis.set_xlabel("time of a training step, peer / fastnn;  right of 1×: fastnn is faster")
    axis.set_title(
        f"float32, {threads} threads, {processor}; under each name fastnn's own time", fontsize=9, color=GREY
    )
