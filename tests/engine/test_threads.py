"""Threads of kernels, of Python, and of processes that fork."""

import os
import threading
from pathlib import Path

import numba
import numpy as np
import pytest

import fastnn as fn
from fastnn.engine.threads import _quota, parallel_allowed, threads_at_hand, usable_threads
from tests.tiny import THREADS, bits, fit, jit_only, python, tiny_model, two_threads


def test_threads_are_restored():
    before = numba.get_num_threads()
    with fn.threads(1):
        assert numba.get_num_threads() == 1
        assert not parallel_allowed()
        with fn.threads(THREADS):
            assert numba.get_num_threads() == THREADS
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == before


def test_threads_are_restored_after_an_error():
    before = numba.get_num_threads()
    with pytest.raises(RuntimeError, match="inside"), fn.threads(1):
        raise RuntimeError("inside")
    assert numba.get_num_threads() == before


@pytest.mark.parametrize("count", [0, -1, THREADS + 1, 1.0, "1", None, True])
def test_bad_counts(count):
    message = f"threads: got {count!r}, expected a whole number from 1 to {THREADS}"
    with pytest.raises(ValueError, match=message), fn.threads(count):
        pass


def test_counts_may_be_numpy_s():
    with fn.threads(np.int64(1)):
        assert numba.get_num_threads() == 1


@two_threads
def test_a_call_without_with_acts_from_then_on():
    def in_a_thread_of_its_own():
        fn.threads(1)
        return usable_threads()

    before = usable_threads()
    assert together(in_a_thread_of_its_own) == [1]
    assert usable_threads() == before  # the choice is one thread's
    outer = fn.threads(1)
    try:
        assert usable_threads() == 1
        with fn.threads(2):
            assert usable_threads() == 2
        assert usable_threads() == 1
    finally:
        outer.__exit__()
    assert usable_threads() == before


@two_threads
def test_limits_that_are_made_before_they_are_used():
    before = usable_threads()
    one, two = fn.threads(1), fn.threads(2)
    for limit in (one, two, one):
        with limit:
            assert usable_threads() == limit.count
    assert usable_threads() == before


@two_threads
def test_a_decorated_function():
    before = usable_threads()

    @fn.threads(1)
    def used(more=0):
        """How many."""
        return usable_threads() + more

    assert usable_threads() == before
    assert (used(), used(more=1), usable_threads(), used.__doc__) == (1, 2, before, "How many.")


def together(*tasks):
    """Run functions at once, each in a thread of its own; what they return."""
    results = [None] * len(tasks)

    def run(i):
        results[i] = tasks[i]()

    workers = [threading.Thread(target=run, args=(i,)) for i in range(len(tasks))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def test_two_trainings_at_once():
    want = [bits(fit(tiny_model(seed=seed), epochs=5).parameters) for seed in (0, 1)]
    got = together(*(lambda seed=seed: bits(fit(tiny_model(seed=seed), epochs=5).parameters) for seed in (0, 1)))
    assert got == want


# Large enough for parallel twins: 150 samples, 200 words, 128 hidden units.
LARGE = """
import hashlib, os, sys, threading
import numba
import fastnn as fn
from fastnn_kernels import _tuning
from tests.tiny import tiny_model, trigrams

def train(seed=0, epochs=1):
    model = tiny_model(words=200, width=16, hidden=128, std=0.1, seed=seed)
    model.fit(*trigrams(1000, 200), optimizer=fn.SGD(0.15, momentum=0.85), batch_size=150, epochs=epochs, verbose=False)
    return hashlib.sha256(model.parameters.flat.tobytes()).hexdigest()
"""

FORK = (
    LARGE
    + """
print(train())
sys.stdout.flush()
child = os.fork()
if child == 0:
    from fastnn.engine.threads import parallel_allowed
    print(train())
    print(parallel_allowed())
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0, "the child did not end well"
print(train())
"""
)


@jit_only
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_trains_with_serial_twins():
    before, child, allowed, after = python(FORK).split()
    assert before == child == after
    assert allowed == "False"


AT_ONCE = (
    LARGE
    + """
want = [train(seed, 3) for seed in (0, 1)]
got = [None, None]

def run(seed):
    got[seed] = train(seed, 3)

workers = [threading.Thread(target=run, args=(seed,)) for seed in (0, 1)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(numba.threading_layer(), got == want)
"""
)


@jit_only
def test_two_parallel_trainings_at_once_under_workqueue():
    assert python(AT_ONCE, NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="2").split() == ["workqueue", "True"]


STEPS = """
import os
import threading
import numpy as np
import numba
import fastnn as fn
from fastnn_kernels import _tuning
_tuning.PARALLEL_FROM = 0

def run(out):
    opt, w, g = fn.SGD(0.1, momentum=0.5), {"w": np.zeros(5000)}, {"w": np.ones(5000)}
    for _ in range(300):
        opt.step(w, g)
    out.append(w["w"])

want, got = [], []
run(want)
workers = [threading.Thread(target=run, args=(got,)) for _ in range(2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(numba.threading_layer(), all(np.array_equal(w, want[0]) for w in got))
"""


@jit_only
def test_optimizer_steps_at_once_under_workqueue():
    assert python(STEPS, NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="2").split() == ["workqueue", "True"]


def group_files(root, name, **files):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(f"0::/{name}\n", "utf-8")
    for path, text in files.items():
        place = root / "sys/fs/cgroup" / path.replace("__", "/").replace("cpu_max", "cpu.max")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"job__cpu_max": "150000 100000\n"}, 2),
        ({"job__cpu_max": "max 100000\n"}, None),
        ({"cpu_max": "50000 100000\n"}, 1),
        ({"cpu__cpu.cfs_quota_us": "300000\n", "cpu__cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu__cpu.cfs_quota_us": "-1\n", "cpu__cpu.cfs_period_us": "100000\n"}, None),
        ({"job__cpu_max": "nonsense\n"}, None),
        ({}, None),
    ],
)
def test_a_container_s_quota_limits_threads(tmp_path, files, quota):
    group_files(tmp_path, "job", **files)
    assert _quota(tmp_path) == quota


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert _quota(tmp_path) is None


AT_HAND = min(THREADS, _quota(Path("/")) or THREADS)


@pytest.mark.parametrize(("value", "count"), [("1", 1), ("1,4", 1), ("0", AT_HAND), ("many", AT_HAND), ("", AT_HAND)])
def test_omp_num_threads_limits_threads(value, count, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads_at_hand.__wrapped__() == count  # not what an earlier call found


def test_what_is_said_in_a_block_goes_before_limits_from_outside():
    code = """
import fastnn as fn
from fastnn.engine.threads import usable_threads
with fn.threads(2):
    print(usable_threads())
print(usable_threads())
"""
    assert python(code, OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="2").split() == ["2", "1"]
