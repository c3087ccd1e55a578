"""Two ways of doing the same work, timed in turn, so that a drift of the machine's speed hits both."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

# Two libraries in one process have a pool of threads each, and the threads of one spin for a while after its last
# call, on the cores that the other now needs: those of OpenMP for about a millisecond, those of OpenBLAS for 2²⁶
# cycles, some 25 ms. So a side first runs a whole turn off the clock, until the other's threads sleep.
SECONDS_A_TURN = 0.04
FAR_BEHIND = 1.7  # a machine's speed may change that much between two turns, seldom more
PROBES = 3  # the fewest probes, which together last at least as long as this many turns

Run = Callable[[int], object]


class Elsewhere(Protocol):
    """Work in another process, which has a clock of its own, so that the way there and back does not count."""

    def seconds(self, steps: int) -> float: ...


@dataclass(frozen=True)
class Comparison:
    """Median seconds a step of ours and theirs, and the median of the ratios theirs / ours, pair by pair.

    spread  the quartiles of these ratios
    """

    ours: float
    theirs: float
    ratio: float
    spread: tuple[float, float]


def compare(ours: Run, theirs: Run | Elsewhere, probe: int, pairs: int = 15) -> Comparison:
    """Time ours(steps) and theirs(steps) in turn, `pairs` times; `probe` steps tell how many fill a turn."""
    turns = [(run, steps_a_turn(run, probe)) for run in (ours, theirs)]
    timings = [tuple(_turn(run, steps) for run, steps in turns) for _ in range(pairs)]
    ratios = [b / a for a, b in timings]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Comparison(
        statistics.median(a for a, _ in timings), statistics.median(b for _, b in timings), middle, (low, high)
    )


def steps_a_turn(run: Run | Elsewhere, probe: int) -> int:
    """The number of steps that fill a turn. Code that is compiled for a number of steps is compiled here."""
    steps = max(1, math.ceil(SECONDS_A_TURN / _fastest_probe(run, probe)))
    _seconds(run, steps)
    return steps


def in_turns(runs: Mapping[str, Run | Elsewhere], probe: int, rounds: int = 5) -> dict[str, float]:
    """Median seconds a step of each, all in turn `rounds` times. What is far behind in the first takes no other."""
    steps = {name: steps_a_turn(run, probe) for name, run in runs.items()}
    timings = {name: [_turn(runs[name], steps[name])] for name in runs}
    best = min(first for (first,) in timings.values())
    close = [name for name, (first,) in timings.items() if first < FAR_BEHIND * best]
    for name in (rounds - 1) * close:
        timings[name].append(_turn(runs[name], steps[name]))
    return {name: statistics.median(own) for name, own in timings.items()}


def _fastest_probe(run: Run | Elsewhere, probe: int) -> float:
    """Seconds a step. The fastest of some probes counts: the first ones may still meet the other side's threads, and a
    turn that is too short would never get past them.
    """
    _seconds(run, probe)
    begin, fastest, probes = time.perf_counter(), math.inf, 0
    while probes < PROBES or time.perf_counter() - begin < PROBES * SECONDS_A_TURN:
        fastest, probes = min(fastest, _seconds(run, probe) / probe), probes + 1
    return fastest


def _turn(run: Run | Elsewhere, steps: int) -> float:
    """Seconds a step, after as many that are not timed."""
    _seconds(run, steps)
    return _seconds(run, steps) / steps


def _seconds(run: Run | Elsewhere, steps: int) -> float:
    return clock(run, steps) if callable(run) else run.seconds(steps)


def clock(run: Run, steps: int) -> float:
    """Seconds that run(steps) takes."""
    begin = time.perf_counter()
    run(steps)
    return time.perf_counter() - begin
