"""Sweeps in other processes: functions of scripts, processes that are killed, and a cluster of real workers."""

import csv
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.search.pools import processes
from tests.search.clusters import cluster
from tests.search.sweeps import COMMON, DATA
from tests.tiny import environment, jit_only, two_threads

kills = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no signal that ends a process at once")
SCRIPT = """
import os, signal, sys, time
import numpy as np
import fastnn as fn

x = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
y = (x[:, 0] > 0).astype(int)


def build(hidden, seed=0):
    if hidden == 3 and not os.path.exists("killed"):
        open("killed", "w", encoding="utf-8").close()
        signal.raise_signal(signal.SIGKILL)
    if hidden == 4:
        signal.raise_signal(signal.SIGKILL)
    if hidden == 6:
        raise RuntimeError("no six")
    return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(2)], input_shape=3, seed=seed)
"""
SWEEP = """
result = fn.sweep(build, {"hidden": HIDDEN}, (x, y), validation_split=0.2, jobs=2, threads=2, out="s")
print([(row["hidden"], row["status"], row["threads"] if "threads" in row else 0) for row in result.rows])
print(result.rows[-1]["reason"])
print(result.best_model().predict(x).shape)
"""


def run(folder, code, **changes):
    """stdout and stderr of a script in a folder."""
    (folder / "script.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "script.py"],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout, done.stderr


@two_threads
@kills
@jit_only
def test_a_script_s_function_and_killed_processes(tmp_path):
    """By joblib's processes: no `if __name__`, and who is killed once is trained again."""
    pytest.importorskip("joblib")
    told, errors = run(tmp_path, SCRIPT + SWEEP.replace("HIDDEN", "[2, 3, 4, 6]"))
    lines = told.splitlines()
    assert len(lines) == 3, errors
    want = [(2, "finished"), (3, "finished"), (4, "crashed"), (6, "failed")]
    assert [row[:2] for row in eval(lines[0])] == want
    assert {row[2] for row in eval(lines[0]) if row[1] == "finished"} == {1}
    assert lines[1] == "RuntimeError: no six"
    assert lines[2] == "(60, 2)"


WITHOUT = """
import sys
for name in ("joblib", "joblib.externals.loky", "joblib.externals.cloudpickle", "cloudpickle"):
    sys.modules[name] = None
"""


@two_threads
@jit_only
def test_without_joblib_a_script_needs_its_guard(tmp_path):
    bare = WITHOUT + SCRIPT + SWEEP.replace("HIDDEN", "[2, 5]")
    told, errors = run(tmp_path, bare)
    assert not told
    assert errors.splitlines()[-1].startswith("fastnn.common.errors.FastnnError: a process ended as it began")
    guarded = (
        WITHOUT + SCRIPT + 'if __name__ == "__main__":\n' + textwrap.indent(SWEEP, "    ").replace("HIDDEN", "[2, 5]")
    )
    told, errors = run(tmp_path, guarded)
    assert told.splitlines()[-1] == "(60, 2)", errors


def test_what_cannot_be_sent_is_one_line():
    pytest.importorskip("joblib")
    stuck = (line for line in "ab")
    with pytest.raises(fn.FastnnError, match="cannot be sent to other processes: cannot pickle 'generator'"):
        fn.sweep(lambda hidden: stuck, {"hidden": [2, 4]}, DATA, jobs=2, **COMMON)


def rows(folder):
    path = folder / "sweep.csv"
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def slow(hidden, folder=""):
    """A model whose second one kills its worker, once."""
    mark = os.path.join(folder, "killed")
    if hidden == 3 and not os.path.exists(mark):
        open(mark, "w", encoding="utf-8").close()
        signal.raise_signal(signal.SIGKILL)
    return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(2)], input_shape=3)


@kills
@jit_only
def test_a_cluster_of_which_a_worker_is_killed_and_then_its_scheduler(tmp_path):
    given = COMMON | {"out": tmp_path / "s"}
    space = {"hidden": [2, 3, 4, 5], "folder": [str(tmp_path)]}
    with cluster(tmp_path) as (address, started):
        result = fn.sweep(slow, space, DATA, scheduler=address, **given)
        assert [row["status"] for row in result.rows] == ["finished"] * 4
        assert (tmp_path / "killed").exists()
        assert {row["threads"] for row in result.rows} <= {1, 2, 4, 8, 16, 32}
        here = fn.sweep(slow, space, DATA, threads=1, **COMMON)
        assert [row["val_loss"] for row in result.rows] == [row["val_loss"] for row in here.rows]
        waits = {"hidden": [2, 4, 5], "folder": [str(tmp_path)], "pid": [started[0].pid]}
        with pytest.warns(UserWarning, match="the cluster's scheduler went away; those that crashed are trained again"):
            result = fn.sweep(ending, waits, DATA, scheduler=address, **given)
        assert [row["status"] for row in result.rows] == ["finished", "crashed", "crashed"]
    trained = [row["hidden"] for row in rows(tmp_path / "s") if row["status"] == "finished" and row["pid"]]
    assert trained == ["2"], "it was written before the scheduler went away"
    again = fn.sweep(ending, waits, DATA, **given)
    assert [row["status"] for row in again.rows] == ["finished"] * 3
    assert again.rows[0]["seconds"] == result.rows[0]["seconds"], "it was not trained again"


def killing(hidden, folder=""):
    """A model whose odd ones kill their worker, once each."""
    mark = os.path.join(folder, f"killed-{hidden}")
    if hidden % 2 and not os.path.exists(mark):
        open(mark, "w", encoding="utf-8").close()
        signal.raise_signal(signal.SIGKILL)
    return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(2)], input_shape=512)


@kills
@jit_only
def test_a_killed_worker_that_alone_holds_the_data_costs_no_trial(tmp_path):
    """2 MB, which do not go with each call; there is one worker, so nobody else has them."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1024, 512), np.float32), rng.integers(0, 2, 1024)
    given = {"epochs": 1, "batch_size": 128, "validation_split": 0.2, "verbose": False}
    space = {"hidden": [2, 3], "folder": [str(tmp_path)]}
    with cluster(tmp_path, workers=1) as (address, _):
        result = fn.sweep(killing, space, (x, y), scheduler=address, **given)
    assert [row.get("reason") for row in result.rows] == [""] * 2
    assert (tmp_path / "killed-3").exists()


def ending(hidden, folder, pid):
    """A model of which each but the first kills the scheduler, once, and then takes long."""
    mark = os.path.join(folder, "ended")
    if hidden != 2 and not os.path.exists(mark):
        while not os.path.exists(os.path.join(folder, "s", "models")) or len(rows(Path(folder) / "s")) < 5:
            time.sleep(0.1)
        open(mark, "w", encoding="utf-8").close()
        os.killpg(pid, signal.SIGKILL)
    if hidden != 2 and alive(pid):
        time.sleep(60)
    return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(2)], input_shape=3)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_without_joblib_processes_end_when_they_are_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib.externals.loky", None)
    with processes(1, 1) as pool:
        assert not pool.by_joblib
        assert pool.submit(os.getpid).result() != os.getpid()
        (first,) = pool._pool._processes.values()
        pool.submit(time.sleep, 600)
        pool.renew()  # as after a process that died
        first.join(120)
        assert first.exitcode == -signal.SIGTERM
        assert pool.submit(abs, -3).result() == 3
