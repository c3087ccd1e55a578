"""Whether the machine gives this process all its cores, without which no figure is worth reading; what peers run."""

import subprocess
import sys
import time

from threadpoolctl import threadpool_info

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


def blas() -> str:
    """The BLAS libraries in this process: NumPy's and SciPy's, so scikit-learn's. Each with the code that it runs.

    An environment may hold one to older instructions than the processor has (OPENBLAS_CORETYPE), which makes a peer
    slower than its users find it.
    """
    found = [one for one in threadpool_info() if one["user_api"] == "blas"]
    named = {f"{one['internal_api']} {one['version']} for {one.get('architecture', 'any processor')}" for one in found}
    return ", ".join(sorted(named))
