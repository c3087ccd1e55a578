"""Two ways of doing the same work, timed in turn, so that a drift of the machine's speed hits both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Median seconds a step of ours and theirs, and the median of the ratios theirs / ours, pair by pair."""

    ours: float
    theirs: float
    ratio: float


def compare(ours: Callable[[int], object], theirs: Callable[[int], object], steps: int, pairs: int = 15) -> Comparison:
    """Call ours(steps) and theirs(steps) in turn, `pairs` times, after one warm-up of each."""
    ours(steps), theirs(steps)
    timings = [(_time(ours, steps), _time(theirs, steps)) for _ in range(pairs)]
    return Comparison(
        statistics.median(a for a, _ in timings) / steps,
        statistics.median(b for _, b in timings) / steps,
        statistics.median(b / a for a, b in timings),
    )


def _time(work: Callable[[int], object], steps: int) -> float:
    begin = time.perf_counter()
    work(steps)
    return time.perf_counter() - begin
