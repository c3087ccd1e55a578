"""What `pytest --benchmark-only` holds by itself and on request, and that a run which timed nothing fails."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import machine, systems
from bench.on_request import MARKERS, is_chosen, nothing_timed
from fastnn_kernels.registry import REGISTRY

ROOT = Path(__file__).parents[2]


def run_pytest(*arguments, **environment):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--benchmark-only", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)


def skipped(reason):
    return SimpleNamespace(longrepr=("bench/test_x.py", 1, f"Skipped: {reason}"))


def test_rows_with_a_marker_run_on_request():
    assert is_chosen({"test_kernel"}, "", ["bench"])
    for marker in MARKERS:
        assert not is_chosen({"test_row", marker}, "", ["bench/test_systems.py"])
        assert is_chosen({"test_row", marker}, marker, ["bench"])
        assert is_chosen({"test_row", marker}, "", ["bench/test_systems.py::test_row"])


def test_a_run_that_timed_something_is_fine():
    assert nothing_timed({"passed": [1], "skipped": [skipped("busy")]}) == ""
    assert nothing_timed({"failed": [1], "skipped": [skipped("busy")]}) == ""
    assert nothing_timed({}) == ""


def test_a_run_that_timed_nothing_says_why():
    got = nothing_timed({"skipped": [skipped("a core is busy"), skipped("a core is busy"), skipped("no torch")]})
    assert got == "Nothing was timed: all 3 benchmarks were skipped (a core is busy; no torch)."
    assert "-m peers" in nothing_timed({"deselected": [1]})


def test_a_run_in_which_everything_is_skipped_fails():
    done = run_pytest("bench/test_ceiling.py", NUMBA_DISABLE_JIT="1")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "Nothing was timed: all" in done.stdout


def test_by_itself_it_times_every_kernel_and_every_system_alone():
    collected = run_pytest("--collect-only", "-q").stdout
    for name in REGISTRY:
        assert f"test_kernel[{name}-" in collected
    for system in systems.ALL:
        assert f"test_fastnn_step[{system.id}]" in collected
    assert "test_call[predict, a sample]" in collected
    for others in ("test_beside", "test_numpy", "test_training[", "test_cold_start", "tests/"):
        assert others not in collected


def test_peers_are_timed_on_request():
    collected = run_pytest("--collect-only", "-q", "-m", "peers").stdout
    assert "test_beside[" in collected
    assert "test_kernel[" not in collected


def test_one_processor_alone_is_not_taken_for_a_disturbed_machine(monkeypatch):
    monkeypatch.setattr(machine, "threads_at_hand", lambda: 1)
    monkeypatch.setattr(machine, "_seconds", lambda processes: float(processes))
    assert machine.complaint() is None
    monkeypatch.setattr(machine, "threads_at_hand", lambda: 2)
    assert "2.00 x" in machine.complaint()
