"""How the cost of a sample grows: the trigram step against samples, vocabulary, hidden units, batch and threads.

    python -m bench.scaling --out docs/scaling.png [--quick]

Each point is timed in turns with the standard step, so that a drift of the machine's speed cancels out. The chart shows
the point's ratio to the standard step, times the standard step's median over all turns.
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure

import fastnn as fn
from bench import systems
from bench.interleave import compare
from bench.machine import complaint
from bench.system import System
from bench.systems import trigram
from fastnn.common.files import atomic_path
from fastnn.engine.threads import usable_threads
from fastnn.plots.style import BLUE, GREY

PAIRS, QUICK_PAIRS = 9, 3
GUIDES = {0: "constant", 1: "in proportion", -1: "in inverse proportion"}
PROBE = 3  # steps that tell how long a step takes


@dataclass(frozen=True)
class Panel:
    """One quantity that varies while the others stay.

    values  the first and the last of them alone with --quick
    power   of the dotted guide: cost a sample ∝ value ** power, if nothing else cost anything
    make    value -> the system
    """

    title: str
    values: tuple[int, ...]
    standard: int
    power: int
    make: Callable[[int], System]


@dataclass(frozen=True)
class Point:
    """A value, its step's ratio to the standard step in turns, and the standard step's seconds at that time."""

    value: int
    ratio: float
    standard: float
    batch: int


STANDARD = systems.TRIGRAM
BATCH = STANDARD.batch
PANELS = (
    Panel("samples", (10_000, 100_000, 1_000_000, 10_000_000), 20_000, 0, lambda n: replace(STANDARD, samples=n)),
    Panel("vocabulary", (250, 1_000, 4_000, 16_000, 50_000), 250, 1, lambda v: trigram(words=v)),
    Panel("hidden units", (32, 64, 128, 256, 512, 1_024), 256, 1, lambda p: trigram(hidden=p)),
    Panel("batch", (10, 25, 50, 100, 200, 400, 800), BATCH, 0, lambda b: replace(STANDARD, batch=b)),
)


def threads_panel() -> Panel:
    """The standard step on every number of threads there is."""
    every = usable_threads()
    return Panel("threads", tuple(range(1, every + 1)), every, -1, lambda _: STANDARD)


def measure(panel: Panel, quick: bool) -> list[Point]:
    values = (panel.values[0], panel.values[-1]) if quick else panel.values
    return [_point(panel, value, QUICK_PAIRS if quick else PAIRS) for value in values]


def _point(panel: Panel, value: int, pairs: int) -> Point:
    system = panel.make(value)
    count = value if panel.title == "threads" else usable_threads()
    (_, standard), (_, run) = systems.fastnn_runner(STANDARD), systems.fastnn_runner(system)

    def limited(steps: int):
        with fn.threads(count):
            return run(steps)

    result = compare(standard, limited, PROBE, pairs)
    print(f"{panel.title} {value:,}: {result.ratio:.3f} x the standard step of {1e6 * result.ours:.0f} us", flush=True)
    return Point(value, result.ratio, result.ours, system.batch)


def draw(panels: list[tuple[Panel, list[Point]]], path: Path) -> None:
    """Small multiples on one logarithmic scale of microseconds a sample."""
    standard = statistics.median(point.standard for _, points in panels for point in points)
    figure = Figure(figsize=(13.5, 3.6), dpi=120, layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True)
    for axis, (panel, points) in zip(axes, panels, strict=True):
        _panel(axis, panel, points, standard)
    axes[0].set_ylabel("µs a sample")
    figure.suptitle(
        f"cost of a training sample: trigram step, D 32, P 256, 250 words, batch {BATCH}, "
        f"{usable_threads()} threads\nhollow circle: this standard step",
        fontsize=10,
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _panel(axis, panel: Panel, points: list[Point], standard: float) -> None:
    values = [point.value for point in points]
    costs = [1e6 * point.ratio * standard / point.batch for point in points]
    middle = 1e6 * standard / BATCH
    guide = [middle * (value / panel.standard) ** panel.power for value in values]
    axis.plot(values, guide, color=GREY, linestyle=":", linewidth=1.2)
    axis.plot(values, costs, color=BLUE, marker=".", markersize=8)
    axis.plot([panel.standard], [middle], "o", markersize=9, mfc="none", color=GREY)
    axis.set_yscale("log")
    axis.set_title(panel.title, fontsize=10)
    axis.set_xlabel(f"dotted: {GUIDES[panel.power]}", fontsize=8, color=GREY)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    if panel.title == "threads":
        axis.set_xticks(values)
    else:
        axis.set_xscale("log")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the PNG file")
    parser.add_argument("--quick", action="store_true", help="the first and last value of each panel, fewer turns")
    given = parser.parse_args()
    if reason := complaint():
        parser.exit(1, f"{reason}; try again when it is gone\n")
    draw([(panel, measure(panel, given.quick)) for panel in (*PANELS, threads_panel())], given.out)


if __name__ == "__main__":
    main()
