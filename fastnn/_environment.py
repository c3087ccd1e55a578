"""Environment variables with which Numba would fail as it is imported, or at the first kernel: said before, in a line.

`fastnn/__init__.py` imports this file before Numba. The command prints the line; elsewhere it is a ValueError.
"""

import os
import sys

from fastnn._interruption import is_command

MOST_THREADS = 1024  # Numba makes as many as it is told, and a process cannot have any number of them
LAYERS = ("default", "safe", "threadsafe", "forksafe", "tbb", "omp", "workqueue")


def mistake() -> str:
    """What is wrong with a variable that Numba reads; "" if nothing is. Numba itself warns of what is no number."""
    count = os.environ.get("NUMBA_NUM_THREADS", "").strip()
    if count.lstrip("+-").isdecimal() and int(count) < 1:
        return f"NUMBA_NUM_THREADS is {count}, expected at least 1, or no such variable: then all processors are used"
    if count.lstrip("+").isdecimal() and int(count) > MOST_THREADS:
        return f"NUMBA_NUM_THREADS is {count:.20}, expected at most {MOST_THREADS:,}, or no such variable"
    layer = os.environ.get("NUMBA_THREADING_LAYER", "default")
    if layer.lower() not in LAYERS:
        return f"NUMBA_THREADING_LAYER is {layer!r:.60}, expected one of {', '.join(LAYERS)}, or no such variable"
    return ""


if found := mistake():
    if not is_command():
        raise ValueError(found)
    sys.stderr.write(f"fastnn: {found}\n")
    sys.exit(2)
