"""Two ways of doing the same work, timed in turn, so that a drift of the machine's speed hits both."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

# Two libraries in one process have a pool of threads each, and the threads of one spin for a while after its last
# call, on the cores that the other now needs: those of OpenMP for about a millisecond, those of OpenBLAS for 2²⁶
# cycles, some 25 ms. So a side first runs a whole turn off the clock, until the other's threads sleep.
SECONDS_A_TURN = 0.04
PROBES = 3  # the fewest probes, which together last at least as long as this many turns

Run = Callable[[int], object]


@dataclass(frozen=True)
class Comparison:
    """Median seconds a step of ours and theirs, and the median of the ratios theirs / ours, pair by pair.

    spread  the quartiles of these ratios
    """

    ours: float
    theirs: float
    ratio: float
    spread: tuple[float, float]


def compare(ours: Run, theirs: Run, probe: int, pairs: int = 15) -> Comparison:
    """Time ours(steps) and theirs(steps) in turn, `pairs` times; `probe` steps tell how many fill a turn."""
    turns = [(run, steps_a_turn(run, probe)) for run in (ours, theirs)]
    return compared([tuple(_turn(run, steps) for run, steps in turns) for _ in range(pairs)])


def compared(timings: list[tuple[float, float]]) -> Comparison:
    """Of seconds a step of ours and theirs, pair by pair."""
    ratios = [b / a for a, b in timings]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Comparison(
        statistics.median(a for a, _ in timings), statistics.median(b for _, b in timings), middle, (low, high)
    )


def steps_a_turn(run: Run, probe: int) -> int:
    """The number of steps that fill a turn. Code that is compiled for a number of steps is compiled here.

    The fastest of some probes counts: the first ones may still meet the other side's threads, and a turn that
    is too short would never get past them.
    """
    run(probe)
    begin, fastest, probes = time.perf_counter(), math.inf, 0
    while probes < PROBES or time.perf_counter() - begin < PROBES * SECONDS_A_TURN:
        fastest, probes = min(fastest, _seconds_a_step(run, probe)), probes + 1
    steps = max(1, math.ceil(SECONDS_A_TURN / fastest))
    run(steps)
    return steps


def _turn(run: Run, steps: int) -> float:
    """Seconds a step, after as many that are not timed."""
    run(steps)
    return _seconds_a_step(run, steps)


def _seconds_a_step(run: Run, steps: int) -> float:
    begin = time.perf_counter()
    run(steps)
    return (time.perf_counter() - begin) / steps
