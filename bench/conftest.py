"""Before a row is believed: the machine must give this process all its cores."""

import subprocess
import sys
import time

import pytest

# A loop of this many additions takes about a third of a second.
BUSY = [sys.executable, "-c", "n = 0\nfor i in range(8_000_000): n += i"]
SLOWER_ALLOWED = 1.3


def _seconds(processes: int) -> float:
    begin = time.perf_counter()
    running = [subprocess.Popen(BUSY) for _ in range(processes)]
    for process in running:
        process.wait()
    return time.perf_counter() - begin


@pytest.fixture(scope="module")
def whole_machine():
    """Skip the rows of a module while two busy processes run slower than one: a core is withheld."""
    ratio = min(_seconds(2) / _seconds(1) for _ in range(2))
    if ratio > SLOWER_ALLOWED:
        pytest.skip(f"two busy processes take {ratio:.2f} x the time of one: something else holds a core")
