"""Whether the machine gives this process all its cores: if not, no figure is worth reading."""

import subprocess
import sys
import time

from fastnn.engine.threads import threads_at_hand

# A loop of this many additions takes about a third of a second.
BUSY = [sys.executable, "-c", "n = 0\nfor i in range(8_000_000): n += i"]
SLOWER_ALLOWED = 1.3
ATTEMPTS = 4


def _seconds(processes: int) -> float:
    begin = time.perf_counter()
    running = [subprocess.Popen(BUSY) for _ in range(processes)]
    for process in running:
        process.wait()
    return time.perf_counter() - begin


def slowdown() -> float:
    """How much longer two busy processes take than one, the best of some attempts, the first good one ending them.

    1 where this process may use one processor alone: there two would always share it.
    """
    if threads_at_hand() == 1:
        return 1.0
    best = float("inf")
    for _ in range(ATTEMPTS):
        best = min(best, _seconds(2) / _seconds(1))
        if best <= SLOWER_ALLOWED:
            break
    return best


def complaint() -> str | None:
    """Why figures would be worthless now; None if they would not."""
    if (ratio := slowdown()) <= SLOWER_ALLOWED:
        return None
    return f"two busy processes take {ratio:.2f} x the time of one: something else holds a core"
