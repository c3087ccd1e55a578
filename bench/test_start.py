"""Time and memory of the start: import, a first run that compiles, a second that does not.

`pytest bench/test_start.py --benchmark-only -m start`. Each row runs new processes of this Python; those that train
take `fastnn train trigram --epochs 2`. Times are of the whole process; memory is the peak of the largest process.
"""

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EPOCHS = 2
IMPORTS = 5
# A small process stands between this one and the measured one: on Linux a child starts with its parent's peak memory as
# its own, and pytest's is large. ru_maxrss is in KiB there, in bytes on macOS.
LAUNCHER = """
import resource, subprocess, sys, time
begin = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(status, seconds, peak * (1 if sys.platform == "darwin" else 1024))
"""

pytestmark = [pytest.mark.start, pytest.mark.usefixtures("whole_machine"), pytest.mark.benchmark(group="start")]


@dataclass(frozen=True)
class Outcome:
    """seconds of the whole process, and megabytes of 10⁶ bytes at its peak"""

    seconds: float
    megabytes: float


def launch(cache: Path, *arguments: str) -> Outcome:
    """Run Python with `arguments`, kernels cached in `cache`."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "kernels")])
    environment = os.environ | {"FASTNN_CACHE_DIR": str(cache), "PYTHONPATH": path}
    command = [sys.executable, "-c", LAUNCHER, sys.executable, *arguments]
    done = subprocess.run(command, env=environment, cwd=cache, capture_output=True, text=True, check=True)
    status, seconds, peak = map(float, done.stdout.split())
    assert status == 0, done.stderr
    return Outcome(seconds, peak / 1e6)


def train(cache: Path, out: Path) -> Outcome:
    return launch(cache, "-m", "fastnn", "train", "trigram", "--epochs", str(EPOCHS), "--out", str(out))


def note(benchmark, outcome: Outcome) -> None:
    benchmark.extra_info |= {"seconds": round(outcome.seconds, 2), "peak MB": round(outcome.megabytes)}


def test_import(benchmark, tmp_path):
    """`import fastnn` in a new process, less an empty process: medians of some."""
    launch(tmp_path, "-c", "import fastnn")  # writes the byte code
    empty, full = ([launch(tmp_path, "-c", code) for _ in range(IMPORTS)] for code in ("", "import fastnn"))
    benchmark.pedantic(launch, args=(tmp_path, "-c", "import fastnn"), rounds=1)
    seconds = [statistics.median(outcome.seconds for outcome in outcomes) for outcomes in (full, empty)]
    note(benchmark, Outcome(seconds[0] - seconds[1], max(outcome.megabytes for outcome in full)))


def test_cold_start(benchmark, tmp_path):
    """The first run on a machine: every kernel is compiled."""
    note(benchmark, benchmark.pedantic(train, args=(tmp_path, tmp_path / "run"), rounds=1))


def test_warm_start(benchmark, tmp_path):
    """A later run: kernels come from the cache that the first one filled."""
    train(tmp_path, tmp_path / "first")
    note(benchmark, benchmark.pedantic(train, args=(tmp_path, tmp_path / "second"), rounds=1))
